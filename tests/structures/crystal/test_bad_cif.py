"""Damaged and careless files: one clear line, never a traceback, nothing read wrongly in silence."""

import random
import re
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from crystal_models import CHLOROFORM, TETRAFLUOROBORATE, MadeUp

from qcdriver.errors import InputError
from qcdriver.structures.crystal import read_crystal


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


def _mutated(text: str, rng: random.Random) -> bytes:
    """Damage a file the way editors, disks and people do."""
    lines = text.split("\n")
    for _ in range(rng.choice([1, 1, 1, 2, 5])):
        k = rng.randrange(len(lines))
        words = lines[k].split(" ")
        w = rng.randrange(len(words))
        kind = rng.randrange(9)
        if kind == 0:
            del lines[k]
            lines = lines or [""]
        elif kind == 1:
            lines.insert(k, lines[rng.randrange(len(lines))])
        elif kind == 2:
            words[w] = rng.choice(
                ["?", ".", "abc", "1e400", "-1", "0", "0.5(", "nan", "99999999999", "'", ";", "_x", "loop_"]
            )
            lines[k] = " ".join(words)
        elif kind == 3:
            del words[w]
            lines[k] = " ".join(words)
        elif kind == 4:
            i = rng.randrange(len(lines[k]) + 1)
            lines[k] = lines[k][:i] + chr(rng.randrange(1, 256)) + lines[k][i + 1 :]
        elif kind == 5:
            other = rng.randrange(len(lines))
            lines[k], lines[other] = lines[other], lines[k]
        elif kind == 6:
            lines = lines[:k] if rng.random() < 0.3 and k else lines
        elif kind == 7:
            words[w] = re.sub(r"\d", lambda _: str(rng.randrange(10)), words[w])
            lines[k] = " ".join(words)
        else:
            lines[k] = lines[k].swapcase() if rng.random() < 0.5 else lines[k] * 2
    raw = "\n".join(lines).encode(rng.choice(["utf-8", "latin-1"]), errors="replace")
    return raw if rng.random() < 0.9 else raw.replace(b"\n", b"\r\n")


def _fuzz(texts: list[str], n: int, seed: int) -> None:
    rng = random.Random(seed)
    with TemporaryDirectory() as folder:
        for _ in range(n):
            _survives(_mutated(rng.choice(texts), rng), Path(folder))


def test_mutated_files_never_end_in_a_traceback():
    _fuzz([good()], 400, seed=1)


@pytest.mark.slow
def test_five_thousand_mutated_files_never_end_in_a_traceback():
    disordered = good().replace(" 1 . .", " 0.5 A 1", 5).replace("H2 H", "H2 D")
    _fuzz([good(), disordered], 5000, seed=2)
