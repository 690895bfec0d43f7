"""Find the pairs of partly occupied atoms that cannot both be there.

Where a file flags its alternatives, the flags decide. Where it does not, distances and occupancies do. These exclude
each other: atoms that overlap; atoms at bonding distance whose different occupancies add up to one; unconnected atoms
far closer than their van der Waals radii; single atoms of one element that are together there at most once; and, among
atoms that overlap others anyway, atoms at a distance that is neither a bond nor that of two atoms bonded to a third.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from qcdriver.geometry.bonds import is_metal
from qcdriver.io.cif.neighbours import Pairs, bond_reach, covalent_radii, share_neighbour
from qcdriver.io.cif.unflagged import LINKED, sort_alternatives

if TYPE_CHECKING:
    from qcdriver.io.cif.species import Species
    from qcdriver.io.cif.unit_cell import UnitCell

SUM_TOLERANCE = 0.03
_FULL = 0.99
_OVERLAP = 0.70
"""Atoms closer than this times the sum of their radii are not both there (C-C 1.06, C-H 0.75 Angstrom)."""
_OVERLAP_ANGSTROM = {"H": 1.2, "F": 1.7, "O": 1.25, "Cl": 2.2}
"""Two of a kind on one atom are farther apart than this, two alternatives of one are mostly nearer."""
_CLEAR_OVERLAP = 0.9
"""Times the distance above: closer than this they overlap even if the occupancies ask for both."""
_ON_TOP = 0.60
_BETWEEN, _BETWEEN_HYDROGEN = (1.22, 1.36), (1.25, 1.60)
"""Times the sum of radii: neither a bond (C-C 1.85, C-H 1.33 Angstrom) nor the ends of an angle (2.07, 1.71)."""
_CONTACT = 0.75
"""Unconnected atoms exclude each other up to this times the van der Waals sum; no hydrogen bond is so short."""
_WHOLE_GROUP = 0.75
"""Sites there less often than this share of their group have places of their own: methyl H at a third of it."""


@dataclass(frozen=True, eq=False)
class Exclusions:
    """Pairs of atoms that cannot both be there.

    Attributes
    ----------
    always
        Those that cannot at all.
    slight
        Those of `always` that overlap so little that they may be there where the occupancies ask for both.
    images
        Those that cannot if they belong to two images of one fragment.
    contacts
        Pairs of a group about a symmetry element, close enough to be of one fragment.
    kind
        Sites of one kind may be there together, (nsites,): those of one group, unflagged ones of one occupancy.
    """

    always: Pairs
    slight: Pairs
    images: Pairs
    contacts: Pairs
    kind: np.ndarray


def partly_there(cell: UnitCell) -> np.ndarray:
    """Return which sites are not always there, or have alternatives, (nsites,)."""
    flagged = np.array([group is not None for group in cell.sites.group])
    partial: np.ndarray = flagged | (cell.sites.occupancy < _FULL)
    return partial


def reach_of_overlaps(cell: UnitCell) -> np.ndarray:
    """Half-range in which partly occupied atoms may exclude each other, (natoms,), Angstrom; 0 for the others."""
    reach: np.ndarray = np.where(partly_there(cell), _CONTACT * _van_der_waals_radii(cell), 0.0)[cell.site]
    return reach


def find_exclusions(
    cell: UnitCell, pairs: Pairs, partial: np.ndarray, assembly: np.ndarray, share: np.ndarray, species: Species
) -> Exclusions:
    """Find the pairs that exclude each other.

    Parameters
    ----------
    pairs
        Pairs within bonding reach and `reach_of_overlaps`, of the groups that were chosen.
    partial
        From `partly_there`.
    assembly
        Number of the disorder assembly of each site, -1 for none, (nsites,).
    share
        How often a site is there when its group is, (nsites,).
    species
        The molecules that are likely.
    """
    sites = cell.sites
    flagged = assembly >= 0
    whole = share > _WHOLE_GROUP
    names = [
        f"group {assembly[i]}{'' if whole[i] else f' {share[i]:.1f}'}" if flagged[i] else f"{sites.occupancy[i]:.2f}"
        for i in range(len(sites))
    ]
    kind = np.unique(names, return_inverse=True)[1]
    i, j = cell.site[pairs.first], cell.site[pairs.second]
    same_kind = kind[i] == kind[j]
    unflagged = ~flagged[i] & ~flagged[j]
    as_listed = (cell.operator[pairs.first] == cell.operator[pairs.second]) & (pairs.shift == 0).all(axis=1)
    together = sites.occupancy[i] + sites.occupancy[j]
    one_group = flagged[i] & (assembly[i] == assembly[j]) & as_listed
    both = partial[i] & partial[j] & (together < 1 + SUM_TOLERANCE) & ~one_group

    symbols = np.array(sites.symbols)
    radii = covalent_radii(sites.symbols)
    ratio = pairs.distance / (radii[i] + radii[j])
    overlap = ratio < _OVERLAP
    slight = np.zeros(len(pairs), dtype=bool)
    for symbol, distance in _OVERLAP_ANGSTROM.items():
        near = unflagged & (symbols[i] == symbol) & (symbols[j] == symbol) & (pairs.distance < distance)
        slight |= near & ~overlap & (pairs.distance > _CLEAR_OVERLAP * distance)
        overlap |= near
    reach = bond_reach(sites.symbols)
    bonded = pairs.distance < reach[i] + reach[j]
    differ = np.abs(sites.occupancy[i] - sites.occupancy[j]) > SUM_TOLERANCE
    complementary = unflagged & bonded & differ & (np.abs(together - 1) < SUM_TOLERANCE)

    between = _neither_bond_nor_angle(symbols, i, j, ratio)
    unclear = both & unflagged & same_kind & as_listed
    hung = np.zeros(len(sites), dtype=bool)
    hung[i[bonded & partial[i] & ~partial[j]]] = True
    kind = _sorted_kinds(cell, kind, pairs.where(unclear), ratio[unclear], overlap[unclear], between[unclear], hung)
    sorted_apart = unclear & (kind[i] != kind[j]) & (overlap | bonded)

    on_top = (partial[i] != partial[j]) & (ratio < _ON_TOP)
    about_element = np.array([(group or "").startswith("-") for group in sites.group])
    single = _single_atoms(cell, pairs, both & unflagged & bonded, pairs.where(bonded), partial, species)
    too_near = _unconnected_contacts(cell, pairs, both & unflagged & ~bonded, pairs.where(bonded))
    never = (both & (overlap | complementary | too_near)) | single | sorted_apart | on_top
    return Exclusions(
        always=pairs.where(never),
        slight=pairs.where(never & slight & ~complementary & ~sorted_apart),
        images=pairs.where(same_kind & (about_element[i] | (both & unflagged & between & ~as_listed))),
        contacts=pairs.where(same_kind & about_element[i]),
        kind=kind,
    )


def _van_der_waals_radii(cell: UnitCell) -> np.ndarray:
    """Radii of the sites, (nsites,), Angstrom."""
    import gemmi

    return np.array([gemmi.Element(symbol).vdw_r for symbol in cell.sites.symbols])


def _unconnected_contacts(cell: UnitCell, pairs: Pairs, candidates: np.ndarray, bonded: Pairs) -> np.ndarray:
    """Return which candidates are too close for two molecules, and share no neighbour that explains it, (npairs,)."""
    i, j = cell.site[pairs.first], cell.site[pairs.second]
    radii = _van_der_waals_radii(cell)
    ordinary = np.array([symbol != "H" and not is_metal(symbol) for symbol in cell.sites.symbols])
    found: np.ndarray = candidates & ordinary[i] & ordinary[j] & (pairs.distance < _CONTACT * (radii[i] + radii[j]))
    found[found] = ~share_neighbour(pairs.where(found), bonded)
    return found


def _single_atoms(
    cell: UnitCell,
    pairs: Pairs,
    candidates: np.ndarray,
    bonded: Pairs,
    partial: np.ndarray,
    species: Species,
) -> np.ndarray:
    """Return which bonded pairs are two places of a single atom, (npairs,).

    These are atoms of one element bonded to nothing else, together there at most once, of which one alone is a likely
    molecule or ion, and all of them are not: two half water oxygens, for example.
    """
    found = np.zeros(len(pairs), dtype=bool)
    neighbours: dict[int, list[int]] = defaultdict(list)
    for a, b in zip(bonded.first.tolist(), bonded.second.tolist(), strict=True):
        neighbours[a].append(b)
    symbols, occupancy = cell.symbols, cell.sites.occupancy[cell.site]
    for number in np.flatnonzero(candidates & (symbols[pairs.first] == symbols[pairs.second])).tolist():
        first = int(pairs.first[number])
        crowd, queue = {first}, [first]
        for atom in queue:
            for other in neighbours[atom]:
                if other not in crowd:
                    crowd.add(other)
                    queue.append(other)
            if len(crowd) > 1 / occupancy[first] + 1:
                break
        members = list(crowd)
        alone = Counter([str(symbols[first])])
        found[number] = bool(
            partial[cell.site[members]].all()
            and (symbols[members] == symbols[first]).all()
            and occupancy[members].sum() < 1 + SUM_TOLERANCE
            and species.likelihood(alone) > species.likelihood(Counter(symbols[members].tolist()))
        )
    return found


def _sorted_kinds(
    cell: UnitCell,
    kind: np.ndarray,
    pairs: Pairs,
    ratio: np.ndarray,
    overlap: np.ndarray,
    between: np.ndarray,
    hung: np.ndarray,
) -> np.ndarray:
    """Split kinds of unflagged sites where sites of one kind overlap, (nsites,)."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    first, second = cell.site[pairs.first], cell.site[pairs.second]
    n = len(cell.sites)
    linked = overlap | (ratio < LINKED)
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
            hung[members],
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
