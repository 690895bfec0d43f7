"""Find the symmetry operators that relate a molecule to its copies in the cell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from qcdriver.io.cif.assembly import Whole
    from qcdriver.io.cif.unit_cell import UnitCell

Operation = tuple[int, tuple[int, int, int]]
"""An operator of the space group, and a lattice translation after it."""


def operations(cell: UnitCell, molecule: Whole, copy: Whole) -> list[Operation]:
    """Find the operations that move a molecule onto its copy, proper operators first.

    Where disorder broke the symmetry, these are the operations that bring the most atoms onto atoms of the copy.
    """
    inside = np.zeros(len(cell), dtype=bool)
    inside[copy.atoms] = True
    site, made_by = cell.site[molecule.atoms], cell.operator[molecule.atoms]
    found = []
    place = {int(atom): position for atom, position in zip(copy.atoms, copy.fractional(cell), strict=True)}
    for operator in range(len(cell.group)):
        images = cell.image[site, cell.group.product[operator, made_by]]
        matches = np.flatnonzero(inside[images])
        if not len(matches):
            continue
        moved = cell.group.apply(operator, molecule.fractional(cell)[matches])
        steps = np.round(np.array([place[int(atom)] for atom in images[matches]]) - moved).astype(int)
        values, counts = np.unique(steps, axis=0, return_counts=True)
        a, b, c = values[counts.argmax()].tolist()
        improper = bool(cell.group.improper[operator])
        found.append((-int(counts.max()), improper, operator, (a, b, c)))
    if not found:
        return []
    most = min(found)[0]
    return [(operator, shift) for count, _, operator, shift in sorted(found) if count == most]
