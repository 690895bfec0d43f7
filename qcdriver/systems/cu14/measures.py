"""Measure the two sources of chirality of a Cu14 cluster."""

from __future__ import annotations

import numpy as np

from qcdriver.models.base import Frozen
from qcdriver.models.molecule import Molecule
from qcdriver.systems.cu14.atoms import Cu14, find_cu14, skew_deg
from qcdriver.units import ANGSTROM


class Cu14Measures(Frozen):
    """The distortions that make a conformer chiral, each the mean of three; the mirror image has the other signs.

    Attributes
    ----------
    skew_deg
        Turn of the S3 triangle against the base of tetrahedron 1, positive counter-clockwise seen from apex 1.
    side_shift_angstrom, base_shift_angstrom
        Of the edge centres of tetrahedron 1 from the middle of their edges, round the axis in the same sense: the
        three on the edges from apex 1, and the three of the base.
    protrusion_angstrom
        How much farther apex 2, the corner with the thiolates, is from the middle of the face centres than apex 1.
    """

    skew_deg: float
    side_shift_angstrom: float
    base_shift_angstrom: float
    protrusion_angstrom: float


def measure_cu14(molecule: Molecule) -> Cu14Measures:
    """Measure a Cu14 cluster.

    Raises
    ------
    InputError
        It is none.
    """
    cluster = find_cu14(molecule)
    xyz = molecule.geometry * ANGSTROM
    apex1, apex2 = xyz[cluster.apex1], xyz[cluster.apex2]
    base1 = xyz[list(cluster.base1)]
    middle = xyz[list(cluster.side_centres + cluster.base_centres)].mean(axis=0)
    return Cu14Measures(
        skew_deg=skew_deg(xyz, apex1 - apex2, apex1, list(zip(cluster.sulfurs, cluster.base1, strict=True))),
        side_shift_angstrom=_shift(xyz, cluster, cluster.side_centres, (apex1 + base1) / 2),
        base_shift_angstrom=_shift(xyz, cluster, cluster.base_centres, (base1.sum(axis=0) - base1) / 2),
        protrusion_angstrom=float(np.linalg.norm(apex2 - middle) - np.linalg.norm(apex1 - middle)),
    )


def _shift(xyz: np.ndarray, cluster: Cu14, atoms: tuple[int, ...], rest: np.ndarray) -> float:
    axis = xyz[cluster.apex1] - xyz[cluster.apex2]
    tangents = np.cross(axis, rest - xyz[cluster.apex2])
    tangents /= np.linalg.norm(tangents, axis=1)[:, None]
    return float(((xyz[list(atoms)] - rest) * tangents).sum(axis=1).mean())
