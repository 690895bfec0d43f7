"""What a file's formulas say is compared with the molecules: both are stated, with a guess at the reason."""

import numpy as np
import pytest
from crystal_models import CHLOROFORM, MadeUp, rotation

from qcdriver.io.cif import read_crystal
from qcdriver.io.cif.formula import parse_formula

COPPER = (["Cu", "Cu", "Cl", "Cl"], np.array([[0, 0, 0], [2.6, 0, 0], [-2.1, 0, 0], [4.7, 0, 0.0]]))


def crystal(tmp_path, formula_sum, *, solvent="1", about_a_centre=False, moiety=None, units="2", **flag):
    """Two Cu2Cl2 and chloroform in a cell, the latter somewhere or near an inversion centre."""
    made = MadeUp((16.0, 16.0, 16.0, 85.0, 95.0, 100.0), ["x,y,z", "-x,-y,-z"])
    made.tags["_chemical_formula_sum"] = formula_sum
    if units:
        made.tags["_cell_formula_units_Z"] = units
    if moiety:
        made.tags["_chemical_formula_moiety"] = moiety
    made.add(COPPER[0], COPPER[1] + [4, 4, 4])
    at = np.array([0.5, 0.5, 0.5]) @ made.lattice if about_a_centre else np.array([2.0, 9, 10])
    body = (CHLOROFORM[1] - [0.25, 0.05, 0.02]) @ rotation([1, 1, 0], 33)
    made.add(CHLOROFORM[0], body + at, occupancy=solvent, **flag)
    return read_crystal(made.write(tmp_path))


@pytest.mark.parametrize("flag", [{}, {"group": "-1"}, {"group": "1"}])
@pytest.mark.parametrize("moiety", ["Cl2 Cu2, 0.5(C H Cl3)", "Cl2 Cu2, 1/2(C H Cl3)", "Cl2 Cu2, C0.5 H0.5 Cl1.5"])
@pytest.mark.parametrize("units", ["2", None])
def test_half_a_solvent_about_a_centre_that_explains_the_formula_is_no_disagreement(tmp_path, flag, moiety, units):
    formula = "C0.5 H0.5 Cl3.5 Cu2"
    read = crystal(tmp_path, formula, solvent="0.5", about_a_centre=True, moiety=moiety, units=units, **flag)
    assert [(m.formula, m.per_cell, m.presence) for m in read.molecules] == [("CHCl3", 1, 1.0), ("Cl2Cu2", 2, 1.0)]
    assert read.warnings == ()
    assert read.to_json()["disagreements"] == []


@pytest.mark.parametrize(
    ("formula", "more", "guess"),
    [
        ("C H Cl5 Cu2", {"solvent": "0.6"}, "the formula counts as always there what is not: CHCl3 (60 %)"),
        ("Cl2 Cu2", {}, "the atom list has beside the formula 1 chloroform a formula unit"),
        ("C2 H2 Cl8 Cu2", {}, "the atom list lacks 1 chloroform a formula unit"),
        ("C1.5 H1.5 Cl6.5 Cu2", {}, "the atom list lacks 0.5 chloroform a formula unit"),
        ("C2 H2 Cl5 Cu2", {}, "atoms are missing from the list"),
    ],
)
def test_a_disagreement_says_both_and_guesses_at_the_reason(tmp_path, formula, more, guess):
    read = crystal(tmp_path, formula, **more)
    (found,) = read.disagreements
    assert found.tag == "_chemical_formula_sum"
    assert parse_formula(found.stated) == parse_formula(formula)
    assert parse_formula(found.assembled)["Cu"] == pytest.approx(2)
    assert "and the atoms as assembled here disagree" in found.message
    assert guess in found.message
    assert found.message in read.warnings
    (told,) = read.to_json()["disagreements"]
    assert (told["stated"], told["assembled"]) == (found.stated, found.assembled)


def test_what_was_chosen_is_named_where_it_may_be_why(tmp_path):
    read = crystal(tmp_path, "C H2 Cl5 Cu2", solvent="0.5", about_a_centre=True)
    assert "(disorder C5)" in read.disagreements[0].message


def test_a_moiety_and_a_molecule_that_differ_are_both_named(tmp_path):
    read = crystal(tmp_path, "C H Cl5 Cu2", moiety="Cl2 Cu2, C H2 Cl2")
    (found,) = read.disagreements
    assert (found.stated, found.assembled) == ("CH2Cl2", "CHCl3")
    assert "wrong" not in found.message


def test_a_molecule_without_alternatives_that_is_not_always_there_is_said_so_once(tmp_path):
    read = crystal(tmp_path, "C0.4 H0.4 Cl3.2 Cu2", solvent="0.4")
    assert read.remarks == ["A: there 40 % of the time"]


def test_a_formula_that_counts_what_was_left_out_is_said_to(tmp_path):
    """An oxygen at a third of the time on copper is left out; the formula of the file counts it."""
    made = MadeUp((14.0, 15.0, 16.0, 90.0, 90.0, 90.0), ["x,y,z", "-x,-y,-z"])
    made.tags |= {"_chemical_formula_sum": "Cl2 Cu O0.33", "_cell_formula_units_Z": "2"}
    made.add(["Cu", "Cl", "Cl"], np.array([[4, 4, 4], [6.2, 4, 4], [1.8, 4, 4.0]]))
    made.add(["O"], np.array([[4, 6.1, 4.0]]), occupancy="0.33")
    (disagreement,) = read_crystal(made.write(tmp_path)).disagreements
    assert (disagreement.stated, disagreement.assembled) == ("Cl2CuO0.33", "Cl2Cu")
    assert disagreement.message.endswith("the average over all that the file lists, also over what was left out here")
