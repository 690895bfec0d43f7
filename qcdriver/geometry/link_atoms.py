"""A molecule whose ligands are cut -> the smaller model, wherever the atoms go, and its gradient back on the whole.

Caps stand on fixed fractions of the bonds that were cut, so that they move with the two atoms of the bond and add no
coordinate; a gradient on a cap goes to these atoms by the chain rule (Dapprich et al.,
doi:10.1016/S0166-1280(98)00475-8). A fraction is the ratio of two bond lengths from tables, to the cap and to what it
takes the place of, and is the same for every bond of a kind.

The surface of the model is smooth, and energies of conformers are comparable, only if nothing about it follows from
contacts that come and go: 2 of 25 relaxed structures of Cu14 have a hydrogen so near a copper that the ligand would
stay whole. So covalent bonds alone decide what is cut (`find_cut`), and how a methyl group is turned.
"""

from __future__ import annotations

import numpy as np

from qcdriver.errors import InputError
from qcdriver.geometry.bonds import bond_matrix, components, is_metal
from qcdriver.geometry.radii import covalent_radii
from qcdriver.geometry.truncate import CAP_ANGSTROM, CAP_SYMBOLS, METHYL_CH_ANGSTROM, Cut, CutBond, cap_angstrom
from qcdriver.models.base import ATOMIC_NUMBER
from qcdriver.models.molecule import Molecule
from qcdriver.units import ANGSTROM

_COMPLEX_STEP = 1e-30
"""A derivative by an imaginary displacement loses no digits (Squire and Trapp, doi:10.1137/S003614459631241X)."""


class LinkedModel:
    """The model that a cut leaves of a molecule.

    Attributes
    ----------
    molecule
        The model at the geometry of the molecule that was cut; kept atoms first, in their order.

    Raises
    ------
    InputError
        A bond that is cut is no single bond between two neutral parts.
    """

    def __init__(self, molecule: Molecule, cut: Cut) -> None:
        _refuse_dangling(molecule, cut)
        self._kept = list(cut.kept)
        self._caps = [_Cap(molecule, bond) for bond in cut.bonds]
        self._n_whole = len(molecule.symbols)
        self.molecule = Molecule(
            symbols=(
                *(molecule.symbols[atom] for atom in cut.kept),
                *(symbol for bond in cut.bonds for symbol in CAP_SYMBOLS[bond.cap]),
            ),
            geometry=self.geometry(molecule.geometry),
            molecular_charge=molecule.molecular_charge,
            molecular_multiplicity=molecule.molecular_multiplicity,
        )

    def geometry(self, whole: np.ndarray) -> np.ndarray:
        """Return the positions of the model, (n, 3), for those of the whole molecule, (natoms, 3); bohr."""
        return np.concatenate([whole[self._kept], *(cap.places(whole[cap.atoms]) for cap in self._caps)])

    def gradient(self, whole: np.ndarray, of_model: np.ndarray) -> np.ndarray:
        """Return the gradient on the atoms of the whole, (natoms, 3), that one on the model's, (n, 3), makes."""
        found = np.zeros((self._n_whole, 3))
        found[self._kept] = of_model[: len(self._kept)]
        first = len(self._kept)
        for cap in self._caps:
            slopes = cap.slopes(whole[cap.atoms])
            np.add.at(found, cap.atoms, np.einsum("iajb,ia->jb", slopes, of_model[first : first + len(slopes)]))
            first += len(slopes)
        return found


class _Cap:
    """The cap on a cut bond, and the atoms that place it: the one that stays, the one that goes, others.

    A methyl group on an alkyl group has its hydrogens on the bonds of the carbon that goes. On an aryl group, which has
    one bond too few, it is staggered against a neighbour of the atom that stays.

    Raises
    ------
    InputError
        It has no neighbour but metals, which come and go.
    """

    def __init__(self, molecule: Molecule, bond: CutBond) -> None:
        stays, goes = molecule.symbols[bond.stays], molecule.symbols[bond.goes]
        self._cap = bond.cap
        whole = CAP_ANGSTROM.get((stays, goes)) or _single_bond_angstrom(stays, goes)
        self._fraction = CAP_ANGSTROM[stays, bond.cap] / whole
        self._shares: np.ndarray | None = None
        if bond.cap == "C" and len(bond.beyond) == len(CAP_SYMBOLS["C"]) - 1:
            self.atoms = [bond.stays, bond.goes, *bond.beyond]
            self._shares = np.array([_share_of_hydrogen(molecule.symbols[atom]) for atom in bond.beyond])
            return
        light = [atom for atom in bond.others if not is_metal(molecule.symbols[atom])]
        if bond.cap == "C" and not light:
            raise InputError(
                f"a methyl group in place of what is on atom {bond.stays} ({stays}) has no direction that "
                "stays: take hydrogen there"
            )
        self.atoms = [bond.stays, bond.goes, *light[:1]]

    def places(self, points: np.ndarray) -> np.ndarray:
        """Return the atoms of the cap, (n, 3), for those that place it, (m, 3); bohr."""
        here, there = points[:2]
        first = here + self._fraction * (there - here)
        if self._cap == "H":
            return np.array([first])
        if self._shares is not None:
            return np.concatenate([first[None], first + self._shares[:, None] * (points[2:] - there)])
        length = self._fraction * np.sqrt((there - here) @ (there - here))
        here, there, behind = points * ANGSTROM
        return cap_angstrom(here, there, behind, self._cap, length * ANGSTROM) / ANGSTROM

    def slopes(self, points: np.ndarray) -> np.ndarray:
        """Return the derivative of each atom of the cap by each that places it, (n, 3, m, 3)."""
        found = np.empty((len(CAP_SYMBOLS[self._cap]), 3, *points.shape))
        for atom, axis in np.ndindex(points.shape):
            moved = points.astype(complex)
            moved[atom, axis] += _COMPLEX_STEP * 1j
            found[:, :, atom, axis] = self.places(moved).imag / _COMPLEX_STEP
        return found


def _share_of_hydrogen(symbol: str) -> float:
    """Return where on the bond of a saturated carbon with an atom the methyl group has its hydrogen."""
    return 1.0 if symbol == "H" else METHYL_CH_ANGSTROM / _single_bond_angstrom("C", symbol)


def _single_bond_angstrom(*symbols: str) -> float:
    return float(covalent_radii(symbols).sum()) * ANGSTROM


def _refuse_dangling(molecule: Molecule, cut: Cut) -> None:
    """Refuse a part to be cut off that is no radical of as many bonds as are cut: then caps are no match for it."""
    stays = set(cut.kept)
    goes = [atom for atom in range(len(molecule.symbols)) if atom not in stays]
    if not goes:
        return
    for part in components(bond_matrix(molecule)[goes][:, goes]):
        atoms = {goes[atom] for atom in part}
        bonds = [bond for bond in cut.bonds if bond.goes in atoms]
        electrons = sum(ATOMIC_NUMBER[molecule.symbols[atom]] for atom in atoms)
        if (electrons - len(bonds)) % 2:
            bond = bonds[0]
            raise InputError(
                f"the bond of atoms {bond.stays} ({molecule.symbols[bond.stays]}) and {bond.goes} "
                f"({molecule.symbols[bond.goes]}) cannot be cut: what goes with atom {bond.goes} has {electrons} "
                f"electrons and {len(bonds)} single bond{'s' * (len(bonds) > 1)}, so that a cap leaves a bond dangling "
                "or an electron over"
            )
