"""Extended XYZ: what is written comes back, and a broken file is named by its line."""

import numpy as np
import pytest
from ase.io import read as ase_read
from hypothesis import example, given, settings
from hypothesis import strategies as st

from qcdriver.errors import InputError
from qcdriver.io.xyz import read_xyz, write_xyz
from qcdriver.models.molecule import Molecule
from qcdriver.systems.au13ag12.model import RodModel, build_rod

WATER = "3\ncomment\nO 0 0 0\nH 0 0 0.96\nH 0.93 0 -0.24\n"


@pytest.fixture
def file(tmp_path):
    def write(text):
        path = tmp_path / "x.xyz"
        path.write_text(text)
        return path

    return write


def test_a_molecule_comes_back_with_charge_multiplicity_and_label(tmp_path):
    path = tmp_path / "rod.xyz"
    rod = build_rod(RodModel(twist_deg=36))
    write_xyz(path, rod, "S start 0")
    back = read_xyz(path)
    assert back.symbols == rod.symbols
    assert (back.molecular_charge, back.molecular_multiplicity) == (1, 1)
    assert np.abs(back.geometry - rod.geometry).max() < 1e-7
    assert ase_read(path).info["label"] == "S start 0"


@settings(max_examples=20, deadline=None)
@example(atoms=[("O", 0.0, 0.0, 0.0)], charge=2, label="\\")
@example(atoms=[("H", 0.0, 0.0, 0.0)], charge=-1, label="=")
@given(
    st.lists(st.tuples(st.sampled_from(["H", "O", "Au", "Cl"]), *3 * [st.floats(-500, 500)]), min_size=1, max_size=8),
    st.integers(-3, 3),
    st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=30),
)
def test_any_molecule_and_label_survive_the_round_trip(tmp_path_factory, atoms, charge, label):
    symbols = tuple(atom[0] for atom in atoms)
    electrons = sum({"H": 1, "O": 8, "Au": 79, "Cl": 17}[s] for s in symbols) - charge
    if electrons < 1:
        return
    molecule = Molecule(
        symbols=symbols,
        geometry=[atom[1:] for atom in atoms],
        molecular_charge=charge,
        molecular_multiplicity=1 + electrons % 2,
    )
    path = tmp_path_factory.mktemp("xyz") / "any.xyz"
    write_xyz(path, molecule, label)
    back = read_xyz(path)
    assert back.symbols == symbols
    assert (back.molecular_charge, back.molecular_multiplicity) == (charge, 1 + electrons % 2)
    assert np.abs(back.geometry - molecule.geometry).max() < 1e-7


def test_no_atom_is_frozen_in_what_is_written(tmp_path):
    write_xyz(tmp_path / "rod.xyz", build_rod(RodModel()))
    assert "move_mask" not in (tmp_path / "rod.xyz").read_text()
    assert ase_read(tmp_path / "rod.xyz").constraints == []


def test_charge_and_multiplicity_of_the_caller_hold_where_the_file_is_silent(file):
    ion = read_xyz(file(WATER), charge=1, multiplicity=2)
    assert (ion.molecular_charge, ion.molecular_multiplicity) == (1, 2)
    said = read_xyz(file(WATER.replace("comment", "charge=2 multiplicity=3")))
    assert (said.molecular_charge, said.molecular_multiplicity) == (2, 3)


def test_a_caller_who_contradicts_the_file_is_refused(file):
    path = file(WATER.replace("comment", "charge=2 multiplicity=3"))
    with pytest.raises(InputError, match=r"line 2, column 1: charge=2 contradicts the charge 1 asked for"):
        read_xyz(path, charge=1, multiplicity=3)


def test_one_of_several_molecules_must_be_asked_for(tmp_path):
    path = tmp_path / "two.xyz"
    write_xyz(path, [build_rod(RodModel()), build_rod(RodModel(halide="Br"))], ["Cl", "Br"])
    assert "Br" in read_xyz(path, frame=1).symbols
    with pytest.raises(InputError, match="holds 2 molecules"):
        read_xyz(path)
    with pytest.raises(InputError, match="has no frame 2"):
        read_xyz(path, frame=2)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1, column 1: the number of atoms"),
        ("three\n\nO 0 0 0\n", "line 1, column 1: the number of atoms"),
        (WATER.replace("3\n", "4\n", 1), "line 1: 4 atoms promised, the file ends after line 5"),
        (WATER.replace("3\n", "2\n", 1), "line 5, column 1: the number of atoms"),
        (WATER.replace("0.96", "O.96"), "line 4, column 7: a number belongs here, not 'O.96'"),
        (WATER.replace("H 0 0 0.96", "\nH 0 0 0.96"), "line 4: an empty line, where an atom belongs"),
        (WATER.replace("H 0 0 0.96", " \t"), "line 4: an empty line, where an atom belongs"),
        (WATER.replace("0.96", ""), "line 4, column 6: an element symbol and three numbers"),
        (WATER.replace("O 0", "Ox 0"), "line 3, column 1: 'Ox' is no element symbol"),
        (WATER.replace("0.96", "nan"), "line 4"),
        (WATER.replace("comment", "Properties=species:S:1:pos:R:3").replace("0.96", "inf"), "line 4"),
        (WATER.replace("comment", "Properties=species:S:1:pos:R:3").replace("0.96", "O.96"), "line 4"),
        (WATER.replace("comment", "Properties=species:S:1:pos:R:4"), "line"),
        (WATER.replace("comment", "Properties=nonsense"), "line 2"),
        (WATER.replace("comment", "charge=x"), "line 2, column 1: 'charge=x' is no whole number"),
        (WATER.replace("comment", "charge=0.5"), "line 2, column 1: 'charge=0.5' is no whole number"),
        (WATER.replace("comment", "charge=1"), "line 2: multiplicity 1 does not fit 9 electrons"),
        (WATER.replace("comment", "multiplicity=0"), "line 2"),
    ],
)
def test_a_broken_file_is_one_line_that_names_where(file, text, message):
    path = file(text)
    with pytest.raises(InputError) as caught:
        read_xyz(path)
    assert str(path) in str(caught.value)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_and_a_binary_one_are_input_errors(tmp_path):
    with pytest.raises(InputError, match="No such file"):
        read_xyz(tmp_path / "none.xyz")
    (tmp_path / "binary.xyz").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="not a text file"):
        read_xyz(tmp_path / "binary.xyz")


def test_an_unwritable_place_is_an_input_error(tmp_path):
    with pytest.raises(InputError, match="cannot be written"):
        write_xyz(tmp_path / "no" / "folder.xyz", build_rod(RodModel()))


def test_labels_and_molecules_must_match_in_number(tmp_path):
    with pytest.raises(InputError, match="1 molecules but 2 labels"):
        write_xyz(tmp_path / "a.xyz", build_rod(RodModel()), ["a", "b"])


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbf" + WATER.encode(),
        WATER.replace("comment", "Universit\u00e9 de Gen\u00e8ve").encode("latin-1"),
        b"\xef\xbb\xbf" + WATER.replace("comment", "Universit\u00e9 de Gen\u00e8ve").encode("latin-1"),
        WATER.replace("comment", "Universit\u00e9 \u0085 \u2028").encode(),
        WATER.replace(" ", "\t").encode(),
        WATER.replace(" ", "   ").replace("3\n", " 3 \n", 1).encode(),
        WATER.rstrip().encode(),
        WATER.replace("\n", "\r\n").encode(),
        WATER.replace("\n", "\r").encode(),
        b"\n\n" + WATER.encode() + b"\n \n\t\n",
        WATER.replace("comment", "").encode(),
    ],
    ids=[
        "BOM",
        "Latin-1",
        "BOM and Latin-1",
        "UTF-8",
        "tabs",
        "blanks",
        "no last newline",
        "CRLF",
        "CR",
        "blank lines",
        "no comment",
    ],
)
def test_text_as_other_programs_write_it_is_read(tmp_path, content):
    path = tmp_path / "water.xyz"
    path.write_bytes(content)
    water = read_xyz(path)
    assert water.symbols == ("O", "H", "H")
    assert water.geometry[1, 2] == pytest.approx(0.96 / 0.529177210903)


def test_blank_lines_may_stand_between_frames(tmp_path):
    path = tmp_path / "two.xyz"
    path.write_text(WATER + "\n\n" + WATER.replace("0.96", "0.97"))
    assert read_xyz(path, frame=1).geometry[1, 2] == pytest.approx(0.97 / 0.529177210903)


@pytest.mark.parametrize(
    ("old", "new", "where"),
    [
        ("O 0", "CL 0", "line 3, column 1: 'CL' is no element symbol; write Cl"),
        ("H 0 0 0.96", "  H 0 1_0 0.96", "line 4, column 7: a number belongs here, not '1_0'"),
        ("H 0 0 0.96", "H 0 0 \u0663", "line 4, column 7: a number belongs here"),
        ("H 0 0 0.96", "Tv 0 0 9.6", "line 4, column 1: 'Tv' is a translation vector: the structure is periodic"),
        ("3\n", "3_0\n", "line 1, column 1: the number of atoms belongs here, not '3_0'"),
        ("3\n", "9" * 5000 + "\n", "line 1: 99999999999999999999 atoms promised"),
    ],
)
def test_what_is_not_readable_names_line_and_column(file, old, new, where):
    with pytest.raises(InputError, match=r".") as caught:
        read_xyz(file(WATER.replace(old, new, 1)))
    assert where in str(caught.value)
