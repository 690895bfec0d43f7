"""Measure distances, angles (as cosines) and dihedrals of tuples of atoms, with their derivatives."""

from __future__ import annotations

import numpy as np


def distances(geometry: np.ndarray, pairs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Measure distances.

    Parameters
    ----------
    geometry
        (natoms, 3).
    pairs
        Atom indices, (n, 2).

    Returns
    -------
    tuple
        The values (n,) and their derivatives by their own atoms, (n, 2, 3).
    """
    vector = geometry[pairs[:, 0]] - geometry[pairs[:, 1]]
    length, unit = _length_and_unit(vector)
    return length, np.stack([unit, -unit], axis=1)


def cosines(geometry: np.ndarray, triples: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Measure angles at the middle atom of each triple, as cosines: unlike the angle, smooth at 180 deg.

    Returns
    -------
    tuple
        The values (n,) and their derivatives by their own atoms, (n, 3, 3).
    """
    length_a, a = _length_and_unit(geometry[triples[:, 0]] - geometry[triples[:, 1]])
    length_b, b = _length_and_unit(geometry[triples[:, 2]] - geometry[triples[:, 1]])
    cosine = (a * b).sum(-1)
    first = (b - cosine[:, None] * a) / length_a[:, None]
    last = (a - cosine[:, None] * b) / length_b[:, None]
    return cosine, np.stack([first, -first - last, last], axis=1)


def bends(geometry: np.ndarray, triples: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Measure how far each triple is from a straight line: the sum of the unit vectors from the middle to the ends.

    On a straight line the sum vanishes, and its components perpendicular to the line are the two linear bends of
    Bakken and Helgaker (doi:10.1063/1.1515483). All three components are given, in the frame of the geometry, so there
    is no reference axis that the line could turn into.

    Returns
    -------
    tuple
        The values (n, 3) and the derivatives of each component by the triple's own atoms, (n, 3, 3, 3): triple,
        component, atom, direction.
    """
    length_a, a = _length_and_unit(geometry[triples[:, 0]] - geometry[triples[:, 1]])
    length_b, b = _length_and_unit(geometry[triples[:, 2]] - geometry[triples[:, 1]])
    first, last = (
        (np.eye(3) - unit[:, :, None] * unit[:, None, :]) / length[:, None, None]
        for length, unit in ((length_a, a), (length_b, b))
    )
    return a + b, np.stack([first, -first - last, last], axis=2)


def dihedrals(geometry: np.ndarray, fours: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Measure dihedrals, with IUPAC's sign (doi:10.1351/goldbook.T06406).

    The derivatives are Blondel and Karplus's, regular at 0 and 180 deg
    (doi:10.1002/(SICI)1096-987X(19960715)17:9<1132::AID-JCC5>3.0.CO;2-T).

    Returns
    -------
    tuple
        The values (n,) in radian, their derivatives by their own atoms (n, 4, 3), and the sines of the two angles
        between neighbouring bonds, (n, 2): where one vanishes the dihedral has no meaning and its derivative no bound.
    """
    p, q, r, s = np.moveaxis(geometry[fours], 1, 0)
    f, g, h = p - q, q - r, s - r
    a, b = np.cross(f, g), np.cross(h, g)
    length_g, unit_g = _length_and_unit(g)
    sines = np.stack(
        [
            np.linalg.norm(normal, axis=-1) / (np.linalg.norm(bond, axis=-1) * length_g)
            for normal, bond in ((a, f), (b, h))
        ],
        axis=1,
    )
    tiny = np.finfo(float).tiny
    over_a = a / np.maximum((a * a).sum(-1), tiny)[:, None]
    over_b = b / np.maximum((b * b).sum(-1), tiny)[:, None]
    first, last = -length_g[:, None] * over_a, length_g[:, None] * over_b
    middle = (f * unit_g).sum(-1)[:, None] * over_a - (h * unit_g).sum(-1)[:, None] * over_b
    values = np.arctan2((np.cross(b, a) * unit_g).sum(-1), (a * b).sum(-1))
    return values, np.stack([first, middle - first, -middle - last, last], axis=1), sines


def wrapped(angle: float | np.ndarray, period: float) -> np.ndarray:
    """Bring angles within half a period of 0: [-period/2, period/2)."""
    return np.asarray(angle - period * np.floor(angle / period + 0.5))


def _length_and_unit(vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    length = np.linalg.norm(vectors, axis=-1)
    return length, vectors / length[:, None]
