"""Find atoms that a file lists although the symmetry makes them too, and leave them out.

Some programs write whole molecules: a molecule on a symmetry element is then listed with all its atoms, of which only
a part is independent.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from qcdriver.errors import InputError
from qcdriver.io.cif.neighbours import close_pairs
from qcdriver.io.cif.unit_cell import fill_cell

if TYPE_CHECKING:
    from qcdriver.io.cif.cif import CifStructure, Sites
    from qcdriver.io.cif.symmetry import SpaceGroup

_SAME_PLACE_ANGSTROM = 0.1
_OCCUPANCY_TOLERANCE = 0.05


def without_repeats(structure: CifStructure, group: SpaceGroup) -> tuple[CifStructure, list[str]]:
    """Leave out sites that are images of other sites.

    Returns
    -------
    tuple
        The structure with each site once, and warnings.

    Raises
    ------
    InputError
        Two different atoms have one label in one disorder group.
    """
    images = _images(structure, group)
    sites = structure.sites
    kept = sites.without(images.keys())
    names = list(zip(kept.written, kept.group, strict=True))
    if len(set(names)) < len(names):
        twice = next(label for label, of_group in names if names.count((label, of_group)) > 1)
        raise InputError(
            f"{structure.path}: _atom_site_label {twice} is used twice; each atom needs a label of its own"
        )
    if not images:
        return structure, []
    labels = [f"{sites.labels[i]} of {sites.labels[images[i]]}" for i in sorted(images)]
    some = ", ".join(labels[:4]) + (f" and {len(labels) - 4} more" if len(labels) > 4 else "")
    return replace(structure, sites=kept), [f"listed although symmetry makes them, and counted once: {some}"]


def _images(structure: CifStructure, group: SpaceGroup) -> dict[int, int]:
    """Map each site that is the image of an earlier one to that one."""
    cell, _ = fill_cell(structure, group)
    pairs = close_pairs(cell, np.full(len(cell), _SAME_PLACE_ANGSTROM / 2))
    sites = structure.sites
    images: dict[int, int] = {}
    couples = np.unique(np.stack([cell.site[pairs.first], cell.site[pairs.second]], axis=1), axis=0)
    for earlier, later in couples.tolist():
        if earlier < later and earlier not in images and _too_much_for_one_place(sites, earlier, later):
            images.setdefault(later, earlier)
    return images


def _too_much_for_one_place(sites: Sites, i: int, j: int) -> bool:
    """Return whether two sites of one place are one atom: together they are there more often than their group is."""
    if (sites.symbols[i], sites.assembly[i], sites.group[i]) != (sites.symbols[j], sites.assembly[j], sites.group[j]):
        return False
    often = 1.0
    if sites.group[i] is not None:
        often = max(
            float(sites.occupancy[k])
            for k in range(len(sites))
            if (sites.assembly[k], sites.group[k]) == (sites.assembly[i], sites.group[i])
        )
    return bool(sites.occupancy[i] + sites.occupancy[j] > often + _OCCUPANCY_TOLERANCE)
