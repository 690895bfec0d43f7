"""Single points at several levels -> differences and gaps by level, how far they spread, which keep their sign."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from qcdriver.models.base import Frozen
from qcdriver.models.outcomes import Result
from qcdriver.units import EV, KCAL_MOL


class Answer(StrEnum):
    """Whether a conformer lies above the reference at every level."""

    ABOVE = "above"
    BELOW = "below"
    UNDECIDED = "undecided"


class AtLevel(Frozen):
    """Energies above the reference (kcal/mol) and gaps (eV) at one level, conformer by conformer; None: unknown."""

    level: str
    energies_kcal_mol: tuple[float | None, ...]
    gaps_ev: tuple[float | None, ...]


class Difference(Frozen):
    """How far the energy of a conformer above the reference spreads over the levels; `n_levels` that have it."""

    conformer: str
    lowest_kcal_mol: float
    highest_kcal_mol: float
    n_levels: int
    answer: Answer


class Sensitivity(Frozen):
    """The conformers at all levels, [dft]'s first.

    Attributes
    ----------
    conformers
        Labels; the first is the reference, the lowest at the level of [dft].
    levels
        What each level gives.
    differences
        One for each conformer but the reference that two levels have.
    """

    conformers: tuple[str, ...]
    levels: tuple[AtLevel, ...]
    differences: tuple[Difference, ...]


def sensitivity(labels: Sequence[str], results: Sequence[tuple[str, Sequence[Result | None]]]) -> Sensitivity:
    """Compare levels.

    Parameters
    ----------
    labels
        Of the conformers.
    results
        Of each level, [dft]'s first, its title and a result for each conformer; None where it did not converge. At the
        first level all did.
    """
    energies = [result.energy for result in results[0][1] if result]
    order = sorted(range(len(labels)), key=energies.__getitem__)
    levels = tuple(_at_level(title, [found[place] for place in order]) for title, found in results)
    names = tuple(labels[place] for place in order)
    return Sensitivity(conformers=names, levels=levels, differences=tuple(_differences(names, levels)))


def _at_level(title: str, results: Sequence[Result | None]) -> AtLevel:
    reference = results[0]
    return AtLevel(
        level=title,
        energies_kcal_mol=tuple(
            (at_level.energy - reference.energy) * KCAL_MOL if at_level and reference else None for at_level in results
        ),
        gaps_ev=tuple(at_level.gap * EV if at_level and at_level.gap is not None else None for at_level in results),
    )


def _differences(labels: Sequence[str], levels: Sequence[AtLevel]) -> list[Difference]:
    found = []
    for place, label in enumerate(labels[1:], start=1):
        known = [energy for level in levels if (energy := level.energies_kcal_mol[place]) is not None]
        if len(known) < 2:
            continue
        answer = Answer.ABOVE if min(known) > 0 else Answer.BELOW if max(known) < 0 else Answer.UNDECIDED
        found.append(
            Difference(
                conformer=label,
                lowest_kcal_mol=min(known),
                highest_kcal_mol=max(known),
                n_levels=len(known),
                answer=answer,
            )
        )
    return found
