"""Find the pairs of atoms that are close to each other, across all cell walls, and which of them are bonds.

Bonds in a crystal are those of the Cambridge database: up to the sum of covalent radii (Cordero et al.,
doi:10.1039/b801115j) plus 0.4 Angstrom, metals included. The longer metal contacts that `bonds` counts inside a known
cluster are no bonds here: between clusters they would tie a molecular crystal into a polymer.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from qcdriver.geometry import radii
from qcdriver.geometry.bonds import COVALENT_SLACK_ANGSTROM, is_metal
from qcdriver.units import ANGSTROM

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qcdriver.io.cif.unit_cell import UnitCell

_BRIDGE_SLACK_ANGSTROM = 0.1  # a hydrogen halfway between two non-metals binds both; any other keeps the nearer
_BOXES_FOR_AN_ATOM = 8


@dataclass(frozen=True, eq=False)
class Pairs:
    """Pairs of atoms, each in both directions.

    Attributes
    ----------
    first, second
        Atom indices, (n,).
    shift
        The cell that the second atom sits in, seen from the first, (n, 3), integers.
    distance
        Angstrom, (n,).
    """

    first: np.ndarray
    second: np.ndarray
    shift: np.ndarray
    distance: np.ndarray

    def __len__(self) -> int:
        return len(self.first)

    def where(self, mask: np.ndarray) -> Pairs:
        """Return the pairs selected by a mask, (n,)."""
        return Pairs(self.first[mask], self.second[mask], self.shift[mask], self.distance[mask])

    def among(self, atoms: np.ndarray) -> Pairs:
        """Return the pairs between atoms selected by a mask, (natoms,)."""
        return self.where(atoms[self.first] & atoms[self.second])


def close_pairs(cell: UnitCell, reach_angstrom: np.ndarray) -> Pairs:
    """Find all pairs closer than the sum of their reaches ((natoms,), Angstrom); the time is linear in the atoms."""
    from ase import neighborlist

    # ASE's boxes cost time whether there is an atom in them or not; a long cell of few atoms has millions.
    first, second, distance, shift = neighborlist.primitive_neighbor_list(
        "ijdS",
        (True, True, True),
        cell.lattice,
        cell.fractional @ cell.lattice,
        reach_angstrom,
        max_nbins=_BOXES_FOR_AN_ATOM * len(cell) + 1,
    )
    return Pairs(first, second, shift, distance)


def share_neighbour(pairs: Pairs, bonded: Pairs) -> np.ndarray:
    """Return which pairs are bonded to one atom, (npairs,); `bonded` holds the bonds."""
    around: dict[int, set[tuple[int, int, int, int]]] = defaultdict(set)
    for a, b, (x, y, z) in zip(bonded.first.tolist(), bonded.second.tolist(), bonded.shift.tolist(), strict=True):
        around[a].add((b, x, y, z))
    shared = [
        not around[a].isdisjoint((c, u + x, v + y, w + z) for c, u, v, w in around[b])
        for a, b, (x, y, z) in zip(pairs.first.tolist(), pairs.second.tolist(), pairs.shift.tolist(), strict=True)
    ]
    return np.array(shared, dtype=bool)


def covalent_radii(symbols: Sequence[str] | np.ndarray) -> np.ndarray:
    """Return covalent radii, (n,), Angstrom."""
    return radii.covalent_radii(symbols) * ANGSTROM


def bond_reach(symbols: Sequence[str] | np.ndarray) -> np.ndarray:
    """Return half the range of a bond for each atom, (n,), Angstrom: closer than the sum of theirs, two are bonded."""
    return covalent_radii(symbols) + COVALENT_SLACK_ANGSTROM / 2


def bonds(pairs: Pairs, symbols: np.ndarray) -> Pairs:
    """Select the bonds.

    Hydrogen binds one non-metal, the nearest, or any number of metal and boron atoms; it binds hydrogen only in H2.
    """
    reach = bond_reach(symbols)
    found = pairs.where(pairs.distance < reach[pairs.first] + reach[pairs.second])
    return found.where(_hydrogens_have_one_bond(found, symbols))


def _hydrogens_have_one_bond(found: Pairs, symbols: np.ndarray) -> np.ndarray:
    metal = np.array([is_metal(s) or s == "B" for s in symbols])
    hydrogen = symbols == "H"
    light = ~metal & ~hydrogen

    nearest = np.full(len(symbols), np.inf)
    to_light = hydrogen[found.first] & light[found.second]
    np.minimum.at(nearest, found.first[to_light], found.distance[to_light])
    has_partner = np.zeros(len(symbols), dtype=bool)
    has_partner[found.first[~hydrogen[found.second]]] = True

    first_is_h, second_is_h = hydrogen[found.first], hydrogen[found.second]
    too_far = (first_is_h & light[found.second] & (found.distance > nearest[found.first] + _BRIDGE_SLACK_ANGSTROM)) | (
        second_is_h & light[found.first] & (found.distance > nearest[found.second] + _BRIDGE_SLACK_ANGSTROM)
    )
    both = first_is_h & second_is_h & (has_partner[found.first] | has_partner[found.second])
    fine: np.ndarray = ~(too_far | both)
    return fine
