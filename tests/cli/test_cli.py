"""The command line as a person uses it: the funnel on hydrogen peroxide, resume, kill, Ctrl-C, and every mistake."""

from __future__ import annotations

import csv
import functools
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from ase.io import read

from qcdriver import __version__

INPUTS = Path(__file__).parents[2] / "inputs"

SMALL_INPUT = """
title = "HOOH"
[structure]
source = "xyz"
[structure.isomers.gauche]
file = "hooh-gauche.xyz"
[structure.isomers.twisted]
file = "hooh-twisted.xyz"
[prescreen]
method = "GFN1-xTB"
preoptimize = "none"
[scan]
dft_points = "all"
[[scan.coordinate]]
kind = "dihedral"
atoms = [2, 0, 1, 3]
start_deg = 60
stop_deg = 180
step_deg = 30
[dft]
method = "pbe"
basis = "sto-3g"
device = "cpu"
[dft.keywords]
grid_level = 0
[resources]
threads = 2
memory_mb = 2000
"""


def qcdriver(*words: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "qcdriver.cli", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def small_input(tmp_path_factory):
    folder = tmp_path_factory.mktemp("input")
    for name in ("hooh-gauche.xyz", "hooh-twisted.xyz"):
        shutil.copy(INPUTS / name, folder / name)
    path = folder / "hooh.toml"
    path.write_text(SMALL_INPUT)
    return path


@pytest.fixture(scope="module")
def finished(small_input, tmp_path_factory):
    results = tmp_path_factory.mktemp("results")
    return qcdriver("run", small_input, "--results", results), results


def dft_records(results: Path) -> list[dict[str, object]]:
    path = results / "hooh" / "records.jsonl"
    lines = path.read_text().splitlines() if path.exists() else []
    records = [json.loads(line) for line in lines]
    return [record for record in records if record["stage"] == "dft" and "task" in record]


def test_the_funnel_ends_with_table_summary_and_picture(finished):
    run, results = finished
    assert run.returncode == 0, run.stderr
    assert "Profile of the dihedral, pbe/sto-3g (pyscf)" in run.stdout
    assert (results / "hooh" / "profile.png").read_bytes().startswith(b"\x89PNG")
    summary = json.loads((results / "hooh" / "summary.json").read_text())
    for conformer in summary["conformers"]:
        assert {"label", "level", "relative_energy_kcal_mol", "gap_ev", "converged"} <= set(conformer)
        assert conformer["converged"]
    gfn1, dft = summary["profiles"]
    assert gfn1["coordinates"] == dft["coordinates"] == ["dihedral_deg"]
    values = [point["reached"][0] for point in gfn1["points"]]
    assert values == pytest.approx([60, 90, 120, 150, 180], abs=0.1)
    assert len(dft["points"]) == len(values) + 1  # and the conformer itself
    for profile in (gfn1, dft):
        lowest = min(profile["points"], key=lambda point: point["relative_energy_kcal_mol"])
        assert lowest["relative_energy_kcal_mol"] == 0
        assert lowest["reached"][0] >= 90  # the eclipsed end is the top of the torsion


def test_tables_and_pictures_appear_as_stages_end_and_run_says_where_to_look(finished):
    run, results = finished
    words = (
        "Conformers, GFN1-xTB (xtb)",
        f"prescreen done; look at {results / 'hooh' / 'index.html'}",
        "Profile of the dihedral, GFN1-xTB (xtb)",
        f"scan done; look at {results / 'hooh' / 'index.html'}; pictures beside it: profile.png",
        "Profile of the dihedral, pbe/sto-3g (pyscf)",
        f"dft done; look at {results / 'hooh' / 'index.html'}; pictures beside it: profile.png, density_of_states.png",
    )
    places = [run.stderr.index(word) for word in words]
    assert places == sorted(places)


def test_the_other_hand_is_dropped_as_a_duplicate_with_its_reason(finished):
    run, _ = finished
    assert re.search(r"prescreen (gauche|twisted): the same structure as (gauche|twisted)", run.stdout)


def test_the_same_command_again_computes_nothing(finished, small_input):
    _, results = finished
    before = (results / "hooh" / "records.jsonl").read_bytes()
    again = qcdriver("run", small_input, "--results", results)
    assert again.returncode == 0
    assert "nothing to compute" in again.stderr
    assert (results / "hooh" / "records.jsonl").read_bytes() == before


def test_a_changed_basis_computes_only_the_single_points(finished, small_input, tmp_path):
    _, results = finished
    copied = tmp_path / "results"
    shutil.copytree(results, copied)
    changed = small_input.with_name("changed")
    changed.mkdir()
    for name in ("hooh-gauche.xyz", "hooh-twisted.xyz"):
        shutil.copy(INPUTS / name, changed / name)
    (changed / "hooh.toml").write_text(SMALL_INPUT.replace("sto-3g", "3-21g"))
    again = qcdriver("run", changed / "hooh.toml", "--results", copied)
    assert "computed 6 calculations" in again.stderr
    assert "pbe/3-21g" in again.stdout
    assert "pbe/sto-3g" not in again.stdout


def test_report_gives_the_same_findings_without_computing(finished, small_input):
    run, results = finished
    report = qcdriver("report", small_input, "--results", results)
    assert report.returncode == 0
    assert report.stdout == run.stdout
    as_json = json.loads(qcdriver("report", small_input, "--results", results, "--json").stdout)
    assert as_json == json.loads((results / "hooh" / "summary.json").read_text())


def test_a_report_of_what_has_not_run_says_so_and_makes_nothing(small_input, tmp_path):
    report = qcdriver("report", small_input, "--results", tmp_path / "nothing")
    assert report.returncode == 2
    assert "no run is here" in report.stderr
    assert not (tmp_path / "nothing").exists()


def test_a_report_over_a_damaged_line_says_so(finished, small_input, tmp_path):
    _, results = finished
    shutil.copytree(results / "hooh", tmp_path / "hooh")
    with (tmp_path / "hooh" / "records.jsonl").open("a") as file:
        file.write("garbage\n")
    report = qcdriver("report", small_input, "--results", tmp_path)
    assert report.returncode == 0
    assert "1 damaged line(s) were stepped over" in report.stderr


def test_records_are_listed_and_exported(finished):
    _, results = finished
    run = results / "hooh"
    listed = qcdriver("records", run)
    assert listed.returncode == 0, listed.stderr
    assert "GFN1-xTB" in listed.stdout
    rows = list(csv.DictReader(io.StringIO(qcdriver("records", run, "--stage", "dft", "--export", "csv").stdout)))
    assert len(rows) == 6
    assert all(float(row["energy_hartree"]) < -100 for row in rows)
    frames = read(io.StringIO(qcdriver("records", run, "--stage", "scan", "--export", "xyz").stdout), ":", "extxyz")
    assert all(frame.get_chemical_formula() == "H2O2" for frame in frames)
    assert frames[0].info["level"] == "GFN1-xTB (xtb)" or frames[0].info["level"] == "GFN1-xTB (tblite)"
    lines = qcdriver("records", run, "--export", "json").stdout.splitlines()
    assert lines == [line for line in (run / "records.jsonl").read_text().splitlines() if '"qcdriver_task"' in line]
    assert "-149" not in qcdriver("records", run, "--failed").stdout


def test_a_folder_that_is_no_run_is_one_line(tmp_path):
    run = qcdriver("records", tmp_path)
    assert run.returncode == 2
    assert run.stderr == f"qcdriver: {tmp_path}: no run is here (there is no records.jsonl)\n"


def test_a_stage_alone_needs_the_earlier_ones(small_input, tmp_path):
    early = qcdriver("run", small_input, "--results", tmp_path, "--only", "dft")
    assert early.returncode == 2
    assert "[prescreen] has not finished" in early.stderr
    for stage in ("prescreen", "scan", "dft"):
        assert qcdriver("run", small_input, "--results", tmp_path, "--only", stage).returncode == 0
    assert "nothing to compute" in qcdriver("run", small_input, "--results", tmp_path).stderr


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM], ids=["killed", "Ctrl-C", "time limit"])
def test_a_run_cut_short_loses_only_the_point_in_flight(small_input, tmp_path, how):
    command = [sys.executable, "-m", "qcdriver.cli", "run", str(small_input), "--results", str(tmp_path)]
    # What a shell starts in the background ignores Ctrl-C, and so would what this test starts.
    heed = functools.partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    run = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=heed)
    while len(dft_records(tmp_path)) < 2:
        assert run.poll() is None, run.stderr.read()
        time.sleep(0.01)
    run.send_signal(how)
    _, stderr = run.communicate()
    kept = len(dft_records(tmp_path))
    if how != signal.SIGKILL:
        assert run.returncode == 130
        assert "interrupted; what was done is kept" in stderr
        assert "Traceback" not in stderr
    again = qcdriver("run", small_input, "--results", tmp_path)
    assert again.returncode == 0
    assert (f"computed {6 - kept} calculations" if kept < 6 else "nothing to compute") in again.stderr
    keys = [record["key"] for record in dft_records(tmp_path)]
    assert len(keys) == len(set(keys)) == 6


@pytest.mark.parametrize(
    ("old", "new", "words", "code"),
    [
        ('basis = "sto-3g"', 'basis = "sto-3gg"', ["sto-3gg"], 2),
        ('method = "pbe"', 'method = "pbee"', ["pbee"], 2),
        ("grid_level = 0", "grid_levle = 0", ["grid_levle", "grid_level"], 2),
        ('source = "xyz"', 'source = "xyz"\nmolecular_charge = 1', ["multiplicity 1", "17 electrons"], 2),
        ('source = "xyz"', 'source = "xyz"\nmolecular_multiplicity = 41', ["multiplicity 41"], 2),
        ('file = "hooh-gauche.xyz"', 'file = "nowhere.xyz"', ["nowhere.xyz"], 2),
        ("atoms = [2, 0, 1, 3]", "atoms = [2, 0, 1, 9]", ["9"], 2),
        ('kind = "dihedral"\natoms = [2, 0, 1, 3]', 'kind = "twist"', ["H2O2", "rod"], 2),
        ('device = "cpu"', 'device = "gpu"', ["GPU"], 3),
    ],
)
def test_a_mistake_is_one_line_before_anything_is_computed(small_input, tmp_path, old, new, words, code):
    if code == 3:
        from qcdriver.engines.pyscf.gpu import gpu_missing

        if gpu_missing() is None:
            pytest.skip("this machine has a GPU")
    for name in ("hooh-gauche.xyz", "hooh-twisted.xyz"):
        shutil.copy(INPUTS / name, tmp_path / name)
    assert old in SMALL_INPUT
    path = tmp_path / "hooh.toml"
    path.write_text(SMALL_INPUT.replace(old, new, 1))
    run = qcdriver("run", path, "--results", tmp_path / "results")
    assert run.returncode == code, run.stderr
    last = run.stderr.strip().splitlines()[-1]
    assert last.startswith("qcdriver: ")
    for word in words:
        assert word in last
    assert "Traceback" not in run.stderr
    records = tmp_path / "results" / "hooh" / "records.jsonl"
    assert not records.exists() or not records.read_text()


def test_when_nothing_survives_the_verdicts_are_in_the_records(small_input, tmp_path):
    shutil.copytree(small_input.parent, tmp_path / "input")
    path = tmp_path / "input" / "hooh.toml"
    hasty = "cheap = { max_force_ev_angstrom = 1e-9, energy_change_ev = 1e-9, max_steps = 1 }\n[scan]"
    path.write_text(SMALL_INPUT.replace("[scan]", hasty, 1))
    run = qcdriver("run", path, "--results", tmp_path / "results")
    assert run.returncode == 1
    assert "no candidate survived the prescreen (gauche: not converged" in run.stderr
    last = json.loads((tmp_path / "results" / "hooh" / "records.jsonl").read_text().splitlines()[-1])
    assert {verdict["label"] for verdict in last["verdicts"]} == {"gauche", "twisted"}
    scan = qcdriver("run", path, "--results", tmp_path / "results", "--only", "scan")
    assert scan.returncode == 2
    assert "the scan has nowhere to start" in scan.stderr.splitlines()[-1]
    assert "Traceback" not in scan.stderr


def test_an_unwritable_results_folder_is_one_line(small_input, tmp_path):
    (tmp_path / "taken").write_text("a file")
    run = qcdriver("run", small_input, "--results", tmp_path / "taken")
    assert run.returncode == 2
    assert "cannot be written" in run.stderr


def test_build_writes_the_models_and_says_what_they_are(tmp_path):
    run = qcdriver("build", INPUTS / "au13ag12-full.toml", "-o", tmp_path)
    assert run.returncode == 0, run.stderr
    assert "C180H150Ag12Au13Cl8P10" in run.stdout
    assert "m/z 6761.4" in run.stdout
    assert {"E.xyz", "S.xyz"} <= {path.name for path in tmp_path.iterdir()}


PEROXIDE_CIF = """data_peroxide
_cell_length_a 12
_cell_length_b 12
_cell_length_c 12
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_space_group_symop_operation_xyz 'x,y,z'
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
O1 O 0.05 0.10 0.10
O2 O -0.07 0.10 0.10
H1 H 0.08 0.175 0.10
H2 H -0.10 0.10 0.175
"""


def test_crystal_lists_molecules_made_whole_and_an_input_can_start_from_one(tmp_path):
    (tmp_path / "peroxide.cif").write_text(PEROXIDE_CIF)
    listed = qcdriver("crystal", tmp_path / "peroxide.cif", "--json", "-o", tmp_path / "out")
    assert listed.returncode == 0, listed.stderr
    (molecule,) = json.loads(listed.stdout)["molecules"]
    assert json.loads(listed.stdout)["disagreements"] == []
    assert (molecule["formula"], molecule["natoms"], molecule["per_cell"]) == ("H2O2", 4, 1)
    assert len(list((tmp_path / "out").glob("*.xyz"))) == 1
    (tmp_path / "input.toml").write_text(
        'title = "from a crystal"\n[structure]\nsource = "cif"\n'
        f'[structure.isomers.A]\nfile = "peroxide.cif"\npick = "{molecule["label"]}"\n'
    )
    built = qcdriver("build", tmp_path / "input.toml", "-o", tmp_path / "models")
    assert built.returncode == 0, built.stderr
    assert "H2O2, 4 atoms" in built.stdout
    wrong = (tmp_path / "input.toml").read_text().replace(f'pick = "{molecule["label"]}"', 'pick = "Au25"')
    (tmp_path / "input.toml").write_text(wrong)
    refused = qcdriver("build", tmp_path / "input.toml", "-o", tmp_path / "models")
    assert refused.returncode == 2
    assert "pick = 'Au25' fits no molecule" in refused.stderr


def test_a_broken_crystal_file_is_one_line(tmp_path):
    (tmp_path / "broken.cif").write_text("data_x\n_cell_length_a ?\n")
    run = qcdriver("crystal", tmp_path / "broken.cif")
    assert run.returncode == 2
    assert len(run.stderr.strip().splitlines()) == 1
    assert "broken.cif" in run.stderr


def test_check_tells_engines_and_what_is_missing():
    run = qcdriver("check", "--json")
    assert run.returncode == 0
    status = json.loads(run.stdout)["machine"]
    assert {engine["name"] for engine in status["engines"]} == {"xtb", "tblite", "pyscf", "oniom"}
    for engine in status["engines"]:
        assert engine["version"] or "pip install" in engine["missing"]
    assert status["threads"] == len(os.sched_getaffinity(0))


def test_check_estimates_a_gpu_that_is_not_here(tmp_path):
    path = tmp_path / "for-a-gpu.toml"
    path.write_text((INPUTS / "au13ag12.toml").read_text().replace('device = "auto"', 'device = "gpu"'))
    run = qcdriver("check", path, "--gpu", "h100")
    assert run.returncode == 0, run.stderr
    assert "on one GPU, h100 (81559 MB), estimated" in run.stdout
    assert "all of them, on one GPU: " in run.stdout
    assert json.loads(qcdriver("check", path, "--gpu", "64", "--json").stdout)["gpu"]["total_mb"] == 65536
    wrong = qcdriver("check", path, "--gpu", "abacus")
    assert wrong.returncode == 2
    assert "no GPU named 'abacus'; there are v100" in wrong.stderr


def test_check_of_an_input_says_what_it_would_run():
    run = qcdriver("check", INPUTS / "au13ag12.toml")
    assert run.returncode == 0, run.stderr
    assert "Ag12Au13Cl8H30P10, 73 atoms" in run.stdout
    assert "candidates: E, E#1, E#2, S, S#1, S#2" in run.stdout
    assert "754 basis functions" in run.stdout  # PBE/LANL2DZ of this model, counted by PySCF 2.14


@pytest.mark.parametrize("module", ["qcdriver", "qcdriver.cli"])
def test_python_runs_the_package_as_it_runs_the_command(module):
    done = subprocess.run([sys.executable, "-m", module, "--version"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"qcdriver {__version__}\n", "")
