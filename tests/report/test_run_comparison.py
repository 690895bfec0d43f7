"""Two runs side by side: only energies of one level are subtracted, and every difference in the inputs is named."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

import qcdriver as qd
from qcdriver.cli import app
from qcdriver.errors import InputError
from qcdriver.models.records import TaskRecord
from qcdriver.store import Records

INPUTS = Path(__file__).parents[2] / "inputs"
TOML = """
title = "Formic acid by {method}"
[structure]
source = "xyz"
[structure.isomers.Z]
file = "z.xyz"
[structure.isomers.E]
file = "e.xyz"
[prescreen]
engine = "tblite"
method = "{method}"
preoptimize = "none"
hold_metal = false
{more}
"""
FORMIC = """5
charge=0 multiplicity=1
C  0.00  0.00 0.0
O  0.00  1.20 0.0
O  1.15 -0.68 0.0
H -0.95 -0.55 0.0
H {hydroxyl} 0.0
"""


def write_structures(folder: Path) -> None:
    """Write the two planar forms of formic acid, whose O-H points to C=O (Z) or away from it (E)."""
    (folder / "z.xyz").write_text(FORMIC.format(hydroxyl="1.95 -0.13"))
    (folder / "e.xyz").write_text(FORMIC.format(hydroxyl="0.95 -1.62"))


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Run GFN1-xTB, the same with another window, and GFN2-xTB."""
    folder = tmp_path_factory.mktemp("runs")
    write_structures(folder)
    for name, method, more in (
        ("one", "GFN1-xTB", ""),
        ("wide", "GFN1-xTB", "window_kcal_mol = 20.0\nmax_tight = 4"),
        ("two", "GFN2-xTB", ""),
    ):
        (folder / f"{name}.toml").write_text(TOML.format(method=method, more=more))
        qd.run(folder / f"{name}.toml", results=folder / "results", workers=1)
    return folder / "results"


def test_at_one_level_conformers_are_subtracted_and_settings_that_differ_are_named(runs):
    found = qd.compare_runs(runs / "one", runs / "wide")
    assert [(each.key, each.a, each.b) for each in found.inputs] == [
        ("prescreen.max_tight", 2, 4),
        ("prescreen.window_kcal_mol", 10.0, 20.0),
    ]
    assert (found.title_a, found.input_notes, found.versions) == ("Formic acid by GFN1-xTB", (), ())
    (level,) = found.levels
    assert level.calculations_a == level.calculations_b > 0
    assert level.differs_in == ()
    (compared,) = found.conformers
    assert compared.one_level
    assert (compared.reference, compared.turned_round) == ("Z", ())
    z_form, e_form = compared.conformers
    near_nothing = pytest.approx(0, abs=1e-8)
    assert (z_form.a, z_form.difference_kcal_mol) == ("Z", near_nothing)
    assert z_form.rmsd_angstrom == pytest.approx(0, abs=1e-6)
    # Two runs, and xTB's last digits on two threads are chance.
    assert e_form.b_kcal_mol == pytest.approx(e_form.a_kcal_mol, abs=1e-8)
    assert 0 < e_form.a_kcal_mol < 10


def test_energies_of_two_levels_are_counted_in_each_run_and_never_subtracted(runs):
    (compared,) = qd.compare_runs(runs / "one", runs / "two").conformers
    assert (compared.level_a, compared.level_b) == ("GFN1-xTB (tblite)", "GFN2-xTB (tblite)")
    assert not compared.one_level
    assert [each.difference_kcal_mol for each in compared.conformers] == [None, None]
    z_form, e_form = compared.conformers
    assert (z_form.a_kcal_mol, z_form.b_kcal_mol) == (0, 0)
    assert e_form.a_kcal_mol != e_form.b_kcal_mol
    assert 0 < z_form.rmsd_angstrom < 0.1


def test_another_version_of_an_engine_is_another_level(runs, tmp_path):
    older = tmp_path / "older"
    older.mkdir()
    shutil.copy(runs / "one" / "summary.json", older)
    store = Records(older)
    for record in Records(runs / "one", only_read=True):
        if isinstance(record, TaskRecord):
            level = record.level.model_copy(update={"engine_version": "0.7.0"})
            record = record.model_copy(update={"task": record.task.model_copy(update={"level": level})})
        store.append(record)
    found = qd.compare_runs(older, runs / "one")
    assert [each.differs_in for each in found.levels] == [
        ("tblite 0.7.0",),
        (f"tblite {found.levels[1].engine_version}",),
    ]
    assert not found.conformers[0].one_level
    assert found.inputs is None  # the copy lies elsewhere, and the way to its input leads nowhere
    assert "its input is not known, or is gone" in found.input_notes[0]


def test_molecules_that_differ_are_not_subtracted_though_their_labels_agree(runs, tmp_path):
    write_structures(tmp_path)
    for name in ("z.xyz", "e.xyz"):
        text = (tmp_path / name).read_text()
        (tmp_path / name).write_text(text.replace("multiplicity=1", "multiplicity=3"))
    (tmp_path / "triplet.toml").write_text(TOML.format(method="GFN1-xTB", more=""))
    qd.run(tmp_path / "triplet.toml", results=tmp_path / "results", workers=1)
    (compared,) = qd.compare_runs(runs / "one", tmp_path / "results" / "triplet").conformers
    assert compared.one_level
    first = compared.conformers[0]
    assert (first.a_kcal_mol, first.b_kcal_mol, first.difference_kcal_mol) == (0, 0, None)


def test_an_input_changed_since_is_said(runs, tmp_path):
    shutil.copytree(runs.parent, tmp_path / "copy")
    changed = tmp_path / "copy" / "one.toml"
    changed.write_text(changed.read_text() + "max_tight = 3\n")
    found = qd.compare_runs(tmp_path / "copy" / "results" / "one", tmp_path / "copy" / "results" / "wide")
    assert "was changed after the last run" in found.input_notes[0]
    assert ("prescreen.max_tight", 3, 4) in [(each.key, each.a, each.b) for each in found.inputs]


def test_the_command_prints_tables_or_json_and_names_what_is_no_run(runs, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    words = ["compare-runs", str(runs / "one"), str(runs / "two")]
    printed = CliRunner().invoke(app, words).stdout
    assert "prescreen.method" in printed
    assert "two levels: each counts from its own energy of the reference" in printed
    assert json.loads(CliRunner().invoke(app, [*words, "--json"]).stdout)["a"] == words[1]
    with pytest.raises(InputError, match="no such run directory; a folder results/NAME belongs here"):
        qd.compare_runs(runs / "none", runs / "one")


def test_kept_runs_of_older_versions_are_compared(tmp_path):
    for name in ("Cl", "Br"):
        shutil.copytree(INPUTS.parent / "results" / "kept" / "au13ag12-halides" / name, tmp_path / name)
    found = qd.compare_runs(tmp_path / "Cl", tmp_path / "Br")
    (profile,) = found.profiles
    assert profile.n_common == 7
    assert (profile.top_a_at, profile.top_b_at) == ((0.0,), (0.0,))
    (compared,) = found.conformers
    # The eclipsed rotamer that was kept is another start of it in each run.
    assert [(each.a, each.b) for each in compared.conformers] == [("S#2", "S#2"), ("E", "E#1")]
    assert all(each.difference_kcal_mol is None for each in compared.conformers)  # Cl is not Br
