"""Find what all conformers of a molecule share: metals, ligands, donor atoms and the bonds that define it.

Two structures are conformers of each other when these bonds are the same: the covalent bonds inside ligands, and those
between a metal and a donor atom (P, S, N, C, ...). Metal-metal contacts and those of hydrides and halides are soft
(Cu-Cu beyond 2.9 Angstrom, Ag-Cl, bridging H): they come and go between conformers, so they are measured, not required.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from qcdriver.geometry.bonds import bond_matrix, components, metal_atoms, scaled_distances
from qcdriver.models.molecule import Molecule

HALIDES = frozenset(("F", "Cl", "Br", "I"))
DONOR_LOST = 1.30
"""A donor's bond is gone beyond this times the sum of covalent radii (Cu-S 3.08, Cu-P 3.11, Au-P 3.16 Angstrom)."""
_BRIDGES = 3
"""A donor bound to this many metals may lose the farthest."""
_ROUNDS = 16
"""How many bonds away from an atom its class depends on: more than any ligand here is long."""


@dataclass(frozen=True)
class Topology:
    """Bonds that define a molecule; atoms count from 0.

    Attributes
    ----------
    metals
        Metal atoms, ascending.
    ligands
        Connected parts without the metals, their atoms ascending.
    donors
        Ligand atoms bound to a metal, with which the donor bonds are made: no hydrides, no halides.
    wanderers
        Hydrides and halides, the one-atom ligands, which may sit elsewhere in another conformer.
    neighbours
        Covalent bonds inside ligands, one tuple an atom.
    donor_bonds
        (metal, donor) pairs.
    classes
        One integer an atom, (natoms,), the same for two atoms of any two molecules that have the same element and the
        same covalent surroundings (Weisfeiler-Lehman colours of the ligands).
    """

    metals: tuple[int, ...]
    ligands: tuple[tuple[int, ...], ...]
    donors: tuple[int, ...]
    wanderers: tuple[int, ...]
    neighbours: tuple[tuple[int, ...], ...]
    donor_bonds: tuple[tuple[int, int], ...]
    classes: np.ndarray

    @property
    def skeleton(self) -> tuple[int, ...]:
        """Metals and donors, ascending: the atoms that keep their partners in every conformer."""
        return tuple(sorted(self.metals + self.donors))

    @property
    def core(self) -> tuple[int, ...]:
        """Metals, donors, hydrides and halides, ascending; in a molecule without metal, every atom."""
        if not self.metals:
            return tuple(range(len(self.classes)))
        return tuple(sorted(self.metals + self.donors + self.wanderers))


def find_topology(molecule: Molecule) -> Topology:
    """Find the bonds that all conformers of a molecule share."""
    bonds = bond_matrix(molecule)
    metals = metal_atoms(molecule)
    metal = np.zeros(len(molecule.symbols), dtype=bool)
    metal[list(metals)] = True
    bonded = [bonds.indices[bonds.indptr[i] : bonds.indptr[i + 1]] for i in range(len(metal))]
    neighbours = tuple(
        () if metal[i] else tuple(sorted(int(j) for j in near if not metal[j])) for i, near in enumerate(bonded)
    )
    keep = np.flatnonzero(~metal)
    ligands = tuple(tuple(int(keep[i]) for i in part) for part in components(bonds[keep][:, keep]))
    wanderers = tuple(part[0] for part in ligands if len(part) == 1 and _wanders(molecule.symbols[part[0]]))
    donors = tuple(int(i) for i in keep if metal[bonded[i]].any() and int(i) not in wanderers)
    return Topology(
        metals=metals,
        ligands=ligands,
        donors=donors,
        wanderers=wanderers,
        neighbours=neighbours,
        donor_bonds=tuple((int(m), i) for i in donors for m in sorted(bonded[i]) if metal[m]),
        classes=_classes(molecule.numbers, neighbours),
    )


def stereocentres(topology: Topology) -> list[int]:
    """List the atoms with four different neighbours, one of them a metal at most.

    With one of them, a molecule and its mirror image are two molecules; with more they may be one (a meso compound).
    """
    metals = Counter(donor for _, donor in topology.donor_bonds)
    return [
        atom
        for atom, near in enumerate(topology.neighbours)
        if len(near) + metals[atom] == 4
        and len({int(topology.classes[neighbour]) for neighbour in near}) == len(near) >= 3
    ]


def lost_donor_bonds(topology: Topology, owner: Molecule, other: Molecule, order: np.ndarray) -> list[tuple[int, int]]:
    """List the donor bonds of one structure that are gone in another, where that makes it another molecule.

    A donor on one or two metals must keep them. One on three or more may let go of the farthest: a thiolate on an
    edge leans on the metal to its left in one conformer and to its right in the next.

    Parameters
    ----------
    topology, owner
        The structure that has the bonds.
    other
        The other structure.
    order
        Atom of `other` that corresponds to each atom of `owner`, (natoms,).

    Returns
    -------
    (metal, donor) pairs, in the numbering of `owner`.
    """
    if not topology.donor_bonds:
        return []
    pairs = np.array(topology.donor_bonds)
    length, stretched = scaled_distances(owner, pairs), scaled_distances(other, order[pairs])
    lost = []
    for donor in topology.donors:
        own = np.flatnonzero(pairs[:, 1] == donor)
        may_go = {int(own[np.argmax(length[own])])} if len(own) >= _BRIDGES else set()
        lost += [int(k) for k in own if stretched[k] > DONOR_LOST and k not in may_go]
    return [(int(metal), int(donor)) for metal, donor in pairs[lost]]


def _wanders(symbol: str) -> bool:
    return symbol == "H" or symbol in HALIDES


def _classes(numbers: np.ndarray, neighbours: tuple[tuple[int, ...], ...]) -> np.ndarray:
    # Hashes of tuples of integers do not change from one process to the next.
    colours = [int(number) for number in numbers]
    for _ in range(_ROUNDS):
        colours = [hash((colours[i], *sorted(colours[j] for j in near))) for i, near in enumerate(neighbours)]
    return np.array(colours)
