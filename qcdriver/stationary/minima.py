"""Minima of the grid in, what they become when every constraint is off: each structure once, whatever its hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from qcdriver.schema import Molecule, Relaxation, Relaxed, TaskRecord, Verdict
from qcdriver.stage import Job
from qcdriver.stationary.search import MINIMUM, GridPoint, Search, why
from qcdriver.structures.bonds import broken
from qcdriver.structures.similarity import likeness


@dataclass(frozen=True)
class Minimum:
    """What a minimum of the grid became: `relaxed`, in the same numbering, is the structure of `same_as` or its own."""

    point: GridPoint
    key: str
    relaxed: Molecule
    energy: float
    same_as: Minimum | None = None
    mirrored: bool = False

    @property
    def itself(self) -> Minimum:
        """The minimum whose structure this is."""
        return self.same_as or self


def relaxation(point: GridPoint, search: Search) -> Job:
    """Relax a minimum of the grid, nothing held."""
    task = Relaxation(molecule=point.molecule, level=search.level, convergence=search.convergence)
    return Job(MINIMUM + point.place, task, (point.key,))


def judged_minima(minima: Sequence[GridPoint], records: Sequence[TaskRecord]) -> tuple[list[Verdict], list[Minimum]]:
    """Give verdicts on what did not relax, or fell apart, and all the rest, the lowest first."""
    verdicts: list[Verdict] = []
    relaxed: list[Minimum] = []
    for point, record in zip(minima, records, strict=True):
        if isinstance(record.outcome, Relaxed) and not (damage := broken(point.molecule, record.outcome.molecule)):
            relaxed.append(Minimum(point, record.key, record.outcome.molecule, record.outcome.result.energy))
            continue
        reason = f"fell apart: {damage}" if isinstance(record.outcome, Relaxed) else why(record)
        verdicts.append(Verdict(label=MINIMUM + point.place, key=record.key, kept=False, reason=reason))
    return verdicts, sorted(relaxed, key=lambda minimum: minimum.energy)


def merged(minima: Sequence[Minimum], search: Search) -> dict[str, Minimum]:
    """Merge what became one structure, the lowest first; give all by place."""
    found: dict[str, Minimum] = {}
    for each in sorted(minima, key=lambda minimum: minimum.energy):
        unlike = [other for other in found.values() if not other.same_as]
        found[each.point.place] = next((twin for other in unlike if (twin := _merged(each, other, search))), each)
    return found


def followed(minima: dict[str, Minimum], moved: dict[str, Minimum]) -> dict[str, Minimum]:
    """Let what was the same as a minimum follow where that one went; what went nowhere else is there as it was."""
    found = {}
    for place, each in minima.items():
        there = moved[each.itself.point.place]
        if each.same_as is None:
            found[place] = there
        else:
            found[place] = replace(each, same_as=there.itself, mirrored=each.mirrored != there.mirrored)
    return found


def duplicate(minimum: Minimum) -> Verdict:
    """Drop what became the structure of another minimum."""
    reason = f"became the {'mirror image of' if minimum.mirrored else 'same structure as'} the "
    reason += MINIMUM + minimum.itself.point.place
    return Verdict(label=MINIMUM + minimum.point.place, key=minimum.key, kept=False, reason=reason)


def _merged(each: Minimum, lower: Minimum, search: Search) -> Minimum | None:
    if each.energy - lower.energy > search.duplicate:
        return None
    like = likeness(lower.relaxed, each.relaxed, search.duplicate_angstrom)
    return replace(each, same_as=lower, mirrored=like == "mirror image") if like else None
