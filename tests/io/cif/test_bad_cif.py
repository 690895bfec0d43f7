"""Damaged and careless files: one clear line, never a traceback, nothing read wrongly in silence."""

import random
import re
from pathlib import Path

import numpy as np
import pytest
from crystal_models import CHLOROFORM, TETRAFLUOROBORATE, Atom, MadeUp

from qcdriver.errors import InputError
from qcdriver.io.cif import read_crystal


def good() -> str:
    made = MadeUp((13.0, 14.0, 15.0, 90.0, 97.0, 90.0), ["x,y,z", "-x,y+1/2,-z+1/2", "-x,-y,-z", "x,-y+1/2,z+1/2"])
    made.tags["_space_group_name_H-M_alt"] = "P 21/c"
    made.tags["_chemical_formula_sum"] = "C H B Cl3 F4"
    made.tags["_cell_formula_units_Z"] = "4"
    made.add(CHLOROFORM[0], CHLOROFORM[1] + [2.5, 2.0, 3.0])
    made.add(TETRAFLUOROBORATE[0], TETRAFLUOROBORATE[1] + [8.0, 4.5, 2.0])
    return made.text()


def refused(text: str | bytes, tmp_path: Path) -> str:
    path = tmp_path / "bad.cif"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(InputError) as refusal:
        read_crystal(path)
    said = str(refusal.value)
    assert "\n" not in said
    assert said.startswith(str(path)), "the line starts with the file"
    assert refusal.value.exit_code == 2
    return said.removeprefix(str(path))


def test_the_file_the_mutations_start_from_is_good(tmp_path):
    path = tmp_path / "good.cif"
    path.write_text(good())
    assert [m.formula for m in read_crystal(path).molecules] == ["CHCl3", "BF4"]


@pytest.mark.parametrize(
    ("pattern", "replacement", "said"),
    [
        (r"_cell_length_b .*\n", "", "_cell_length_b is missing"),
        (r"_cell_length_b .*\n", "_cell_length_b ?\n", "_cell_length_b is unknown"),
        (r"_cell_length_b .*\n", "_cell_length_b long\n", "_cell_length_b is 'long'; a number"),
        (r"_cell_length_b .*\n", "_cell_length_b -12\n", "_cell_length_b is -12; expected"),
        (r"_cell_angle_alpha .*\n", "_cell_angle_alpha 175\n", "_cell_angle_alpha is 175; expected"),
        (r"_cell_angle_(\w+) .*\n", r"_cell_angle_\1 130\n", "enclose no volume"),
        (r"_cell_length_b .*\n", "_cell_length_b 2.0\n", "overlap|cubic Angstrom"),
        (r"(C1 C )\S+", r"\1?", "atom C1: _atom_site_fract_x is unknown"),
        (r"(C1 C )\S+", r"\1.", "atom C1: _atom_site_fract_x is unknown"),
        (r"(C1 C )\S+", r"\1left", "atom C1: _atom_site_fract_x is 'left'"),
        (r"(C1 C )\S+", r"\1nan", "atom C1: _atom_site_fract_x is 'nan'"),
        (r"(C1 C )\S+", r"\g<1>1e99", "atom C1: _atom_site_fract_x is 1e\\+99"),
        (r"C1 C ", "C1 Xx ", "atom C1: 'Xx' names no element"),
        (r"(C1 C \S+ \S+ \S+) 1", r"\1 1.4", "atom C1: _atom_site_occupancy is 1.4; expected 0 to 1"),
        (r"(C1 C \S+ \S+ \S+) 1", r"\1 -0.5", "atom C1: _atom_site_occupancy is -0.5"),
        (r"H2 H", "C1 H", "_atom_site_label C1 is used twice"),
        (r"'-x,-y,-z'", "'-x,-y,-w'", "operator '-x,-y,-w' cannot be read"),
        (r"'-x,-y,-z'", "'-x,-y,z'", "form no group"),
        (r"'-x,-y,-z'", "'-x,-x,-z'", "cannot be read"),
        (r"'-x,y\+1/2,-z\+1/2'\n'-x,-y,-z'\n'x,-y\+1/2,z\+1/2'", "'y,x,-z'", "does not have the symmetry"),
        (r"_cell_angle_beta .*\n", "_cell_angle_beta 97\n_cell_length_a 11\n", "duplicate tag"),
        (r"(C1 C .*)\n", r"\1 7\n", "Wrong number of values"),
        (r"data_made_up", "", "expected block header"),
    ],
)
def test_a_wrong_value_is_named_with_its_tag_or_atom(tmp_path, pattern, replacement, said):
    text, n = re.subn(pattern, replacement, good())
    assert n >= 1
    assert re.search(said, refused(text, tmp_path))


def test_overlapping_atoms_are_named(tmp_path):
    made = MadeUp((11.0, 12.0, 13.0, 90.0, 90.0, 90.0), ["x,y,z"])
    made.add(["C", "N"], np.array([[5, 5, 5], [5.3, 5, 5.0]]))
    assert "C1 and N2 overlap: 0.30 Angstrom apart" in refused(made.text(), tmp_path)


@pytest.mark.parametrize("tags", [{}, {"occupancy": "0.45", "group": "1", "assembly": "A"}])
@pytest.mark.parametrize("again", ["Cl3", "Cl3A"])
def test_an_image_listed_as_an_atom_of_its_own_is_counted_once(tmp_path, again, tags):
    """Some programs write the whole molecule where half of it is independent; also where it is not always there."""
    made = MadeUp((9.0, 10.0, 11.0, 90.0, 90.0, 90.0), ["x,y,z", "-x,-y,-z"])
    for label, place in (("Hg1", [0, 0, 0]), ("N2", [0.1, 0.17, 0.02]), ("Cl3", [0.2, 0.1, 0.05])):
        made.atoms.append(Atom(label[:-1], np.array(place, dtype=float), label=label, **tags))
    made.atoms.append(Atom("Cl", np.array([0.8, 0.9, -0.05]), label=again, **tags))
    crystal = read_crystal(made.write(tmp_path))
    assert [(m.formula, m.per_cell) for m in crystal.molecules] == [("Cl2HgN2", 1)]
    (warning,) = crystal.warnings
    assert warning.startswith("listed although symmetry makes them, and counted once: Cl3")


def test_atoms_that_are_alternatives_on_one_place_are_no_images(tmp_path):
    """Three hydrogens about a three-fold axis at a third coincide with each other's images, and all are needed."""
    made = MadeUp((9.0, 9.0, 11.0, 90.0, 90.0, 120.0), ["x,y,z", "-y,x-y,z", "-x+y,-x,z"])
    made.add(["C", "Cl"], np.array([[0, 0, 3.0], [0, 0, 4.78]]), group="1", assembly="A", occupancy="0.6")
    turns = [np.radians(120 * k) for k in range(3)]
    hydrogens = [[np.cos(t), np.sin(t), 2.65] for t in turns]
    made.add(["H"] * 3, np.array(hydrogens), group="1", assembly="A", occupancy="0.2")
    assert [m.formula for m in read_crystal(made.write(tmp_path)).molecules] == ["CH3Cl"]


def test_rows_of_question_marks_are_left_out(tmp_path):
    row = "? ? ? ? ? ? . .\n"
    path = tmp_path / "row.cif"
    path.write_text(good() + row)
    crystal = read_crystal(path)
    assert [m.formula for m in crystal.molecules] == ["CHCl3", "BF4"]
    assert crystal.warnings[0] == "1 of 11 rows of atoms hold nothing but '?': left out"
    only = re.sub(r"(\n[A-Z][a-z]?\d+ [A-Z].*)+\n", "\n" + row, good())
    assert "has no atoms" in refused(only, tmp_path)


def test_no_symmetry_at_all_is_refused(tmp_path):
    text = re.sub(r"_space_group_name.*\n", "", good())
    text = re.sub(r"loop_\n_space_group_symop_operation_xyz\n('.*'\n)+", "", text)
    assert "no symmetry: add" in refused(text, tmp_path)


@pytest.mark.parametrize(
    "content", [b"", b"  \n", b"\0\1\2" * 100, b"data_x\n", b"\x89PNG\r\n\x1a\n" + bytes(range(1, 255))]
)
def test_what_is_no_cif_is_refused(tmp_path, content):
    refused(content, tmp_path)


def test_ten_megabytes_of_garbage_are_refused(tmp_path):
    junk = random.Random(1).randbytes(10 * 2**20).replace(b"\0", b"\1")
    refused(junk, tmp_path)
    refused(b"data_x\nloop_\n_atom_site_label\n_atom_site_fract_x\n" + b"C1 0.1 \n" * 1_000_000 + b"C1", tmp_path)


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    for path in (tmp_path / "nothing.cif", tmp_path):
        with pytest.raises(InputError, match="cannot be read"):
            read_crystal(path)


def test_a_file_of_several_structures_wants_a_name(tmp_path):
    path = tmp_path / "two.cif"
    path.write_text(good() + good().replace("data_made_up", "data_Second"))
    with pytest.raises(InputError, match="holds 2 structures, name one block of made_up, Second"):
        read_crystal(path)
    assert read_crystal(path, block="second").block == "Second"
    with pytest.raises(InputError, match="no block 'third'; it has made_up, Second"):
        read_crystal(path, block="third")


def test_every_truncation_is_refused_or_read_as_it_stands(tmp_path):
    text = good()
    for end in range(0, len(text), 7):
        _survives(text[:end].encode(), tmp_path)


def _survives(content: bytes, folder: Path) -> None:
    path = folder / "mutated.cif"
    path.write_bytes(content)
    try:
        read_crystal(path)
    except InputError as refusal:
        said = str(refusal)
    else:
        said = ""
    assert "\n" not in said
    assert len(said) < 600
