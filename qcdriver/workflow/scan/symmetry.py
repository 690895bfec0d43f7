"""A coordinate where symmetry has carried its structure: the same atoms in another numbering, found without a search.

A relaxed structure may be distorted too much to be recognised again, but its atoms are still those of its seed. So the
mirror image, the other end of the rod and a turn by a period only write the coordinate anew.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from qcdriver.geometry.coordinates import measured
from qcdriver.models.coordinates import Belt, Coordinate, Torsion
from qcdriver.models.molecule import Molecule
from qcdriver.workflow.scan.grid import Operation


def all_carried(
    coordinates: Sequence[Coordinate], operation: Operation, molecule: Molecule, near: Sequence[float]
) -> tuple[Coordinate, ...]:
    """Write all coordinates of a molecule anew, each as `carried` does."""
    return tuple(
        carried(coordinate, operation, molecule.geometry, value)
        for coordinate, value in zip(coordinates, near, strict=True)
    )


def carried(coordinate: Coordinate, operation: Operation, geometry: np.ndarray, near: float) -> Coordinate:
    """Write a coordinate anew after an operation.

    Parameters
    ----------
    coordinate
        Of the structure as it was.
    operation
        What was done to it.
    geometry
        The structure now, (natoms, 3), bohr.
    near
        Of the numberings that a period makes equal, the one is taken whose value is nearest to this (degrees or bohr).
    """
    if isinstance(coordinate, Belt):
        return _turned_belt(coordinate, operation, geometry, near)
    if isinstance(coordinate, Torsion) and coordinate.period_deg is not None:
        return _paired_anew(coordinate, geometry, near)
    return coordinate


def _turned_belt(belt: Belt, operation: Operation, geometry: np.ndarray, near: float) -> Belt:
    """Write a belt anew; both the mirror and the other end change the sense of every dihedral."""
    sign = -1.0 if operation.mirrored != operation.flipped else 1.0
    fours = belt.quadruples
    if operation.flipped:
        fours = tuple((ring, end, start, halide) for ring, start, end, halide in fours)
    turned = belt.model_copy(
        update={"quadruples": fours, "offsets_deg": tuple(sign * offset + 0.0 for offset in belt.offsets_deg)}
    )
    if belt.period_deg is None:
        return turned
    by = belt.period_deg * round((near - measured(turned, geometry, near)) / belt.period_deg)
    return turned.model_copy(update={"offsets_deg": tuple(offset - by for offset in turned.offsets_deg)})


def _paired_anew(twist: Torsion, geometry: np.ndarray, near: float) -> Torsion:
    """Pair the two rings of a twist anew: one turned against the other by as many atoms as brings the value near."""
    last = [four[3] for four in twist.quadruples]
    pairings = (
        twist.model_copy(
            update={
                "quadruples": tuple(
                    (first, start, end, last[(k + turn) % len(last)])
                    for k, (first, start, end, _) in enumerate(twist.quadruples)
                )
            }
        )
        for turn in range(len(last))
    )
    return min(pairings, key=lambda pairing: abs(measured(pairing, geometry, near) - near))
