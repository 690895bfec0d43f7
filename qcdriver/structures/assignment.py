"""Two sets of points in, the assignments by which a rotation lays one on the other out.

The search starts from rotations that lay two points of one set in the directions of two of the other, for a few pairs,
so that every assignment an approximately symmetric set allows is met. Each start is refined by assigning and
superposing in turn until neither changes (the Hungarian and the Kabsch algorithm: doi:10.1002/nav.3800020109,
doi:10.1107/S0567739476001873). A search, not a proof.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from qcdriver.units import ANGSTROM

_ANCHOR_PAIRS = 4
_STARTS = 128
"""Rotations refined, the best of all tried: more than the 60 that an icosahedron allows."""
_ROUNDS = 30
_FAR = 1.5 / ANGSTROM
"""Beyond this a point has no partner under a trial rotation, and how far beyond says nothing."""

Groups = list[tuple[np.ndarray, np.ndarray]]
"""What may be assigned to each other: units of one kind in both structures, (n, k) atoms each."""


@dataclass(frozen=True)
class Assignment:
    """`order[i]` of the second point set lies on i of the first, -1 for points in no group; `rmsd` in bohr."""

    order: np.ndarray
    rmsd: float


def assignments(a: np.ndarray, b: np.ndarray, groups: Groups) -> list[Assignment]:
    """Find the assignments by which a proper rotation lays one point set on the other well, the best first.

    Parameters
    ----------
    a, b
        Positions, (n, 3), bohr.
    groups
        Units that stay together (a metal and its phosphorus), by kind; points in no unit do not count.
    """
    of_a, of_b = (np.concatenate([each[side].ravel() for each in groups]) for side in (0, 1))
    a, b = a - a[of_a].mean(axis=0), b - b[of_b].mean(axis=0)
    rotations = np.array(list(_trial_rotations(a, b, groups)))
    chosen = np.argsort(_misfits(a, b, groups, rotations), kind="stable")[:_STARTS]
    found: dict[bytes, Assignment] = {}
    for rotation in rotations[chosen]:
        refined = _refined(a, b, groups, of_a, rotation)
        found.setdefault(refined.order.tobytes(), refined)
    return sorted(found.values(), key=lambda each: each.rmsd)


def superposition(reference: np.ndarray, moved: np.ndarray) -> np.ndarray:
    """Find the proper rotation, (3, 3), that lays `moved @ rotation.T` on the reference; both (n, 3) and centred."""
    u, _, vt = np.linalg.svd(reference.T @ moved)
    flip = np.array([1.0, 1.0, np.sign(np.linalg.det(u @ vt))])
    rotation: np.ndarray = (u * flip) @ vt
    return rotation


def superposed_distances(reference: np.ndarray, moved: np.ndarray) -> np.ndarray:
    """Measure the distance of each pair of points, (n,), in the best superposition without inversion."""
    a, b = reference - reference.mean(axis=0), moved - moved.mean(axis=0)
    distance: np.ndarray = np.linalg.norm(a - b @ superposition(a, b).T, axis=1)
    return distance


def _trial_rotations(a: np.ndarray, b: np.ndarray, groups: Groups) -> Iterator[np.ndarray]:
    """Give rotations that lay two points of `b` in the directions of two of `a`, for a few pairs of `a`."""
    yield np.eye(3)
    partners = {int(unit[0]): of_b[:, 0] for of_a, of_b in groups for unit in of_a}
    for i, k in _anchors(a, groups):
        pair = _directions(a[[i, k]])
        for j in partners[i]:
            for m in partners[k]:
                if j != m:
                    yield superposition(pair, _directions(b[[j, m]]))


def _anchors(a: np.ndarray, groups: Groups) -> list[tuple[int, int]]:
    """Choose pairs that fix an orientation: far from the centre, not in line with it, of kinds with few units."""
    size = {int(unit[0]): len(of_a) for of_a, _ in groups for unit in of_a}
    heads = np.array(sorted(size))
    radius = dict(zip(heads.tolist(), np.linalg.norm(a[heads], axis=1), strict=True))
    usable = [i for i in heads.tolist() if radius[i] > 0.3 * max(radius.values())]
    direction = dict(zip(usable, _directions(a[usable]), strict=True))
    pairs = [
        (i, k)
        for i in usable
        for k in usable
        if i != k and abs(direction[i] @ direction[k]) < 0.8  # 37 to 143 degrees apart
    ]
    pairs.sort(key=lambda pair: size[pair[0]] * size[pair[1]])
    chosen: list[tuple[int, int]] = []
    for pair in pairs:
        # Different atoms each time: one that moved much between the conformers must not spoil them all.
        if len(chosen) < _ANCHOR_PAIRS and not any(set(pair) & set(other) for other in chosen):
            chosen.append(pair)
    return chosen


def _directions(points: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(points, axis=1, keepdims=True)
    directions: np.ndarray = points / np.where(lengths > 0, lengths, 1.0)
    return directions


def _misfits(a: np.ndarray, b: np.ndarray, groups: Groups, rotations: np.ndarray) -> np.ndarray:
    """Sum, for each rotation, squared distances to the nearest of the same kind: a bound that costs little."""
    moved = np.einsum("kij,nj->kni", rotations, b)
    misfits = np.zeros(len(rotations))
    for of_a, of_b in groups:
        squares = sum(
            ((a[None, i, None] - moved[:, None, j]) ** 2).sum(axis=-1) for i, j in zip(of_a.T, of_b.T, strict=True)
        )
        nearest = np.concatenate([np.min(squares, axis=2), np.min(squares, axis=1)], axis=1)
        misfits += np.minimum(nearest, of_a.shape[1] * _FAR**2).sum(axis=1)
    return misfits


def _refined(a: np.ndarray, b: np.ndarray, groups: Groups, of_a: np.ndarray, rotation: np.ndarray) -> Assignment:
    """Assign and superpose in turn until neither changes; `of_a` lists the points that count."""
    from scipy.optimize import linear_sum_assignment

    order = np.full(len(a), -1)
    for _ in range(_ROUNDS):
        moved = b @ rotation.T
        before = order.copy()
        for units_a, units_b in groups:
            squares = ((a[units_a][:, None] - moved[units_b][None]) ** 2).sum(axis=(-2, -1))
            order[units_a] = units_b[linear_sum_assignment(squares)[1]]
        if (order == before).all():
            break
        rotation = superposition(a[of_a], b[order[of_a]])
    return Assignment(order, float(np.sqrt((superposed_distances(a[of_a], b[order[of_a]]) ** 2).mean())))
