"""The proper rotations that carry a molecule into itself; their number is the rotational symmetry number."""

from __future__ import annotations

import math

import numpy as np

from qcdriver.models.molecule import Molecule
from qcdriver.units import ANGSTROM

SAME_ANGSTROM = 0.1
"""Every atom must land within this of an atom of its element: relaxed structures are symmetric to about 0.01."""
_AT_CENTRE = 0.5
"""Bohr. An atom nearer to the centre than this fixes no direction."""
_ON_AXIS = 2e-2
"""Sine of an angle below which three points count as lying on one line."""


def symmetry_number(molecule: Molecule, tolerance_angstrom: float = SAME_ANGSTROM) -> int:
    """Count the orientations that differ by an exchange of like atoms only.

    A linear molecule has 2 with a centre of inversion and 1 without; a single atom has 1. So methane has 12, water 2,
    carbon dioxide 2.

    Parameters
    ----------
    tolerance_angstrom
        How far an atom may land from its image, Angstrom.
    """
    tolerance = tolerance_angstrom / ANGSTROM
    points = molecule.geometry - molecule.geometry.mean(axis=0)
    kinds = molecule.numbers
    frame = _frame_atoms(points, kinds)
    if frame is None:
        return 2 if len(points) > 1 and _carried(points, -points, kinds, tolerance) else 1
    first, second = frame
    turned = np.array(
        [
            _axes(points[a], points[b]).T @ _axes(points[first], points[second])
            for a in _alike(points, kinds, first, tolerance)
            for b in _alike(points, kinds, second, tolerance)
            if abs(_distance(points, a, b) - _distance(points, first, second)) < 2 * tolerance
            and _spread(points[a], points[b]) > _ON_AXIS
        ]
    )
    return sum(_carried(points, points @ rotation.T, kinds, tolerance) for rotation in turned)


def is_linear(molecule: Molecule) -> bool:
    """Return whether all atoms lie on one line; a single atom does."""
    points = molecule.geometry - molecule.geometry.mean(axis=0)
    return _frame_atoms(points, molecule.numbers) is None


def _frame_atoms(points: np.ndarray, kinds: np.ndarray) -> tuple[int, int] | None:
    """Choose two atoms that fix an orientation with the centre, of the rarest kinds; None for a line."""
    counts = {kind: int((kinds == kind).sum()) for kind in kinds}
    order = sorted(range(len(points)), key=lambda atom: (counts[kinds[atom]], -np.linalg.norm(points[atom])))
    for first in order:
        spread = [_spread(points[first], point) for point in points]
        if max(spread) > _ON_AXIS:
            wide = [second for second in order if spread[second] > max(spread) / 2]
            return first, wide[0]
    return None


def _spread(one: np.ndarray, other: np.ndarray) -> float:
    """Return the sine of the angle between two directions; 0 where one is too short to have a direction."""
    lengths = [float(np.linalg.norm(vector)) for vector in (one, other)]
    return float(np.linalg.norm(np.cross(one, other))) / math.prod(lengths) if min(lengths) > _AT_CENTRE else 0.0


def _axes(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return an orthonormal right-handed frame, rows, that two directions fix."""
    x = one / np.linalg.norm(one)
    z = np.cross(one, other)
    z /= np.linalg.norm(z)
    return np.array([x, np.cross(z, x), z])


def _alike(points: np.ndarray, kinds: np.ndarray, atom: int, tolerance: float) -> np.ndarray:
    radii = np.linalg.norm(points, axis=1)
    alike: np.ndarray = np.flatnonzero((kinds == kinds[atom]) & (abs(radii - radii[atom]) < tolerance))
    return alike


def _distance(points: np.ndarray, a: int, b: int) -> float:
    return float(np.linalg.norm(points[a] - points[b]))


def _carried(points: np.ndarray, moved: np.ndarray, kinds: np.ndarray, tolerance: float) -> bool:
    """Return whether every moved atom lies on an atom of its element."""
    distances = np.linalg.norm(moved[:, None] - points[None], axis=2)
    distances[kinds[:, None] != kinds[None]] = np.inf
    return bool((distances.min(axis=1) < tolerance).all())
