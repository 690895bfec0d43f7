"""ASE's Atoms (Angstrom) as a molecule."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import ValidationError

from qcdriver.errors import InputError
from qcdriver.io.xyz_comment import CommentLine, meant_by_spin
from qcdriver.models.molecule import Molecule
from qcdriver.units import ANGSTROM

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ase import Atoms


def molecule_of_ase(atoms: Atoms) -> Molecule:
    """Return the molecule that ASE's Atoms are.

    The charge is `atoms.info["charge"]`, else the sum of the initial charges; the multiplicity is
    `atoms.info["multiplicity"]`, else the sum of the initial magnetic moments plus 1.

    Raises
    ------
    InputError
        They are periodic or empty, or charge and multiplicity are no integers or do not fit the electrons, or another
        key of `atoms.info` says something else of them.
    """
    formula = atoms.get_chemical_formula()
    if atoms.pbc.any():
        raise InputError(f"{formula} is periodic; a molecule has atoms.pbc = False")
    charge = atoms.info.get("charge", atoms.get_initial_charges().sum())
    multiplicity = atoms.info.get("multiplicity", abs(atoms.get_initial_magnetic_moments().sum()) + 1)
    for word, number in (("charge", charge), ("multiplicity", multiplicity)):
        try:
            whole = abs(float(number) - round(float(number))) < 1e-6
        except (TypeError, ValueError, OverflowError):
            whole = False
        if not whole:
            raise InputError(f"{formula}: {word} {number!s:.40} is no integer; set atoms.info[{word!r}]")
    _refuse_other_words(formula, atoms.info, round(float(charge)), round(float(multiplicity)))
    try:
        return Molecule(
            symbols=tuple(atoms.get_chemical_symbols()),
            geometry=atoms.positions / ANGSTROM,
            molecular_charge=round(float(charge)),
            molecular_multiplicity=round(float(multiplicity)),
        )
    except ValidationError as error:
        raise InputError(error.errors()[0]["msg"].removeprefix("Value error, ")) from None


def _refuse_other_words(formula: str, info: Mapping[str, Any], charge: int, multiplicity: int) -> None:
    """Refuse a total_charge, a uhf, a spin or the like that contradicts what is taken."""
    plain = {key: value for key, value in info.items() if isinstance(value, str | int | float | np.number)}
    line = CommentLine(" ".join(f'{key}="{value}"' for key, value in plain.items()))
    spins = [said for said in line.spin if multiplicity not in meant_by_spin(said)]
    for word, taken, doubtful in (
        ("charge", charge, [said for said in line.charge if said.number != charge]),
        ("multiplicity", multiplicity, [said for said in line.multiplicity if said.number != multiplicity] + spins),
    ):
        if doubtful:
            raise InputError(
                f"{formula}: atoms.info says {doubtful[0].words}, and the {word} is {taken}; set atoms.info[{word!r}]"
            )
