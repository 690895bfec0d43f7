"""A run with stationary points, by the command: tables, files, exports, and nothing computed twice."""

from __future__ import annotations

import csv
import json
import subprocess
import sys

import pytest

from qcdriver.engines import find
from qcdriver.errors import InputError
from qcdriver.execution.slurm.steps import plan_steps
from qcdriver.workflow.input import read_input
from qcdriver.workflow.open_run import open_run

DISULFANE = """4

S 0.0 0.0 0.0
S 2.07 0.0 0.0
H -0.16 1.33 0.0
H 2.23 0.3 1.3
"""
INPUT = """
title = "Disulfane"
[structure]
source = "xyz"
[structure.isomers.gauche]
file = "disulfane.xyz"
[prescreen]
engine = "tblite"
preoptimize = "none"
[scan]
mirror = true
[[scan.coordinate]]
kind = "dihedral"
atoms = [2, 0, 1, 3]
start_deg = 0
stop_deg = 180
step_deg = 30
[resources]
threads = 1
"""
STATIONARY = "[stationary]\nmax_force_ev_angstrom = 0.01\n"


def qcdriver(*words: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "qcdriver.cli", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def write(folder, text):
    (folder / "disulfane.xyz").write_text(DISULFANE)
    path = folder / "disulfane.toml"
    path.write_text(text)
    return path


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    if missing := find("tblite").missing():
        pytest.skip(missing)
    folder = tmp_path_factory.mktemp("run")
    path = write(folder, INPUT + STATIONARY)
    return qcdriver("run", path, "--results", folder, "--jobs", 1), path, folder


def test_the_run_ends_with_the_saddles_a_file_and_a_picture(finished):
    run, _, folder = finished
    assert run.returncode == 0, run.stderr
    assert "Saddles, kcal/mol, GFN1-xTB (tblite)" in run.stdout
    assert "relaxed freely, verified by the wavenumbers of 4 atoms" in run.stdout
    assert (folder / "disulfane" / "network.png").read_bytes().startswith(b"\x89PNG")
    network = json.loads((folder / "disulfane" / "network.json").read_text())
    assert network["refined"]
    (minimum,) = network["minima"]
    assert minimum["n_imaginary"] == 0
    trans, cis = network["saddles"]
    assert (trans["label"], cis["label"]) == ("180 deg", "0 deg")
    assert 0 < trans["barrier_kcal_mol"] < cis["barrier_kcal_mol"]
    assert trans["n_imaginary"] == cis["n_imaginary"] == 1
    assert trans["between"] == [minimum["label"]] * 2


def test_the_same_command_again_computes_nothing(finished):
    _, path, folder = finished
    again = qcdriver("run", path, "--results", folder)
    assert again.returncode == 0
    assert "nothing to compute" in again.stderr


def test_without_its_table_the_report_shows_the_grid_and_says_so(finished):
    _, path, folder = finished
    path.write_text(INPUT)
    shown = qcdriver("report", path, "--results", folder)
    path.write_text(INPUT + STATIONARY)
    assert shown.returncode == 0, shown.stderr
    assert "on the grid, not refined" in shown.stdout
    assert "Passes, kcal/mol" in shown.stdout


def test_exports_have_the_vibrations_as_the_energy_at_their_geometry(finished):
    _, _, folder = finished
    run = folder / "disulfane"
    for form in ("csv", "qcschema", "xyz"):
        done = qcdriver("records", run, "--export", form, "-o", folder / f"out.{form}")
        assert done.returncode == 0, done.stderr
    rows = list(csv.DictReader((folder / "out.csv").open()))
    vibrations = [row for row in rows if row["kind"] == "vibrations"]
    assert len(vibrations) == 3
    assert all(float(row["energy_hartree"]) < 0 for row in vibrations)


def test_the_plan_names_the_stage_and_slurm_gives_it_one_job_after_the_scan(finished, tmp_path):
    _, path, _ = finished
    assert "stationary: GFN1-xTB (tblite)" in qcdriver("check", path).stdout
    steps = {step.name: step for step in plan_steps(open_run(read_input(path), path, tmp_path))}
    assert steps["stationary.0"].after == ("scan.0",)
    assert (steps["stationary.0"].width, steps["stationary.0"].work) == (1, "stage")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (INPUT.split("[scan]")[0] + STATIONARY, r"\[stationary\] needs a table \[scan\]"),
        (
            INPUT.replace('preoptimize = "none"', "hold_metal = true") + STATIONARY,
            r"\[stationary\] needs prescreen.hold_metal = false",
        ),
        (INPUT + "[stationary]\nimage = 5\n", "stationary.image: unknown key; did you mean images"),
    ],
)
def test_what_cannot_be_is_one_clear_line(tmp_path, text, words):
    with pytest.raises(InputError, match=words):
        read_input(write(tmp_path, text))


def test_a_core_that_is_none_is_refused_before_anything_is_computed(tmp_path):
    path = write(tmp_path, INPUT + "[stationary]\ncore_only = true\n")
    run = qcdriver("run", path, "--results", tmp_path)
    assert run.returncode == 2
    assert "[stationary] core_only = true: H2S2 has no metal core" in run.stderr
    assert "prescreen 1/1" not in run.stderr
