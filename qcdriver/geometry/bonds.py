"""Find the bonds of a molecule, its fragments and ligands, and which bonds broke on relaxation.

Bonds come from distances and covalent radii (Cordero et al., doi:10.1039/b801115j). Neighbours are found with a k-d
tree, so the work grows linearly with the number of atoms.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from qcdriver.errors import InputError
from qcdriver.geometry.radii import covalent_radii
from qcdriver.models.molecule import Molecule
from qcdriver.models.verdicts import BondChange, BondChangeKind
from qcdriver.units import ANGSTROM

if TYPE_CHECKING:
    from scipy.sparse import csr_array

# fmt: off
_NONMETALS = frozenset((
    "H", "He", "B", "C", "N", "O", "F", "Ne", "Si", "P", "S", "Cl", "Ar",
    "Ge", "As", "Se", "Br", "Kr", "Sb", "Te", "I", "Xe", "At", "Rn",
))
# fmt: on

COVALENT_SLACK_ANGSTROM = 0.4
"""Two atoms, at least one no metal, are bonded up to the sum of their radii plus this (the CSD's own rule)."""
METAL_STRETCH = 1.25
"""Two metal atoms are bonded up to this times the sum of their radii: an icosahedron's edges, not its diagonals."""

# Between these two a metal-metal contact may come and go without a verdict: GFN1-xTB stretches shells by 3-4 %, and
# the contacts between the two icosahedra of a rod grow by 12 % on a turn of 36 deg.
METAL_SURE = 1.15
"""A contact of two metal atoms is closed up to this times the sum of their radii."""
METAL_LOST = 1.40
"""A contact of two metal atoms is open beyond this times the sum of their radii (Ag-Ag 4.06, Au-Au 3.81 Angstrom)."""
_METAL_APART = 1.60
_BONDS_TO_LOSE = 1 / 3
"""A metal atom that loses more than this part of its metal bonds has left its place, where ligands hold the core.

A bare cluster, or one with hydrides and halides alone, has no such places: its atoms may change their neighbours.
"""
_LIGAND_LOST = 1.30
"""A metal-ligand bond is lost beyond this times the sum of radii (Au-P 3.16, Ag-Cl 3.21 Angstrom)."""


def is_metal(symbol: str) -> bool:
    """Return whether an element counts as a metal here (metalloids do not)."""
    return symbol not in _NONMETALS


def metal_atoms(molecule: Molecule) -> tuple[int, ...]:
    """List the metal atoms, ascending."""
    return tuple(atom for atom, symbol in enumerate(molecule.symbols) if is_metal(symbol))


def bond_matrix(molecule: Molecule) -> csr_array:
    """Find all bonds.

    Returns
    -------
    scipy.sparse.csr_array
        Symmetric, boolean, (natoms, natoms).
    """
    from scipy.sparse import coo_array

    metal = _metals(molecule)
    first, second, distance, radii = _close_pairs(molecule, METAL_STRETCH)
    limit = np.where(metal[first] & metal[second], METAL_STRETCH * radii, radii + COVALENT_SLACK_ANGSTROM / ANGSTROM)
    bonded = distance <= limit
    i, j = first[bonded], second[bonded]
    n = len(molecule.symbols)
    ones = np.ones(2 * len(i), dtype=bool)
    return coo_array((ones, (np.r_[i, j], np.r_[j, i])), shape=(n, n)).tocsr()


def components(matrix: csr_array) -> list[tuple[int, ...]]:
    """List the connected parts of a bond graph: atoms in ascending order, parts by their first atom."""
    from scipy.sparse.csgraph import connected_components

    count, label = connected_components(matrix, directed=False)
    order = np.argsort(label, kind="stable")
    parts = np.split(order, np.flatnonzero(np.diff(label[order])) + 1) if count else []
    return sorted(tuple(int(atom) for atom in part) for part in parts)


def fragments(molecule: Molecule) -> list[tuple[int, ...]]:
    """List the molecules in a geometry: atoms connected by bonds, metal-ligand bonds included."""
    return components(bond_matrix(molecule))


def ligands(molecule: Molecule) -> list[tuple[int, ...]]:
    """List what remains connected once every bond to a metal is cut, the metal atoms left out."""
    metal = _metals(molecule)
    return [part for part in components(_nonmetal_bonds(molecule)) if not metal[part[0]]]


def broken(reference: Molecule, molecule: Molecule, metal_bonds_to_lose: float | None = None) -> BondChange | None:
    """Find what fell apart or rearranged between a model and its relaxed structure.

    Looked at, in this order: the bonds inside ligands; the donor atoms (one that bound a single metal must keep it,
    one that bridged must keep some metal); halides and hydrides, which may wander but must bind a metal; the metal
    skeleton. How many metals a halide binds is free to change.

    Parameters
    ----------
    reference, molecule
        The same atoms in the same order.
    metal_bonds_to_lose
        The part of its metal bonds that a metal atom may lose, 0 to 1. At 1 the metal may rearrange as long as it stays
        in one piece. None: a third, or 1 for a cluster without a ligand of several atoms.

    Returns
    -------
    BondChange | None
        The first change found, None when all held.

    Raises
    ------
    InputError
        The two do not list the same atoms in the same order.
    """
    if reference.symbols != molecule.symbols:
        raise InputError(
            f"bonds of {reference.formula} and {molecule.formula} cannot be compared: "
            "the same atoms in the same order are needed"
        )
    return (
        _changed_ligand(reference, molecule)
        or _lost_donor(reference, molecule)
        or _changed_skeleton(reference, molecule, metal_bonds_to_lose)
    )


def scaled_distances(molecule: Molecule, pairs: np.ndarray) -> np.ndarray:
    """Measure distances of atom pairs, (n, 2), in units of the sums of their covalent radii, (n,)."""
    radius = covalent_radii(molecule.symbols)
    i, j = pairs.T
    distance = np.linalg.norm(molecule.geometry[i] - molecule.geometry[j], axis=1)
    scaled: np.ndarray = distance / (radius[i] + radius[j])
    return scaled


def _changed_ligand(reference: Molecule, molecule: Molecule) -> BondChange | None:
    before, after = _nonmetal_bonds(reference), _nonmetal_bonds(molecule)
    broken_pairs, formed_pairs = (np.argwhere(np.triu(lost.toarray())) for lost in (before > after, after > before))
    if len(broken_pairs):
        return _change("ligand_broken", len(broken_pairs), reference, broken_pairs[0])
    if len(formed_pairs):
        return _change("ligand_formed", len(formed_pairs), reference, formed_pairs[0])
    return None


def _lost_donor(reference: Molecule, molecule: Molecule) -> BondChange | None:
    metal = _metals(reference)
    graph = bond_matrix(reference)
    now = molecule.geometry
    radius = covalent_radii(molecule.symbols)
    for ligand in ligands(reference):
        bound = {a: [m for m in _neighbours(graph, a) if metal[m]] for a in ligand}
        for atom, partners in bound.items():
            if not partners:
                continue
            may_wander = len(ligand) == 1 or len(partners) > 1
            allowed = np.flatnonzero(metal) if may_wander else np.array(partners)
            distance = np.linalg.norm(now[allowed] - now[atom], axis=1)
            if (distance > _LIGAND_LOST * (radius[allowed] + radius[atom])).all():
                return _change("donor_lost", len(partners), reference, [atom] if may_wander else [atom, partners[0]])
    return None


def opened(reference: Molecule, molecule: Molecule) -> BondChange | None:
    """Find which metal-metal bonds of a model are open in its relaxed structure; None when none is.

    An open edge is no broken core (`broken` looks at whole atoms), but worth knowing: GFN1-xTB opens an edge of each
    gold ring of the rod with PH3.
    """
    core, lost, _ = _metal_bonds(reference, molecule)
    pairs = np.argwhere(np.triu(lost))
    if not len(pairs):
        return None
    return _change("skeleton_opened", len(pairs), reference, core[pairs[0]])


def changed_contacts(reference: Molecule, molecule: Molecule) -> tuple[int, int]:
    """Count the metal-metal contacts that are open, and those that are new, against a reference of the same atoms."""
    _, lost, formed = _metal_bonds(reference, molecule)
    return int(np.triu(lost).sum()), int(np.triu(formed).sum())


def _changed_skeleton(reference: Molecule, molecule: Molecule, to_lose: float | None) -> BondChange | None:
    """Find a metal atom that lost more than its part of the metal bonds, or two that have newly bonded.

    Where all bonds may be lost: a metal skeleton that is in more pieces than before.
    """
    if to_lose is None:
        to_lose = _BONDS_TO_LOSE if any(len(ligand) > 1 for ligand in ligands(reference)) else 1.0
    if to_lose >= 1.0:
        return _split_skeleton(reference, molecule)
    core, lost, formed = _metal_bonds(reference, molecule)
    before = bond_matrix(reference)[core][:, core].sum(axis=1)
    for atom, count, had in zip(core, lost.sum(axis=1), before, strict=True):
        if count > to_lose * had:
            return _change("skeleton_lost", int(count), reference, [atom], of=int(had))
    pairs = np.argwhere(np.triu(formed))
    if len(pairs):
        return _change("skeleton_formed", len(pairs), reference, core[pairs[0]])
    return None


def _split_skeleton(reference: Molecule, molecule: Molecule) -> BondChange | None:
    before, after = (_skeleton_pieces(structure) for structure in (reference, molecule))
    if len(after) <= len(before):
        return None
    return _change("skeleton_split", len(after), reference, min(after, key=len)[:1], of=len(before))


def _skeleton_pieces(molecule: Molecule) -> list[list[int]]:
    """List the pieces of the metal skeleton, whose bonds are lost beyond `METAL_LOST`; hydrides and halides bridge."""
    from scipy.sparse import coo_array

    i, j, distance, sums = _close_pairs(molecule, METAL_LOST)
    metal = _metals(molecule)
    bound = (metal[i] & metal[j] & (distance <= METAL_LOST * sums)) | (
        (metal[i] != metal[j]) & (distance <= _LIGAND_LOST * sums)
    )
    count = len(molecule.symbols)
    graph = coo_array((np.ones(int(bound.sum())), (i[bound], j[bound])), shape=(count, count)).tocsr()
    return [metals for part in components(graph + graph.T) if (metals := [atom for atom in part if metal[atom]])]


def _metal_bonds(reference: Molecule, molecule: Molecule) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the n metal atoms, and which pairs of them lost or formed a bond, (n, n) symmetric."""
    core = np.flatnonzero(_metals(reference))
    radii = covalent_radii(reference.symbols)[core]
    sums = radii[:, None] + radii
    before, after = (
        np.linalg.norm(structure.geometry[core][:, None] - structure.geometry[core], axis=-1) / sums
        for structure in (reference, molecule)
    )
    np.fill_diagonal(before, np.inf)
    np.fill_diagonal(after, np.inf)
    lost = (before <= METAL_SURE) & (after > METAL_LOST)
    formed = (before > _METAL_APART) & (after <= METAL_SURE)
    np.fill_diagonal(lost, val=False)
    return core, lost, formed


def _change(
    change: BondChangeKind, count: int, molecule: Molecule, atoms: Sequence[int], of: int | None = None
) -> BondChange:
    indices = tuple(int(atom) for atom in atoms)
    symbols = tuple(molecule.symbols[atom] for atom in indices)
    return BondChange(change=change, count=count, of=of, atoms=indices, symbols=symbols)


def _metals(molecule: Molecule) -> np.ndarray:
    return np.array([is_metal(symbol) for symbol in molecule.symbols])


def _close_pairs(molecule: Molecule, stretch: float) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return the pairs that could be bonded: atoms i < j, their distance and the sum of their radii, bohr."""
    from scipy.spatial import cKDTree

    radius = covalent_radii(molecule.symbols)
    reach = 2 * radius.max() * stretch + COVALENT_SLACK_ANGSTROM / ANGSTROM
    pairs = cKDTree(molecule.geometry).query_pairs(reach, output_type="ndarray")
    i, j = pairs.T
    distance = np.linalg.norm(molecule.geometry[i] - molecule.geometry[j], axis=1)
    return i, j, distance, radius[i] + radius[j]


def _nonmetal_bonds(molecule: Molecule) -> csr_array:
    from scipy.sparse import diags_array

    keep = diags_array((~_metals(molecule)).astype(float))
    return ((keep @ bond_matrix(molecule) @ keep) != 0).tocsr()


def _neighbours(graph: csr_array, atom: int) -> list[int]:
    return [int(k) for k in graph.indices[graph.indptr[atom] : graph.indptr[atom + 1]]]
