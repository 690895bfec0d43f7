"""Sort overlapping atoms of one occupancy into alternatives where the file has no disorder tags.

An example is a solvent in two orientations, half each. The atoms are sorted so that the distances within one
alternative are those of a molecule. Every pair within one alternative adds a cost or a gain that depends on its
distance (an overlap, a bond, or a distance that no molecule has). The cheapest sorting is searched for from several
starts.
"""

from __future__ import annotations

import numpy as np

_OVERLAP_COST, _BETWEEN_COST, _UNEVEN_COST, _BOND_GAIN = 10.0, 4.0, 2.0, 2.0
_LONELY_COST = 10.0  # as bad as an overlap: a hydrogen in the alternative that lacks its carbon
LINKED = 1.26
"""Times the sum of radii: a bond at its longest, C-C 1.92 Angstrom."""
_RANDOM_STARTS = 24
_MOST_ALTERNATIVES = 4
_BOND_WIDTH = 0.12  # relative to the sum of radii; C-C of a ring is 0.09 short of it, C-H 0.1


def sort_alternatives(
    symbols: np.ndarray,
    n_alternatives: int,
    first: np.ndarray,
    second: np.ndarray,
    ratio: np.ndarray,
    overlap: np.ndarray,
    between: np.ndarray,
    hung: np.ndarray,
) -> np.ndarray:
    """Sort n atoms, in the order of the file, into alternatives.

    Parameters
    ----------
    symbols
        Elements, (n,).
    n_alternatives
        Number of alternatives that the occupancy leaves room for.
    first, second, ratio
        Close pairs, and their distance over the sum of covalent radii.
    overlap, between
        Which pairs are too close to be both there, and which are at a distance that no molecule has.
    hung
        Which atoms are bonded to one that is always there, (n,).

    Returns
    -------
    np.ndarray
        The alternative of each atom, numbered from 0; the first atom is in alternative 0.
    """
    n = len(symbols)
    k = min(max(n_alternatives, 2), _MOST_ALTERNATIVES)
    cost = np.zeros((n, n))
    pair_cost = np.where(
        overlap,
        _OVERLAP_COST,
        np.where(between, _BETWEEN_COST, -_BOND_GAIN * np.exp(-(((ratio - 0.95) / _BOND_WIDTH) ** 2))),
    )
    cost[first, second] = pair_cost
    cost[second, first] = pair_cost
    bonded = ~overlap & (ratio < LINKED)
    partner = np.zeros((n, n), dtype=bool)
    partner[first[bonded], second[bonded]] = partner[second[bonded], first[bonded]] = True
    needs_partner = partner.any(axis=1) & ~hung
    rng = np.random.default_rng(0)
    # Most files list one alternative after the other, or in turns.
    in_order = [np.arange(n) * k // n, np.arange(n) % k]
    starts = [*in_order, *(rng.integers(0, k, n) for _ in range(_RANDOM_STARTS))]
    sorted_ = [*in_order, *(_settled(cost, start, k) for start in starts)]

    def badness(numbers: np.ndarray) -> float:
        lonely = needs_partner & ~(partner & (numbers[:, None] == numbers)).any(axis=1)
        return _total(cost, numbers) + _uneven(symbols, numbers, k) + _LONELY_COST * float(lonely.sum())

    best = min(sorted_, key=badness)
    order = {int(number): rank for rank, number in enumerate(dict.fromkeys(best.tolist()))}
    return np.array([order[int(number)] for number in best])


def _settled(cost: np.ndarray, number: np.ndarray, k: int) -> np.ndarray:
    """Move single atoms between alternatives as long as that is cheaper."""
    number = number.copy()
    while True:
        there = np.stack([cost @ (number == a) for a in range(k)], axis=1)
        gain = there[np.arange(len(number)), number] - there.min(axis=1)
        atom = int(gain.argmax())
        if gain[atom] < 1e-9:
            return number
        number[atom] = int(there[atom].argmin())


def _total(cost: np.ndarray, number: np.ndarray) -> float:
    return round(float((cost * (number[:, None] == number)).sum()) / 2, 6)


def _uneven(symbols: np.ndarray, number: np.ndarray, k: int) -> float:
    """Cost of alternatives that differ in composition."""
    counts = np.array([[(symbols[number == a] == s).sum() for s in np.unique(symbols)] for a in range(k)])
    return _UNEVEN_COST * float((counts.max(axis=0) - counts.min(axis=0)).sum())
