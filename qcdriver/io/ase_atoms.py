"""ASE's Atoms (Angstrom) as a molecule."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import ValidationError

from qcdriver.errors import InputError
from qcdriver.models.molecule import Molecule
from qcdriver.units import ANGSTROM

if TYPE_CHECKING:
    from ase import Atoms


def molecule_of_ase(atoms: Atoms) -> Molecule:
    """Return the molecule that ASE's Atoms are.

    The charge is `atoms.info["charge"]`, else the sum of the initial charges; the multiplicity is
    `atoms.info["multiplicity"]`, else the sum of the initial magnetic moments plus 1.

    Raises
    ------
    InputError
        They are periodic or empty, or charge and multiplicity are no integers or do not fit the electrons.
    """
    formula = atoms.get_chemical_formula()
    if atoms.pbc.any():
        raise InputError(f"{formula} is periodic; a molecule has atoms.pbc = False")
    charge = atoms.info.get("charge", atoms.get_initial_charges().sum())
    multiplicity = atoms.info.get("multiplicity", abs(atoms.get_initial_magnetic_moments().sum()) + 1)
    for word, number in (("charge", charge), ("multiplicity", multiplicity)):
        if abs(number - round(number)) > 1e-6:
            raise InputError(f"{formula}: {word} {number:g} is no integer; set atoms.info[{word!r}]")
    try:
        return Molecule(
            symbols=tuple(atoms.get_chemical_symbols()),
            geometry=atoms.positions / ANGSTROM,
            molecular_charge=round(charge),
            molecular_multiplicity=round(multiplicity),
        )
    except ValidationError as error:
        raise InputError(error.errors()[0]["msg"].removeprefix("Value error, ")) from None
