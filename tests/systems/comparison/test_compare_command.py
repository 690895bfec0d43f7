"""`qcdriver compare` as a person uses it: tables that fit, JSON another program reads, a picture, files of any kind."""

import io
import json
from functools import cache
from pathlib import Path

import pytest
from conformer_models import A, B, C, disguised
from rich.console import Console
from typer.testing import CliRunner

from qcdriver.cli import app
from qcdriver.errors import InputError
from qcdriver.io.conformer_files import read_conformers
from qcdriver.io.xyz import write_xyz
from qcdriver.report.tables.comparison import print_comparison
from qcdriver.systems.comparison.compare import Comparison, compare


@pytest.fixture
def files(tmp_path):
    those = {"A": A, "B": disguised(B, 1), "C": disguised(C, 2), "D": disguised(B, 3, mirror=True)}
    for name, molecule in those.items():
        write_xyz(tmp_path / f"{name}.xyz", molecule, name)
    return [str(tmp_path / f"{name}.xyz") for name in those]


def run(*words):
    return CliRunner().invoke(app, ["compare", *map(str, words)], catch_exceptions=True)


def test_files_are_told_apart_and_the_bonds_agree_to_a_thousandth(files):
    ended = run(*files, "--json")
    assert ended.exit_code == 0
    found = json.loads(ended.stdout)
    assert [each["mirror_image_of"] for each in found["conformers"]] == [None, None, None, "B"]
    means = [each["mean_angstrom"] for each in found["bonds"] if each["name"].startswith("base1 - rim")]
    assert abs(means[0][0] - means[0][2]) == pytest.approx(0.12, abs=1e-3)
    assert abs(means[0][1] - means[0][3]) < 1e-3
    assert Comparison.model_validate(found).formula == "Cu14H37P8S3"


def test_the_table_says_which_is_the_mirror_image(files):
    ended = run(*files)
    assert ended.exit_code == 0
    assert "D is the mirror image of B, RMSD 0.000 Angstrom" in ended.stdout


@cache
def compared(count):
    if count == 9:
        return compare([A] * 9, [f"start-{k}" for k in range(9)])
    return compare([A, B, C, disguised(C, 5, mirror=True)][:count], ["A", "B", "conformer-C", "D"][:count])


@pytest.mark.parametrize("width", [80, 120, 200])
@pytest.mark.parametrize("count", [1, 2, 4, 9])
def test_tables_fit_the_terminal(width, count):
    comparison = compared(count)
    console = Console(width=width, file=io.StringIO())
    print_comparison(comparison, console)
    lines = console.file.getvalue().splitlines()
    assert max(len(line.rstrip()) for line in lines if "chirality:" not in line and "rim:" not in line) <= width
    assert not any("…" in line for line in lines)
    for conformer in comparison.conformers:
        assert sum(conformer.label in line for line in lines) >= 2


def test_a_picture_is_drawn(files, tmp_path):
    picture = tmp_path / "overlay.png"
    ended = run(*files[:2], "-o", picture)
    assert ended.exit_code == 0
    assert f"picture: {picture}" in ended.stdout
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert list(tmp_path.glob("*.part*")) == []


def test_a_folder_that_is_not_there_is_an_input_error(files, tmp_path):
    ended = run(*files[:1], "-o", tmp_path / "none" / "overlay.png")
    assert isinstance(ended.exception, InputError)


def test_frames_of_one_file_are_named_and_counted_from_0(tmp_path):
    path = tmp_path / "all.xyz"
    write_xyz(path, [A, B, C])
    molecules, labels = read_conformers([f"{path}@0", f"{path}@2"])
    assert labels == ["all@0", "all@2"]
    assert molecules[1].geometry == pytest.approx(C.geometry, abs=1e-6)
    with pytest.raises(InputError, match=r"holds 3 molecules; .* all\.xyz@0 \.\.\. @2"):
        read_conformers([str(path)])
    with pytest.raises(InputError, match="has no frame 3"):
        read_conformers([f"{path}@3"])


def test_files_of_one_name_are_told_apart_by_their_folder(tmp_path):
    for name, molecule in (("one", A), ("two", B)):
        (tmp_path / name).mkdir()
        write_xyz(tmp_path / name / "relaxed.xyz", molecule)
    _, labels = read_conformers([str(tmp_path / name / "relaxed.xyz") for name in ("one", "two")])
    assert labels == [str(tmp_path / name / "relaxed") for name in ("one", "two")]


def test_a_plain_xyz_file_takes_its_charge_from_the_command_line(files, tmp_path):
    lines = Path(files[0]).read_text().splitlines()
    plain = tmp_path / "plain.xyz"
    plain.write_text("\n".join([lines[0], "no key here", *lines[2:]]) + "\n")
    assert isinstance(run(plain).exception, InputError), "an odd number of electrons without it"
    assert run(plain, "--charge", 1).exit_code == 0
