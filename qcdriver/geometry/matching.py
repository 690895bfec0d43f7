"""Match two sets of points: find which point of one lies on which of the other once a rotation has superposed them.

The search starts from rotations that lay two points of one set in the directions of two of the other, for a few pairs,
so that every matching that an approximately symmetric set allows is met. Each start is refined by assigning points and
superposing in turn until neither changes. It is a search, not a proof that there is no better matching.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from qcdriver.geometry.superposition import distances_superposed, rotation_about_origin, rotation_onto
from qcdriver.units import ANGSTROM

_ANCHOR_PAIRS = 4
_STARTS = 128
"""Rotations refined, the best of all tried: more than the 60 that an icosahedron allows."""
_ROUNDS = 30
_FAR = 1.5 / ANGSTROM
"""Beyond this a point has no partner under a trial rotation, and how far beyond says nothing."""
_COSINES = (0.8, 0.95)
"""Two points fix an orientation well if they are 37 to 143 degrees apart, as seen from the centre; else 18 to 162."""
_CHUNK = 2_000_000
"""Distances worked out at once when trial rotations are compared."""

Groups = list[tuple[np.ndarray, np.ndarray]]
"""What may be matched: units of one kind in both sets, (number of units, points of a unit) indices each."""


@dataclass(frozen=True)
class Matching:
    """Point `order[i]` of the second set lies on i of the first, -1 for points in no group; `rmsd` in bohr."""

    order: np.ndarray
    rmsd: float


def matchings(
    a: np.ndarray,
    b: np.ndarray,
    groups: Groups,
    nearest_within: float | None = None,
    max_starts: int = _STARTS,
    good_enough: float = 0.0,
) -> list[Matching]:
    """Find the matchings by which a rotation without inversion lays one set of points on another well, the best first.

    Parameters
    ----------
    a, b
        Positions, (n, 3), bohr.
    groups
        Units that stay together (a metal and its phosphorus), by kind; points in no unit do not count.
    nearest_within
        None: units are assigned so that the sum of their squared distances is smallest (the Hungarian algorithm,
        doi:10.1002/nav.3800020109), however far they are. A length in bohr: each is assigned to the nearest, and a
        start by which one has none so near, or two have the same, is given up. The second is faster and finds only
        sets that are nearly congruent, or nothing.
    max_starts
        Rotations to refine at most, those that promise most.
    good_enough
        Stop at the first matching whose root mean square distance is below this, bohr.
    """
    of_a, of_b = (np.concatenate([group[side].ravel() for group in groups]) for side in (0, 1))
    a, b = a - a[of_a].mean(axis=0), b - b[of_b].mean(axis=0)
    rotations = _different(np.array(list(_trial_rotations(a, b, groups, nearest_within))))
    promising = np.argsort(_misfits(a, b, groups, rotations), kind="stable")[:max_starts]
    found: dict[bytes, Matching] = {}
    for rotation in rotations[promising]:
        order = _refined(a, b, groups, of_a, rotation, nearest_within)
        if order is None or order.tobytes() in found:
            continue
        rmsd = float(np.sqrt((distances_superposed(a[of_a], b[order[of_a]]) ** 2).mean()))
        found[order.tobytes()] = Matching(order, rmsd)
        if rmsd < good_enough:
            break
    return sorted(found.values(), key=lambda match: match.rmsd)


def _trial_rotations(a: np.ndarray, b: np.ndarray, groups: Groups, near: float | None) -> Iterator[np.ndarray]:
    """Yield rotations that lay two points of `b` in the directions of two of `a`, for a few pairs of `a`."""
    yield np.eye(3)
    partners = _partners(a, b, groups, near)
    for i, k in _anchors(a, partners):
        pair = _directions(a[[i, k]])
        length = np.linalg.norm(a[i] - a[k])
        for j in partners[i]:
            for m in partners[k]:
                if j != m and (near is None or abs(np.linalg.norm(b[j] - b[m]) - length) < near):
                    yield rotation_about_origin(pair, _directions(b[[j, m]]))


def _different(rotations: np.ndarray) -> np.ndarray:
    """Leave out rotations that came before: each pair of anchors of a symmetric set gives the same ones."""
    _, first = np.unique(rotations.round(6), axis=0, return_index=True)
    different: np.ndarray = rotations[np.sort(first)]
    return different


def _partners(a: np.ndarray, b: np.ndarray, groups: Groups, near: float | None) -> dict[int, np.ndarray]:
    """List, for the first point of every unit of `a`, what it may lie on: as far from the centre, to half of `near`."""
    partners = {}
    for units_a, units_b in groups:
        heads = units_b[:, 0]
        radii = np.linalg.norm(b[heads], axis=1)
        for head in units_a[:, 0].tolist():
            off = np.abs(radii - np.linalg.norm(a[head]))
            partners[head] = heads if near is None else heads[off < near / 2]
    return partners


def _anchors(a: np.ndarray, partners: dict[int, np.ndarray]) -> list[tuple[int, int]]:
    """Choose pairs that fix an orientation: far from the centre, not in line with it, with few possible partners."""
    heads = sorted(partners)
    radius = dict(zip(heads, np.linalg.norm(a[heads], axis=1).tolist(), strict=True))
    usable = [i for i in heads if radius[i] > 0.3 * max(radius.values())]
    directions = _directions(a[usable])
    cosines = np.abs(directions @ directions.T)
    for limit in _COSINES:
        pairs = [(usable[i], usable[k]) for i, k in np.argwhere(cosines < limit) if i != k]
        if pairs:
            break
    pairs.sort(key=lambda pair: len(partners[pair[0]]) * len(partners[pair[1]]))
    chosen: list[tuple[int, int]] = []
    for pair in pairs:
        # All pairs have different points: one point that moved much between the sets must not spoil them all.
        if len(chosen) < _ANCHOR_PAIRS and not any(set(pair) & set(other) for other in chosen):
            chosen.append(pair)
    return chosen


def _directions(points: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(points, axis=1, keepdims=True)
    directions: np.ndarray = points / np.where(lengths > 0, lengths, 1.0)
    return directions


def _misfits(a: np.ndarray, b: np.ndarray, groups: Groups, rotations: np.ndarray) -> np.ndarray:
    """Return, for each rotation, the sum of squared distances to the nearest point of the same kind: a cheap bound."""
    misfits = np.zeros(len(rotations))
    step = max(1, _CHUNK // len(a) // len(b))
    for start in range(0, len(rotations), step):
        some = slice(start, start + step)
        moved = np.einsum("kij,nj->kni", rotations[some], b)
        for of_a, of_b in groups:
            squares = sum(
                ((a[None, i, None] - moved[:, None, j]) ** 2).sum(axis=-1) for i, j in zip(of_a.T, of_b.T, strict=True)
            )
            nearest = np.concatenate([np.min(squares, axis=2), np.min(squares, axis=1)], axis=1)
            misfits[some] += np.minimum(nearest, of_a.shape[1] * _FAR**2).sum(axis=1)
    return misfits


def _refined(
    a: np.ndarray, b: np.ndarray, groups: Groups, of_a: np.ndarray, rotation: np.ndarray, near: float | None
) -> np.ndarray | None:
    """Assign and superpose in turn until neither changes; `of_a` lists the points that count."""
    order = np.full(len(a), -1)
    for _ in range(_ROUNDS):
        moved = b @ rotation.T
        before = order.copy()
        for units_a, units_b in groups:
            squares = ((a[units_a][:, None] - moved[units_b][None]) ** 2).sum(axis=(-2, -1))
            assigned = _optimal(squares) if near is None else _nearest(squares, near)
            if assigned is None:
                return None
            order[units_a] = units_b[assigned]
        if (order == before).all():
            break
        rotation = rotation_onto(a[of_a], b[order[of_a]])
    return order


def _optimal(squares: np.ndarray) -> np.ndarray:
    from scipy.optimize import linear_sum_assignment

    columns: np.ndarray = linear_sum_assignment(squares)[1]
    return columns


def _nearest(squares: np.ndarray, near: float) -> np.ndarray | None:
    nearest: np.ndarray = squares.argmin(axis=1)
    if squares.min(axis=1).max() > near**2 or len(np.unique(nearest)) < len(nearest):
        return None
    return nearest
