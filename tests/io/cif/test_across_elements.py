"""Toluene about an inversion centre is toluene, not xylene: a methyl group at one end, a hydrogen at the other."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from qcdriver.io.cif import read_crystal

EDGE = 12.0
HEADER = f"""data_toluene
_cell_length_a {EDGE}
_cell_length_b {EDGE}
_cell_length_c {EDGE}
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_cell_formula_units_Z 1
loop_
_symmetry_equiv_pos_as_xyz
'x,y,z'
'-x,-y,-z'
"""
COLUMNS = "label type_symbol fract_x fract_y fract_z occupancy disorder_assembly disorder_group".split()


def around(radius, degrees):
    return (radius * np.cos(np.radians(degrees)), radius * np.sin(np.radians(degrees)), 0.0)


RING = [("C1", around(1.39, 0)), ("C2", around(1.39, 60)), ("C3", around(1.39, 120))]
EDGES = [("H2", around(2.34, 60)), ("H3", around(2.34, 120))]
METHYL = [("C7", (2.90, 0.0, 0.0))] + [
    (f"H7{x}", (3.26, 1.03 * np.cos(turn), 1.03 * np.sin(turn)))
    for x, turn in zip("ABC", (0.3, 2.394, 4.489), strict=True)
]
NEAR, FAR = [("H1", around(2.34, 0))], [("H4", around(2.34, 180))]


def crystal(tmp_path, partial, formula=None):
    """Write a ring about the centre, and what hangs on it: (atoms, occupancy, assembly, group) each."""
    rows = [(atoms, 1.0, ".", ".") for atoms in (RING, EDGES)] + partial
    lines = ["loop_", *(f"_atom_site_{column}" for column in COLUMNS)]
    for atoms, occupancy, assembly, group in rows:
        for label, place in atoms:
            x, y, z = np.array(place) / EDGE
            lines.append(f"{label} {label[0]} {x:.5f} {y:.5f} {z:.5f} {occupancy} {assembly} {group}")
    named = "" if formula is None else f"_chemical_formula_moiety '{formula}'\n"
    path = tmp_path / "toluene.cif"
    path.write_text(HEADER + named + "\n".join(lines) + "\n")
    return read_crystal(path)


@pytest.mark.parametrize("formula", ["C7 H8", None])
@pytest.mark.parametrize(
    "partial",
    [
        [(METHYL, 0.5, "A", "1"), (NEAR, 0.5, "A", "2")],
        [(METHYL, 0.5, ".", "-1"), (NEAR, 0.5, ".", "-2")],
        [(METHYL, 0.5, ".", "-1"), (FAR, 0.5, ".", "-1")],
        [(METHYL, 0.5, "A", "1"), (FAR, 0.5, "A", "1")],
        [(METHYL, 0.5, ".", "."), (NEAR, 0.5, ".", ".")],
        [(NEAR, 0.5, ".", "."), (METHYL, 0.5, ".", ".")],
        [(METHYL, 0.5, ".", "."), (FAR, 0.5, ".", ".")],
        [(METHYL, 0.5, ".", "1"), (NEAR, 0.5, ".", ".")],
    ],
    ids=["two groups", "two groups of SHELX", "one group, both ends", "one named group"]
    + ["no flag", "no flag, hydrogen first", "no flag, both ends", "one flagged"],
)
def test_toluene_about_a_centre_has_one_methyl_group(tmp_path, partial, formula):
    found = crystal(tmp_path, partial, formula)
    (molecule,) = found.molecules
    assert (molecule.formula, molecule.per_cell) == ("C7H8", 1)
    assert Counter(molecule.site_labels)["C7"] == 1
    assert not found.disagreements
    assert any(warning.startswith("C7, H7A, H7B, H7C: 1 of 2 images in one molecule") for warning in found.warnings)


def test_what_is_always_there_stays_xylene(tmp_path):
    found = crystal(tmp_path, [(METHYL, 1.0, ".", ".")], "C8 H10")
    assert [molecule.formula for molecule in found.molecules] == ["C8H10"]


def test_two_arms_of_alternatives_alike_are_chosen_alike(tmp_path):
    """Methyl groups turned by 60 degrees, half each: the same molecule either way, so nothing is mixed."""
    turned = [(label.replace("7", "8"), (x, -y, -z)) for label, (x, y, z) in METHYL[1:]]
    found = crystal(tmp_path, [(METHYL[:1], 1.0, ".", "."), (METHYL[1:], 0.5, "A", "1"), (turned, 0.5, "A", "2")])
    (molecule,) = found.molecules
    assert molecule.formula == "C8H10"
    assert not {"H8A", "H8B", "H8C"} & set(molecule.site_labels)


def test_where_nothing_takes_the_other_place_the_file_s_own_formula_is_told_beside(tmp_path):
    """The hydrogen at the other end is not in the file: no toluene can be made of it, and that is said."""
    found = crystal(tmp_path, [(METHYL, 0.5, ".", "-1")], "C7 H8")
    assert [molecule.formula for molecule in found.molecules] == ["C8H10"]
    assert found.disagreements


@pytest.mark.parametrize("group", [".", "-1"])
def test_what_is_there_half_the_time_and_taken_at_both_ends_is_said(tmp_path, group):
    found = crystal(tmp_path, [(METHYL, 0.5, ".", group)])
    assert found.warnings == (
        "C7, H7A, H7B, H7C taken, though there only 50 % of the time on a molecule that always is",
    )


def test_a_number_of_images_that_is_no_whole_one_is_said_with_the_other_molecule(tmp_path):
    found = crystal(tmp_path, [(METHYL, 0.6, ".", "."), (NEAR, 0.4, ".", ".")])
    assert [molecule.formula for molecule in found.molecules] == ["C8H10"]
    assert found.warnings == (
        "C7, H7A, H7B, H7C: all 2 images in one molecule were taken, where the occupancy says 1.2; with H1 in place of "
        "1 of them it is C7H8",
    )


def test_an_alternative_on_top_of_what_is_always_there_is_left_out(tmp_path):
    found = crystal(tmp_path, [(METHYL, 0.5, ".", "."), (NEAR, 1.0, ".", ".")])
    assert [molecule.formula for molecule in found.molecules] == ["C6H6"]
    assert found.warnings == ("C7, H7A, H7B, H7C left out: on top of atoms that are always there",)
