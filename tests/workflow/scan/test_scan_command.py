"""A scan through the command line: side by side as one after another, killed and resumed, by DFT, and every mistake."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from small_scans import PEROXIDE_TURN, peroxide, relaxed

from qcdriver.engines import find
from qcdriver.models.coordinates import held
from qcdriver.models.level import Convergence, Model, Resources
from qcdriver.optimize.driving import driven
from qcdriver.optimize.relax import relax
from qcdriver.workflow.input import read_input
from qcdriver.workflow.open_run import open_run
from qcdriver.workflow.scan.stage import Scan

INPUTS = Path(__file__).parents[3] / "inputs"

PEROXIDE = """
title = "HOOH"
[structure]
source = "xyz"
[structure.isomers.gauche]
file = "hooh-gauche.xyz"
[prescreen]
method = "GFN1-xTB"
preoptimize = "none"
[scan]
mirror = true
dft_points = "none"
[[scan.coordinate]]
kind = "dihedral"
atoms = [2, 0, 1, 3]
start_deg = -180
stop_deg = 160
step_deg = 20
[resources]
threads = 1
memory_mb = 2000
"""
N_UNIQUE = 10
"""Of the 18 points: -180, -160, ..., 0 deg."""
SAME = 1e-5
"""Hartree."""
UNTIL = Convergence(max_force=2e-4, energy_change=1e-6, max_steps=50)


def command(*words: object) -> list[str]:
    return [sys.executable, "-m", "qcdriver.cli", *map(str, words)]


def qcdriver(*words: object) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.run(command(*words), capture_output=True, text=True, check=False, env=environment)


def write_input(folder: Path, text: str) -> Path:
    shutil.copy(INPUTS / "hooh-gauche.xyz", folder)
    (folder / "hooh.toml").write_text(text)
    return folder / "hooh.toml"


def scan_records(results: Path) -> list[dict]:
    """Give what was relaxed for the scan; a line that a kill cut off is none."""
    path = results / "hooh" / "records.jsonl"
    lines = path.read_text().splitlines() if path.exists() else []
    records = [json.loads(line) for line in lines if line.endswith("}")]
    return [record for record in records if record["stage"] == "scan" and "task" in record]


def profile(results: Path) -> list[dict]:
    (found,) = json.loads((results / "hooh" / "summary.json").read_text())["profiles"]
    return found["points"]


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """One point after another."""
    folder = tmp_path_factory.mktemp("alone")
    run = qcdriver("run", write_input(folder, PEROXIDE), "--results", folder / "results", "--jobs", 1)
    assert run.returncode == 0, run.stderr
    return folder / "results"


def assert_same(results: Path, reference: Path) -> None:
    """Compare two profiles and what was relaxed for them."""
    points, expected = profile(results), profile(reference)
    assert [point["target"] for point in points] == [point["target"] for point in expected]
    for point, same in zip(points, expected, strict=True):
        assert point["energy_hartree"] == pytest.approx(same["energy_hartree"], abs=SAME)
        assert point["label"] == same["label"]
    labels = [sorted(record["label"] for record in scan_records(each)) for each in (results, reference)]
    assert labels[0] == labels[1]


def test_of_a_full_turn_with_its_mirror_image_half_is_relaxed_and_all_is_told(alone):
    assert len(profile(alone)) == 18
    values = [record["task"]["targets"][0]["value_deg"] for record in scan_records(alone)]
    assert len(set(values)) == N_UNIQUE + 1  # and the place where the mirror image is checked
    assert sum(value > 0 for value in values) == 1
    (check,) = json.loads((alone / "hooh" / "summary.json").read_text())["mirror_checks"]
    assert check["passed"]


def test_points_side_by_side_give_the_same_profile_as_one_after_another(alone, tmp_path):
    run = qcdriver("run", write_input(tmp_path, PEROXIDE), "--results", tmp_path / "results", "--jobs", 2)
    assert run.returncode == 0, run.stderr
    assert_same(tmp_path / "results", alone)


def test_a_scan_killed_again_and_again_computes_no_point_twice(alone, tmp_path):
    """Wherever it is hit, it goes on from what it had, to the same profile."""
    where, results, whole = random.Random(6), tmp_path / "results", len(scan_records(alone))
    start = command("run", write_input(tmp_path, PEROXIDE), "--results", results, "--jobs", 2)
    for at_least in sorted(where.sample(range(1, whole - 2), 3)):
        run = subprocess.Popen(start, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        while len(scan_records(results)) < at_least and run.poll() is None:
            time.sleep(0.005)
        time.sleep(where.uniform(0.0, 0.02))
        run.send_signal(signal.SIGKILL)
        run.wait()
    kept = len(scan_records(results))
    assert 1 <= kept < whole
    again = qcdriver(*start[3:])
    assert again.returncode == 0, again.stderr
    assert f"computed {whole - kept} calculations" in again.stderr
    keys = [record["key"] for record in scan_records(results)]
    assert len(keys) == len(set(keys)) == whole
    assert_same(results, alone)


def test_another_method_takes_over_no_point(alone, tmp_path):
    """GFN2-xTB in the folder of GFN1-xTB: each of its relaxations starts from its own, and its profile is its own."""
    results = tmp_path / "results"
    shutil.copytree(alone, results)
    run = qcdriver("run", write_input(tmp_path, PEROXIDE.replace("GFN1", "GFN2")), "--results", results, "--jobs", 2)
    assert run.returncode == 0, run.stderr
    (found,) = json.loads((results / "hooh" / "summary.json").read_text())["profiles"]
    assert found["level"].startswith("GFN2-xTB")
    own = scan_records(results)[len(scan_records(alone)) :]
    assert len(own) > N_UNIQUE
    assert {each["task"]["level"]["model"]["method"] for each in own} == {"GFN2-xTB"}
    before = {record["key"] for record in scan_records(alone)}
    assert not before & {parent for each in own for parent in each["parents"]}
    assert {point["key"] for point in found["points"]} <= {each["key"] for each in own}


BY_DFT = (
    PEROXIDE.replace(
        "mirror = true", 'relax = "dft"\nthreshold = { max_force_ev_angstrom = 0.01, energy_change_ev = 1e-4 }'
    )
    .replace("start_deg = -180\nstop_deg = 160\nstep_deg = 20", "start_deg = 90\nstop_deg = 150\nstep_deg = 30")
    .replace("threads = 1", "threads = 2")
    + """[dft]
method = "pbe"
basis = "sto-3g"
device = "cpu"
[dft.keywords]
grid_level = 2
"""
)


@pytest.fixture(scope="module")
def by_dft(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dft")
    path = write_input(folder, BY_DFT)
    run = qcdriver("run", path, "--results", folder / "results", "--only", "prescreen")
    assert run.returncode == 0, run.stderr
    run = qcdriver("run", path, "--results", folder / "results", "--only", "scan", "--jobs", 2)
    assert run.returncode == 0, run.stderr
    return path


def test_a_scan_by_dft_is_relaxed_at_the_level_of_the_input(by_dft):
    records = scan_records(by_dft.parent / "results")
    assert len(records) == 3
    for record in records:
        assert record["task"]["level"]["model"] == {"method": "pbe", "basis": "sto-3g"}
        assert record["task"]["level"]["keywords"]["grid_level"] == 2
        # The machine whole, though two jobs may run: memory is what limits DFT.
        assert record["provenance"]["threads"] == 2


def test_a_point_relaxed_by_dft_is_a_direct_relaxation(by_dft):
    level = find("pyscf").level(Model(method="pbe", basis="sto-3g"), {"grid_level": 2})
    molecule = relaxed(peroxide()).molecule
    for record in scan_records(by_dft.parent / "results"):
        target = held(PEROXIDE_TURN, record["task"]["targets"][0]["value_deg"])
        start = driven(molecule, [target])
        calculation = find("pyscf").prepare(start, level, Resources(), lambda line: None)
        direct = relax(start, calculation, UNTIL, targets=[target])
        assert record["outcome"]["result"]["energy"] == pytest.approx(direct.result.energy, abs=SAME)


@pytest.mark.parametrize(
    ("old", "new", "finished"),
    [
        ('basis = "sto-3g"', 'basis = "3-21g"', False),
        ("grid_level = 2", "grid_level = 3", False),
        ('relax = "dft"', 'relax = "xtb"', False),
        ("max_force_ev_angstrom = 0.01", "max_force_ev_angstrom = 0.02", False),
        ('device = "cpu"', 'device = "auto"', True),
        ('dft_points = "none"', 'dft_points = "all"', True),
    ],
)
def test_a_scan_by_dft_stands_as_long_as_its_dft_does(by_dft, tmp_path, old, new, finished):
    assert old in BY_DFT
    path = write_input(tmp_path, BY_DFT.replace(old, new))
    this = open_run(read_input(path), path, by_dft.parent / "results", only_read=True)
    assert (this.verdicts(Scan) is not None) == finished


def test_a_scan_by_dft_that_the_memory_cannot_hold_is_refused_before_anything_is_computed(tmp_path):
    path = write_input(tmp_path, BY_DFT.replace("memory_mb = 2000", "memory_mb = 110"))
    run = qcdriver("run", path, "--results", tmp_path / "results")
    assert run.returncode == 3, run.stderr
    refusal = run.stderr.splitlines()[-1]
    assert re.match(rf"qcdriver: {re.escape(str(path))}: \[scan\] \d+ basis functions need about \d+ MB", refusal)
    assert refusal.endswith("; what comes before it runs with --only prescreen")
    assert not (tmp_path / "results" / "hooh" / "records.jsonl").read_text()
    check = qcdriver("check", path)
    plan = [line.strip() for line in check.stdout.splitlines()]
    assert plan[plan.index(next(line for line in plan if line.startswith("scan:"))) + 3].startswith("does not fit: ")


def test_a_scan_by_dft_that_is_done_is_not_refused_on_a_smaller_machine(by_dft):
    small = by_dft.with_name("small")
    small.mkdir()
    shutil.copytree(by_dft.parent / "results", small / "results")
    path = write_input(small, BY_DFT.replace("memory_mb = 2000", "memory_mb = 110"))
    run = qcdriver("run", path, "--results", small / "results", "--only", "scan")
    assert run.returncode == 0, run.stderr
    assert "nothing to compute" in run.stderr


ACETYLENE = "4\nacetylene\nC 0 0 0.6\nC 0 0 -0.6\nH 0 0 1.66\nH 0 0 -1.66\n"
WATER = "3\nwater\nO 0 0 0\nH 0.76 0 0.58\nH -0.76 0 0.58\n"
OXYWATER = "4\noxywater\nO 0 0 0\nO 1.5 0 0\nH -0.4 0.8 0.4\nH -0.4 -0.8 0.4\n"
ANOTHER_ORDER = "4\nHOOH\nH 0.78 0.90 0.50\nO 0 0.73 -0.05\nO 0 -0.73 -0.05\nH -0.78 -0.90 0.50\n"
CHIRAL = "6\nCHClFOH\nC 0 0 0\nF 1.35 0 0\nCl -0.6 1.65 0\nO -0.5 -0.7 1.15\nH -0.4 -0.6 -0.85\nH 0.1 -1.3 1.6\n"
DIHEDRAL = 'kind = "dihedral"\natoms = [2, 0, 1, 3]'
TWIST = 'kind = "twist"\naxis = [0, 1]\nrings = '
SECOND = '[structure.isomers.second]\nfile = "second.xyz"\n[prescreen]'
AGAIN = '[[scan.coordinate]]\nkind = "dihedral"\natoms = [3, 1, 0, 2]\nstart_deg = 0\nstop_deg = 9\nstep_deg = 3\n'
BOND = '[[scan.coordinate]]\nkind = "distance"\natoms = [0, 1]\nstart_angstrom = 1\nstop_angstrom = 2\n'


COARSE_DFT = 'relax = "dft"\n[dft]\nmethod = "pbe"\nbasis = "sto-3g"\nkeywords = { grid_level = 0 }\n'


@pytest.mark.parametrize(
    ("old", "new", "second", "words"),
    [
        ("[2, 0, 1, 3]", "[2, 0, 1, 9]", None, ["scan.coordinate.0", "atom 9", "there are 4"]),
        ("[2, 0, 1, 3]", "[2, 0, 1, 2]", None, ["scan.coordinate.0", "[2, 0, 1, 2]", "different"]),
        (DIHEDRAL, f"{TWIST}[[2], [2]]", None, ["scan.coordinate.0", "atom 2", "overlap"]),
        (DIHEDRAL, f"{TWIST}[[0], [3]]", None, ["scan.coordinate.0", "atom 0", "overlap"]),
        (DIHEDRAL, 'kind = "twist"', None, ["scan.coordinate.0", "H2O2", "rod"]),
        ('"dihedral"', '"dihedrall"', None, ["scan.coordinate.0.kind", "dihedrall", "'dihedral'"]),
        ("step_deg = 20", "step_deg = 0.0003", None, ["scan.coordinate.0", "10000 points", "step_deg"]),
        ("[resources]", f"{BOND}step_angstrom = 0.001\n[resources]", None, ["coordinate", "more than 10000 points"]),
        ("[resources]", f"{AGAIN}[resources]", None, ["scan", "both are the same"]),
        ("step_deg = 20", "", None, ["scan.coordinate.0", "step_deg"]),
        ('file = "hooh-gauche.xyz"', 'file = "second.xyz"', ACETYLENE, ["scan.coordinate.0", "collinear"]),
        (
            'file = "hooh-gauche.xyz"\n',
            'file = "second.xyz"\n',
            CHIRAL,
            ["scan.mirror", "atom 0", "four different neighbours"],
        ),
        ("[prescreen]", SECOND, WATER, ["structure.isomers.second", "H2O", "H2O2", "no conformers"]),
        ("[prescreen]", SECOND, OXYWATER, ["structure.isomers.second", "other bonds", "no conformers"]),
        ("[prescreen]", SECOND, ANOTHER_ORDER, ["structure.isomers.second", "atom 0", "order"]),
        ("mirror = true", 'relax = "dft"', None, ["scan.relax", "[dft]"]),
        ('mirror = true\ndft_points = "none"\n', COARSE_DFT, None, ["[scan] forces need grid_level = 1 or more"]),
    ],
    ids=[
        "no such atom",
        "an atom twice",
        "overlapping rings",
        "a ring over its axis",
        "no rod",
        "no such kind",
        "a million points",
        "a map of too many points",
        "one coordinate twice",
        "no step",
        "collinear atoms",
        "a mirror image that is another molecule",
        "another molecule",
        "an isomer",
        "another order of atoms",
        "dft without dft",
        "forces on too coarse a grid",
    ],
)
def test_a_mistake_in_a_scan_is_one_line_that_names_the_key_before_anything_is_computed(
    tmp_path, old, new, second, words
):
    assert old in PEROXIDE
    path = write_input(tmp_path, PEROXIDE.replace(old, new, 1))
    (tmp_path / "second.xyz").write_text(second or WATER)
    run = qcdriver("run", path, "--results", tmp_path / "results")
    assert run.returncode == 2, run.stderr
    complaints = [line for line in run.stderr.splitlines() if line.startswith("qcdriver: ")]
    assert complaints == run.stderr.strip().splitlines()[-1:]
    for word in (str(path), *words):
        assert word in complaints[0]
    records = tmp_path / "results" / "hooh" / "records.jsonl"
    assert not records.exists() or not records.read_text()


def test_where_no_start_converges_every_point_is_a_failure_with_its_reason(tmp_path):
    hasty = "mirror = true\nthreshold = { max_force_ev_angstrom = 1e-9, energy_change_ev = 1e-9, max_steps = 1 }"
    path = write_input(tmp_path, PEROXIDE.replace("mirror = true", hasty))
    run = qcdriver("run", path, "--results", tmp_path / "results", "--jobs", 2)
    assert run.returncode == 1
    assert "Traceback" not in run.stderr
    summary = json.loads((tmp_path / "results" / "hooh" / "summary.json").read_text())
    assert not summary["profiles"]
    reasons = [each["reason"] for each in summary["failed"]]
    assert len(reasons) == N_UNIQUE
    assert sum("not converged in 1 steps" in reason for reason in reasons) == 1
    assert reasons.count("no neighbour has a structure to start from") == N_UNIQUE - 1
