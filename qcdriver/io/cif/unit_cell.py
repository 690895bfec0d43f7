"""Make every atom of one cell, once, from the asymmetric unit and the space group.

An atom on a special position is made once by the group theory of its site (cosets of the site's stabiliser). Whether
two rounded images happen to coincide does not matter.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from qcdriver.errors import InputError
from qcdriver.io.cif.cif import CifStructure, Sites
from qcdriver.io.cif.symmetry import SpaceGroup, lattice_vectors

_ROUNDING_ANGSTROM = 0.1
"""An atom this close to a symmetry element lies on it: coordinates have three or four decimals."""
_IMAGES_ANGSTROM = 0.5
"""Two images of an atom that is always there (occupancy too high for alternatives) are one atom up to here."""
_MOST_ATOMS_PER_VOLUME = 1.5  # 1/Angstrom^3, alternatives included; diamond has 0.18
_FULL = 1.05


@dataclass(frozen=True, eq=False)
class UnitCell:
    """All atoms in one cell, with the alternatives of the disorder.

    Attributes
    ----------
    lattice
        Rows a, b, c, (3, 3), Angstrom.
    site, operator
        Which site of the asymmetric unit, and an operator that makes the atom from it; (natoms,).
    fractional
        The site moved by that operator, not brought back into the cell, (natoms, 3).
    image
        The atom that each operator makes from each site, modulo lattice translations, (nsites, noperators).
    """

    sites: Sites
    group: SpaceGroup
    lattice: np.ndarray
    site: np.ndarray
    operator: np.ndarray
    fractional: np.ndarray
    image: np.ndarray

    def __len__(self) -> int:
        return len(self.site)

    @cached_property
    def symbols(self) -> np.ndarray:
        """Element symbols, (natoms,)."""
        symbols: np.ndarray = np.array(self.sites.symbols)[self.site]
        return symbols


def fill_cell(structure: CifStructure, group: SpaceGroup) -> tuple[UnitCell, list[str]]:
    """Apply all operators to all sites.

    Raises
    ------
    InputError
        So many atoms for the volume that cell or coordinates must be wrong.
    """
    sites = structure.sites
    lattice = lattice_vectors(structure.cell)
    volume = float(np.linalg.det(lattice))
    images = np.einsum("gab,ib->iga", group.rotations, sites.fractional) + group.translations
    offset = images - sites.fractional[:, None]
    offset -= np.round(offset)
    distance = np.linalg.norm(offset @ lattice, axis=-1)

    warnings: list[str] = []
    site, operator, fractional = [], [], []
    image = np.empty((len(sites), len(group)), dtype=int)
    count = 0
    for i in range(len(sites)):
        position = sites.fractional[i]
        stabiliser = [0]
        if (distance[i, 1:] < _IMAGES_ANGSTROM).any():
            stabiliser, position, warning = _special_position(i, sites, group, offset[i], distance[i], lattice)
            warnings += warning
        first = group.product[:, stabiliser].min(axis=1)
        representatives = np.flatnonzero(first == np.arange(len(group)))
        image[i] = count + np.searchsorted(representatives, first)
        count += len(representatives)
        site += [i] * len(representatives)
        operator += representatives.tolist()
        fractional.append(group.rotations[representatives] @ position + group.translations[representatives])
    if count > _MOST_ATOMS_PER_VOLUME * volume:
        raise InputError(
            f"{structure.path}: {count} atoms in a cell of {volume:.0f} cubic Angstrom; "
            "the cell or the coordinates are wrong"
        )
    cell = UnitCell(sites, group, lattice, np.array(site), np.array(operator), np.concatenate(fractional), image)
    return cell, warnings


def _special_position(
    i: int, sites: Sites, group: SpaceGroup, offset: np.ndarray, distance: np.ndarray, lattice: np.ndarray
) -> tuple[list[int], np.ndarray, list[str]]:
    """Find the operators that leave a site where it is, and the site's exact place.

    The images of a site near a symmetry element are one atom when they cannot be alternatives of each other: closer
    than rounding, or too occupied for two.
    """
    for threshold in sorted({float(d) for d in distance if d < _IMAGES_ANGSTROM}, reverse=True):
        stabiliser = np.flatnonzero(distance <= threshold)
        if len(stabiliser) == 1 or not np.isin(group.product[np.ix_(stabiliser, stabiliser)], stabiliser).all():
            continue
        shift = offset[stabiliser].mean(axis=0)
        moved = float(np.linalg.norm(shift @ lattice))
        always_there = sites.occupancy[i] * len(stabiliser) > _FULL and not (sites.group[i] or "").startswith("-")
        if moved > _ROUNDING_ANGSTROM and not always_there:
            continue
        warnings = []
        if moved > _ROUNDING_ANGSTROM:
            warnings.append(
                f"{sites.labels[i]} lies {moved:.2f} Angstrom off a symmetry element that it is too occupied to avoid: "
                "moved onto it"
            )
        return stabiliser.tolist(), sites.fractional[i] + shift, warnings
    return [0], sites.fractional[i], []
