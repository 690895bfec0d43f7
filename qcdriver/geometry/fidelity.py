"""How well a relaxed structure keeps another, such as that of a crystal: RMSD, bond lengths by elements, contacts."""

from __future__ import annotations

import numpy as np

from qcdriver.geometry.bonds import METAL_SURE, bond_matrix, changed_contacts, is_metal, metal_atoms
from qcdriver.geometry.radii import covalent_radii
from qcdriver.geometry.superposition import superpose
from qcdriver.models.base import Frozen
from qcdriver.models.molecule import Molecule
from qcdriver.units import ANGSTROM


class BondLengths(Frozen):
    """The bonds of one kind in the reference, and how their lengths differ in the other structure, Angstrom.

    Attributes
    ----------
    elements
        The two elements, a metal first: ("Au", "S").
    n
        How many bonds there are.
    mean_angstrom
        Their mean length in the reference.
    difference_angstrom
        The mean of the differences, positive where bonds grow.
    largest_angstrom
        The difference of the bond that changed most, with its sign.
    """

    elements: tuple[str, str]
    n: int
    mean_angstrom: float
    difference_angstrom: float
    largest_angstrom: float

    @property
    def among_metals(self) -> bool:
        """Whether both are metals."""
        return is_metal(self.elements[1])


class Fidelity(Frozen):
    """How well a structure keeps a reference with the same atoms in the same order.

    Attributes
    ----------
    core_rmsd_angstrom
        Of the metal atoms, superposed; None where there are no three.
    heavy_rmsd_angstrom
        Of all atoms but hydrogen, superposed; None where there are no three.
    bonds
        Of metal to metal where the contact is closed (`bonds.METAL_SURE`), and of metal to another atom; not to
        hydrogen, which X-rays place badly.
    contacts_opened, contacts_formed
        Metal-metal contacts that are lost, and new ones, by the limits of `bonds.changed_contacts`.
    """

    core_rmsd_angstrom: float | None
    heavy_rmsd_angstrom: float | None
    bonds: tuple[BondLengths, ...]
    contacts_opened: int
    contacts_formed: int


def fidelity(reference: Molecule, molecule: Molecule) -> Fidelity:
    """Measure how well a structure keeps a reference.

    Raises
    ------
    ValueError
        They are not the same atoms in the same order.
    """
    if reference.symbols != molecule.symbols:
        raise ValueError("the two structures do not have the same atoms in the same order")
    opened, formed = changed_contacts(reference, molecule)
    heavy = tuple(atom for atom, symbol in enumerate(reference.symbols) if symbol != "H")
    return Fidelity(
        core_rmsd_angstrom=_rmsd(reference, molecule, metal_atoms(reference)),
        heavy_rmsd_angstrom=_rmsd(reference, molecule, heavy),
        bonds=_bonds(reference, molecule),
        contacts_opened=opened,
        contacts_formed=formed,
    )


def _rmsd(reference: Molecule, molecule: Molecule, atoms: tuple[int, ...]) -> float | None:
    if len(atoms) < 3:
        return None
    chosen = np.array(atoms)
    return superpose(reference.geometry[chosen], molecule.geometry[chosen]).rmsd * ANGSTROM


def _bonds(reference: Molecule, molecule: Molecule) -> tuple[BondLengths, ...]:
    of_kind: dict[tuple[str, str], list[tuple[int, int]]] = {}
    matrix = bond_matrix(reference).tocoo()
    radii = covalent_radii(reference.symbols)
    for i, j in zip(matrix.row, matrix.col, strict=True):
        if i > j:
            continue
        symbols = (reference.symbols[i], reference.symbols[j])
        first, second = sorted(symbols, key=lambda symbol: (not is_metal(symbol), symbol))
        apart = np.linalg.norm(reference.geometry[i] - reference.geometry[j])
        if is_metal(second) and apart > METAL_SURE * (radii[i] + radii[j]):
            continue
        if is_metal(first) and second != "H":
            of_kind.setdefault((first, second), []).append((int(i), int(j)))
    return tuple(_lengths(kind, np.array(pairs), reference, molecule) for kind, pairs in sorted(of_kind.items()))


def _lengths(kind: tuple[str, str], pairs: np.ndarray, reference: Molecule, molecule: Molecule) -> BondLengths:
    i, j = pairs.T
    before, after = (
        np.linalg.norm(structure.geometry[i] - structure.geometry[j], axis=1) * ANGSTROM
        for structure in (reference, molecule)
    )
    change = after - before
    return BondLengths(
        elements=kind,
        n=len(pairs),
        mean_angstrom=float(before.mean()),
        difference_angstrom=float(change.mean()),
        largest_angstrom=float(change[np.argmax(np.abs(change))]),
    )
