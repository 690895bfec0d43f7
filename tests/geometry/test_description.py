"""What a molecule is: formula, mass, charge, electrons."""

import pytest
from pydantic import ValidationError

from qcdriver.geometry.description import describe, describe_all
from qcdriver.models.molecule import Molecule


def test_water_is_described():
    water = describe(Molecule(symbols=("H", "O", "H"), geometry=[[0, 0, 0], [0, 0, 2], [2, 0, 2]]))
    assert (water.formula, water.n_electrons, water.natoms) == ("H2O", 10, 3)
    assert water.mass_u == pytest.approx(18.015, abs=1e-3)
    assert water.mass_to_charge is None


def test_mass_to_charge_counts_the_electrons_and_divides_by_the_charge():
    proton = describe(Molecule(symbols=("H", "H"), geometry=[[0, 0, 0], [0, 0, 9]], molecular_charge=2))
    assert proton.mass_to_charge == pytest.approx(1.00794 - 5.4858e-4, abs=1e-5)
    hydride = describe(Molecule(symbols=("H",), geometry=[[0, 0, 0]], molecular_charge=-1))
    assert hydride.mass_to_charge == pytest.approx(1.00794 + 5.4858e-4, abs=1e-5)


def test_the_line_for_a_person_names_what_matters():
    ion = describe(Molecule(symbols=("H", "H", "H"), geometry=[[0, 0, 0], [0, 0, 2], [2, 0, 2]], molecular_charge=1))
    assert str(ion) == "H3, 3 atoms, 3.02 u, m/z 3.02, charge +1, multiplicity 1, 2 electrons"


def test_an_odd_electron_count_is_no_singlet():
    with pytest.raises(ValidationError, match="does not fit 1 electrons"):
        Molecule(symbols=("H",), geometry=[[0, 0, 0]])


def test_molecules_that_are_alike_have_one_line():
    water = Molecule(symbols=("O", "H", "H"), geometry=[[0, 0, 0], [0, 0, 1.8], [1.75, 0, -0.45]])
    cation = Molecule(symbols=("O",), geometry=[[0, 0, 0]], molecular_charge=1, molecular_multiplicity=4)
    lines = describe_all({**{f"w#{k}": water for k in range(9)}, "O": cation})
    assert lines == [
        f"w#0, w#1, w#2, w#3, w#4 and 4 more: {describe(water)}",
        "O: O, 1 atoms, 16.00 u, m/z 16.00, charge +1, multiplicity 4, 7 electrons",
    ]
