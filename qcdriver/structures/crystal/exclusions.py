"""Pairs of partly occupied atoms in, which of them cannot both be there out.

Where a file flags its alternatives, the flags decide; where it does not, distances and occupancies do: atoms that
overlap, atoms at bonding distance whose different occupancies add up to one, and, among atoms that overlap others
anyway, atoms at a distance that is neither a bond nor that of two atoms bonded to a third.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from qcdriver.structures.bonds import is_metal
from qcdriver.structures.crystal.neighbours import Pairs, bond_reach, covalent_radii
from qcdriver.structures.crystal.unflagged import sort_alternatives

if TYPE_CHECKING:
    from qcdriver.structures.crystal.unit_cell import UnitCell

SUM_TOLERANCE = 0.03
_FULL = 0.99
_OVERLAP = 0.70
"""Atoms closer than this times the sum of their radii are not both there (C-C 1.06, C-H 0.75 Angstrom)."""
_OVERLAP_ANGSTROM = {"H": 1.2, "F": 1.7, "O": 1.25, "Cl": 2.2}
"""Two of a kind on one atom are farther apart than this, two alternatives of one are mostly nearer."""
_ON_TOP = 0.60
_BETWEEN, _BETWEEN_HYDROGEN = (1.22, 1.36), (1.25, 1.60)
"""Times the sum of radii: neither a bond (C-C 1.85, C-H 1.33 Angstrom) nor the ends of an angle (2.07, 1.71)."""
_LINKED = 1.26  # a bond at its longest, C-C 1.92 Angstrom
_CONTACT = 0.75
"""Images of a fragment about a symmetry element exclude each other up to this times the van der Waals sum."""


@dataclass(frozen=True, eq=False)
class Exclusions:
    """Pairs of atoms that cannot both be there.

    `always`: those that cannot at all. `images`: those that cannot if they belong to two images of one fragment.
    `contacts`: pairs of a group about a symmetry element, close enough to be of one fragment. `kind`: sites of one
    kind may be there together, (nsites,): those of one group, unflagged ones of one occupancy.
    """

    always: Pairs
    images: Pairs
    contacts: Pairs
    kind: np.ndarray


def partly_there(cell: UnitCell) -> np.ndarray:
    """Tell which sites are not always there, or have alternatives, (nsites,)."""
    flagged = np.array([group is not None for group in cell.sites.group])
    partial: np.ndarray = flagged | (cell.sites.occupancy < _FULL)
    return partial


def occupancy_of_place(cell: UnitCell) -> np.ndarray:
    """Give how often each place is taken, (nsites,): 1/order on a symmetry element of that order is meant as always.

    Some programs write it so; and the images of an atom of a disordered molecule meet there.
    """
    occupancy = cell.sites.occupancy
    order = len(cell.group) / np.array([len(np.unique(row)) for row in cell.image])
    shared = (order > 1) & (np.abs(occupancy * order - 1) < 0.02)
    result: np.ndarray = np.where(shared, 1.0, occupancy)
    return result


def reach_of_overlaps(cell: UnitCell) -> np.ndarray:
    """Half-range in which partly occupied atoms may exclude each other, (natoms,), Angstrom; 0 for the others."""
    import gemmi

    reach = np.array([_CONTACT * gemmi.Element(symbol).vdw_r for symbol in cell.sites.symbols])
    result: np.ndarray = np.where(partly_there(cell), reach, 0.0)[cell.site]
    return result


def find_exclusions(cell: UnitCell, pairs: Pairs, partial: np.ndarray) -> Exclusions:
    """Find what excludes what.

    Parameters
    ----------
    pairs
        Pairs within bonding reach and `reach_of_overlaps`, of the groups that were chosen.
    partial
        From `partly_there`.
    """
    sites = cell.sites
    flagged = np.array([group is not None for group in sites.group])
    names = [
        f"{sites.assembly[i]} {sites.group[i]}" if flagged[i] else f"{sites.occupancy[i]:.2f}"
        for i in range(len(sites))
    ]
    kind = np.unique(names, return_inverse=True)[1]
    i, j = cell.site[pairs.first], cell.site[pairs.second]
    same_kind = kind[i] == kind[j]
    unflagged = ~flagged[i] & ~flagged[j]
    as_listed = (cell.operator[pairs.first] == cell.operator[pairs.second]) & (pairs.shift == 0).all(axis=1)
    together = sites.occupancy[i] + sites.occupancy[j]
    both = partial[i] & partial[j] & (together < 1 + SUM_TOLERANCE) & ~(flagged[i] & same_kind & as_listed)

    symbols = np.array(sites.symbols)
    radii = covalent_radii(sites.symbols)
    ratio = pairs.distance / (radii[i] + radii[j])
    overlap = ratio < _OVERLAP
    for symbol, distance in _OVERLAP_ANGSTROM.items():
        overlap |= unflagged & (symbols[i] == symbol) & (symbols[j] == symbol) & (pairs.distance < distance)
    reach = bond_reach(sites.symbols)
    bonded = pairs.distance < reach[i] + reach[j]
    differ = np.abs(sites.occupancy[i] - sites.occupancy[j]) > SUM_TOLERANCE
    complementary = unflagged & bonded & differ & (np.abs(together - 1) < SUM_TOLERANCE)

    between = _neither_bond_nor_angle(symbols, i, j, ratio)
    unclear = both & unflagged & same_kind & as_listed
    kind = _sorted_kinds(cell, kind, pairs.where(unclear), ratio[unclear], overlap[unclear], between[unclear])
    sorted_apart = unclear & (kind[i] != kind[j]) & (overlap | bonded)

    on_top = (partial[i] != partial[j]) & (ratio < _ON_TOP)
    about_element = np.array([(group or "").startswith("-") for group in sites.group])
    return Exclusions(
        always=pairs.where((both & (overlap | complementary)) | sorted_apart | on_top),
        images=pairs.where(same_kind & (about_element[i] | (both & unflagged & between & ~as_listed))),
        contacts=pairs.where(same_kind & about_element[i]),
        kind=kind,
    )


def _sorted_kinds(
    cell: UnitCell, kind: np.ndarray, pairs: Pairs, ratio: np.ndarray, overlap: np.ndarray, between: np.ndarray
) -> np.ndarray:
    """Split kinds of unflagged sites where sites of one kind overlap, (nsites,)."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    first, second = cell.site[pairs.first], cell.site[pairs.second]
    n = len(cell.sites)
    linked = overlap | (ratio < _LINKED)
    graph = coo_array((np.ones(linked.sum()), (first[linked], second[linked])), shape=(n, n))
    _, label = connected_components(graph, directed=False)
    split = kind.copy()
    for crowd in np.unique(label[first[overlap]]):
        members = np.flatnonzero(label == crowd)
        mine = np.isin(first, members) & np.isin(second, members)
        numbers = sort_alternatives(
            np.array(cell.sites.symbols)[members],
            round(1 / float(cell.sites.occupancy[members].mean())),
            np.searchsorted(members, first[mine]),
            np.searchsorted(members, second[mine]),
            ratio[mine],
            overlap[mine],
            between[mine],
        )
        # New kinds after all there are.
        split[members] = np.where(numbers == 0, kind[members], split.max() + numbers)
    return split


def _neither_bond_nor_angle(symbols: np.ndarray, i: np.ndarray, j: np.ndarray, ratio: np.ndarray) -> np.ndarray:
    metal = np.array([is_metal(symbol) for symbol in symbols])
    hydrogen = symbols == "H"
    one_hydrogen = hydrogen[i] != hydrogen[j]
    heavy = ~hydrogen[i] & ~hydrogen[j]
    between = (heavy & (ratio > _BETWEEN[0]) & (ratio < _BETWEEN[1])) | (
        one_hydrogen & (ratio > _BETWEEN_HYDROGEN[0]) & (ratio < _BETWEEN_HYDROGEN[1])
    )
    result: np.ndarray = between & ~metal[i] & ~metal[j]
    return result
