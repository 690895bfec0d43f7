"""Conformers at several levels -> their order at the highest that all of them have, and which pairs of it are decided.

Scatter: how far two levels are off one another on the energy difference of two conformers, as root mean square over
all pairs that both levels have. For conformers i and j with d = E(level) - E(other level) it is the RMS of d_i - d_j,
which any constant between the levels leaves as it is. A difference under the scatter is undecided, as is an order that
the two levels do not share.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np

from qcdriver.units import KCAL_MOL
from qcdriver.workflow.findings import Conformer, Decision, RankedPair, Ranking

Energies = Mapping[str, float]
"""Of conformers at one level, by label, hartree."""


def ranking(conformers: Sequence[Conformer], window_kcal_mol: float | None = None) -> Ranking | None:
    """Rank conformers by the highest level that all have; None where fewer than two have an energy at one level.

    Parameters
    ----------
    conformers
        At all levels, the higher levels later.
    window_kcal_mol
        What the prescreen kept, above its lowest.
    """
    energies: dict[str, dict[str, float | None]] = {}
    for conformer in conformers:
        energies.setdefault(conformer.level, {})[conformer.label] = conformer.energy_hartree
    return rank(energies, window_kcal_mol)


def rank(
    of_conformers: Mapping[str, Mapping[str, float | None]], window_kcal_mol: float | None = None
) -> Ranking | None:
    """Rank as `ranking` does, from the energies of conformers (hartree, None where unknown) by level and label."""
    labels = dict.fromkeys(label for known in of_conformers.values() for label in known)
    energies = {
        level: {label: energy for label, energy in known.items() if energy is not None}
        for level, known in of_conformers.items()
    }
    having_all = [level for level in energies if len(energies[level]) == len(labels)]
    if len(labels) < 2 or not having_all:
        return None
    level = having_all[-1]
    known = energies[level]
    against = _compared_with(level, energies)
    order = tuple(sorted(labels, key=known.__getitem__))
    scatter = scatter_kcal_mol(known, energies[against]) if against else None
    return Ranking(
        level=level,
        against=against,
        scatter_kcal_mol=scatter,
        n_pairs=_n_pairs(known, energies[against]) if against else 0,
        window_kcal_mol=window_kcal_mol,
        order=order,
        pairs=tuple(
            _pair(lower, higher, known, energies[against] if against else {}, scatter)
            for lower, higher in combinations(order, 2)
        ),
    )


def scatter_kcal_mol(one: Energies, other: Energies) -> float | None:
    """Return the scatter between two levels; None where fewer than two conformers have both."""
    off = [one[label] - other[label] for label in one if label in other]
    if len(off) < 2:
        return None
    return float(np.sqrt(np.mean([(a - b) ** 2 for a, b in combinations(off, 2)]))) * KCAL_MOL


def _compared_with(level: str, energies: Mapping[str, Energies]) -> str | None:
    """Choose the level to compare with: the next lower, else the next higher, that has two of the conformers."""
    order = list(energies)
    place = order.index(level)
    others = [*reversed(order[:place]), *order[place + 1 :]]
    return next((other for other in others if _n_pairs(energies[level], energies[other])), None)


def _n_pairs(one: Energies, other: Energies) -> int:
    both = sum(label in other for label in one)
    return both * (both - 1) // 2


def _pair(lower: str, higher: str, known: Energies, other: Energies, scatter: float | None) -> RankedPair:
    difference = (known[higher] - known[lower]) * KCAL_MOL
    there = (other[higher] - other[lower]) * KCAL_MOL if lower in other and higher in other else None
    decision = Decision.DECIDED
    if scatter is None:
        decision = Decision.ONE_LEVEL
    elif there is not None and there < 0 < difference:
        decision = Decision.ORDERS_DIFFER
    elif difference < scatter:
        decision = Decision.UNDER_SCATTER
    return RankedPair(lower=lower, higher=higher, kcal_mol=difference, kcal_mol_against=there, decision=decision)
