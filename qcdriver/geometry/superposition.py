"""Superpose sets of points: the rotation that lays one on another with the smallest squared distances.

The rotation comes from a singular value decomposition of the covariance of the two sets (Kabsch,
doi:10.1107/S0567739476001873). Every rotation here is a matrix R, (3, 3), that turns positions (n, 3) by
`positions @ R.T`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Superposed(NamedTuple):
    """One set of points laid on another.

    Attributes
    ----------
    geometry
        The moved points where they came to lie, (n, 3).
    rotation
        What turned them, (3, 3).
    rmsd
        Root mean square distance that is left, in the unit of the points.
    """

    geometry: np.ndarray
    rotation: np.ndarray
    rmsd: float


def rotation_onto(reference: np.ndarray, moved: np.ndarray, improper: bool = False) -> np.ndarray:
    """Return the rotation about their centres that lays `moved` on `reference`, (3, 3).

    Parameters
    ----------
    reference, moved
        The same points in the same order, (n, 3).
    improper
        Also allow an inversion, where that lays them nearer: the determinant is then -1.
    """
    return rotation_about_origin(reference - reference.mean(axis=0), moved - moved.mean(axis=0), improper)


def rotation_about_origin(reference: np.ndarray, moved: np.ndarray, improper: bool = False) -> np.ndarray:
    """Return what `rotation_onto` does, but about the origin: for directions, or points with a centre of their own."""
    return _rotation(reference.T @ moved, hand=0.0 if improper else 1.0)


def superpose(reference: np.ndarray, moved: np.ndarray, improper: bool = False) -> Superposed:
    """Lay one set of points on another; parameters as for `rotation_onto`."""
    rotation = rotation_onto(reference, moved, improper)
    geometry = (moved - moved.mean(axis=0)) @ rotation.T + reference.mean(axis=0)
    return Superposed(geometry, rotation, float(np.sqrt(((geometry - reference) ** 2).sum(axis=1).mean())))


def distances_superposed(reference: np.ndarray, moved: np.ndarray) -> np.ndarray:
    """Return the distance of each pair of points, (n,), when `moved` is laid on `reference` without inversion."""
    distances: np.ndarray = np.linalg.norm(superpose(reference, moved).geometry - reference, axis=1)
    return distances


def local_rotations(geometry: np.ndarray, onto: np.ndarray, reach: float, anchor: float) -> np.ndarray:
    """Return, for each atom, the rotation of its surroundings from one geometry to another, (natoms, 3, 3).

    All have the determinant of the rotation of the whole, with inversion where that lays it nearer. Where the
    surroundings leave a rotation open, as on a line, it is that of the whole.

    Parameters
    ----------
    geometry, onto
        Before and after, (natoms, 3).
    reach
        Length of the Gaussian weight of the surroundings, in the unit of the geometries.
    anchor
        Weight of the rotation of the whole beside the squared distances of the surroundings.
    """
    whole = rotation_onto(onto, geometry, improper=True)
    before, after = (places[None, :, :] - places[:, None, :] for places in (geometry, onto))
    weights = np.exp(-(before**2).sum(axis=2) / reach**2)
    covariances = np.einsum("ij,ijx,ijy->ixy", weights, after, before) + anchor * whole
    return _rotation(covariances, hand=float(np.linalg.det(whole)))


def principal_axes(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return how far points extend from their centre along their principal axes, and these axes as rows, (3, 3).

    The longest comes first. An extent is the root of the sum of squares; the sign of an axis is arbitrary.
    """
    _, extents, axes = np.linalg.svd(points - points.mean(axis=0), full_matrices=len(points) < 3)
    return extents, axes


def _rotation(covariance: np.ndarray, hand: float) -> np.ndarray:
    """Return the rotation nearest to each covariance (..., 3, 3), of that sign of the determinant; 0 is either."""
    left, _, right = np.linalg.svd(covariance)
    wrong = np.linalg.det(left @ right) * hand < 0
    left[..., 2] *= np.where(wrong, -1.0, 1.0)[..., None]
    rotation: np.ndarray = left @ right
    return rotation
