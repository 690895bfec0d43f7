"""A finished run goes on at another level: its conformers are candidates, and every number leads back to its input."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import qcdriver as qd
from qcdriver.cli import app
from qcdriver.errors import InputError
from qcdriver.models.outcomes import Relaxed

HOOH = (Path(__file__).parents[2] / "inputs" / "hooh-gauche.xyz").read_text()
FIRST = """
title = "first"
[structure]
source = "xyz"
molecular_charge = 1
molecular_multiplicity = 2
[structure.isomers.gauche]
file = "gauche.xyz"
[prescreen]
engine = "tblite"
preoptimize = "none"
max_bend_deg = 5.0
"""
SECOND = """
title = "second"
[structure]
source = "run"
run = "results/first"
[prescreen]
engine = "tblite"
method = "GFN2-xTB"
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "gauche.xyz").write_text(HOOH)
    (tmp_path / "first.toml").write_text(FIRST.replace("max_bend_deg = 5.0\n", ""))
    (tmp_path / "second.toml").write_text(SECOND)
    qd.run(tmp_path / "first.toml", results=tmp_path / "results", workers=1)
    return tmp_path


def test_the_conformers_of_a_run_are_candidates_with_their_geometry_charge_spin_and_origin(folder):
    first = qd.read_findings(folder / "first.toml", folder / "results")
    second = qd.run(folder / "second.toml", results=folder / "results", workers=1)
    (candidate,) = second.opened.candidates
    (conformer,) = first.conformers
    ended = first.record(conformer.key)
    assert candidate.label == conformer.label == "gauche"
    assert (candidate.origin.molecular_charge, candidate.origin.molecular_multiplicity) == (1, 2)
    assert candidate.origin == ended.outcome.molecule
    assert second.conformers[0].level == "GFN2-xTB (tblite)"
    # No force field before: the first relaxation begins where the other run ended.
    (cheap,) = [
        record
        for record in second.opened.records.query(qd.api.Selection(label="*cheap"))
        if record.level.model.method == "GFN2-xTB"
    ]
    assert np.array_equal(cheap.task.molecule.geometry, ended.outcome.molecule.geometry)
    assert cheap.parents == (ended.key,)
    assert isinstance(cheap.outcome, Relaxed)
    why = CliRunner().invoke(app, ["records", str(second.directory), "--why", second.conformers[0].key]).stdout
    assert why.index("GFN2-xTB") < why.index("GFN1-xTB (tblite)") < why.index("as the input gives it")
    assert "GFN1-xTB" in CliRunner().invoke(app, ["methods", str(second.directory)]).stdout
    page = (second.directory / "index.html").read_text()
    assert f"the conformers of {folder / 'results' / 'first'}, whose calculations are counted here" in page


def test_the_same_again_computes_nothing_without_the_first_runs_records_too(folder):
    done = qd.run(folder / "second.toml", results=folder / "results", workers=1)
    lines = len((done.directory / "records.jsonl").read_text().splitlines())
    again = qd.run(folder / "second.toml", results=folder / "results", workers=1)
    assert (again.tally.computed, again.summary) == (0, done.summary)
    assert len((done.directory / "records.jsonl").read_text().splitlines()) == lines
    checked = CliRunner().invoke(app, ["records", str(done.directory), "--check"])
    assert checked.exit_code == 0, checked.stdout


def test_a_changed_run_is_noticed_and_computed_anew(folder, capfd):
    qd.run(folder / "second.toml", results=folder / "results", workers=1)
    (folder / "first.toml").write_text(
        FIRST.replace("max_bend_deg = 5.0", "tight = { max_force_ev_angstrom = 0.0005, energy_change_ev = 1e-6 }")
    )
    qd.run(folder / "first.toml", results=folder / "results", workers=1)
    capfd.readouterr()
    again = qd.run(folder / "second.toml", results=folder / "results", workers=1, progress=True)
    told = capfd.readouterr().err
    assert "results/first is not what this run took from it before (changed: gauche)" in told
    assert f"gauche: taken from {folder / 'results' / 'first'}, as GFN1-xTB (tblite) relaxed it" in told
    assert again.tally.computed == 2


def test_starts_keep_their_labels_and_some_can_be_chosen(tmp_path):
    root = Path(__file__).parents[2]
    shutil.copytree(root / "results" / "kept" / "au13ag12", tmp_path / "rod")

    def candidates(more: str = "") -> list[str]:
        text = SECOND.replace("results/first", "rod").replace("[prescreen]", f"{more}\n[prescreen]")
        (tmp_path / "second.toml").write_text(text)
        return [label for label, _, _ in qd.build(tmp_path / "second.toml")]

    assert candidates() == ["S#2", "E"]
    assert candidates("[structure.isomers.E]") == ["E"]
    assert candidates('[structure.isomers.S]\nconformers = ["S#2"]') == ["S#2"]
    with pytest.raises(InputError, match=r"structure.isomers.S.conformers: .*rod has no 'S#1'; there are S#2"):
        candidates('[structure.isomers.S]\nconformers = ["S#1"]')
    with pytest.raises(InputError, match=r"structure.isomers.X: .*rod has no such isomer; there are S, E"):
        candidates("[structure.isomers.X]")


def test_what_is_no_run_is_refused_in_a_line(folder):
    def refused(run: str, words: str) -> None:
        (folder / "third.toml").write_text(SECOND.replace("results/first", run))
        with pytest.raises(InputError, match=words):
            qd.run(folder / "third.toml", results=folder / "results", workers=1)

    refused("results/none", "results/none: no such run directory")
    shutil.copytree(folder / "results" / "first", folder / "results" / "third", dirs_exist_ok=True)
    (folder / "results" / "third" / "input.json").unlink()
    refused("results/third", "is the directory of this very run")
    summary = json.loads((folder / "results" / "first" / "summary.json").read_text())
    summary["conformers"][0]["key"] = "0" * 32
    (folder / "results" / "first" / "summary.json").write_text(json.dumps(summary))
    refused("results/first", "the record of conformer gauche is damaged or gone")
