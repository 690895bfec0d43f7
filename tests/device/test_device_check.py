"""The device check passes a dry run: every step, its limits and its files, on the stand-in for a GPU."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.gpu_rehearsal

CHECK = Path(__file__).parent / "check.py"
STEPS = ("agreement", "model-energy", "model-gradient", "cluster-energy", "cluster-gradient", "tests")


def check(folder, environment, *arguments):
    command = [sys.executable, str(CHECK), "--folder", str(folder), "--small", *arguments]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    findings = [json.loads(line) for line in (folder / "findings.jsonl").read_text().splitlines()]
    return run, {found["step"]: found for found in findings}


def test_a_step_is_written_out_and_one_without_time_left_says_so(tmp_path, rehearsal):
    (tmp_path / "kernels").mkdir()
    (tmp_path / "kernels" / "compiled.cubin").touch()
    environment = rehearsal | {"CUPY_CACHE_DIR": str(tmp_path / "kernels")}
    run, found = check(tmp_path, environment, "cluster-gradient")
    assert run.returncode == 0, run.stdout + run.stderr
    step = found["cluster-gradient"]
    assert step["good"]
    assert step["most_gpu_memory_mb"] >= 0
    log = (tmp_path / "cluster-gradient.log").read_text()
    assert "cycle= 1" in log  # gpu4pyscf's own words, and with them its timings
    assert "core potentials of 2 atoms, 2 at a time" in log
    assert (tmp_path / "kernels.tar").stat().st_size > 0
    assert (tmp_path / "cluster.chk").exists()
    run, found = check(tmp_path, environment, "--minutes", "0", "agreement")
    assert run.returncode == 1
    assert found["agreement"] == {"step": "agreement", "wall_s": 0.0, "good": False, "error": "no time was left for it"}


def test_a_step_that_hangs_is_ended_at_its_limit(tmp_path, rehearsal):
    run, found = check(tmp_path, rehearsal, "--minutes", "0.18", "agreement")
    assert run.returncode == 1
    assert "not done within 1 s" in found["agreement"]["error"]


@pytest.mark.slow
def test_a_dry_run_of_all_steps_passes(tmp_path, rehearsal):
    run, found = check(tmp_path, rehearsal, "--minutes", "30")
    assert run.returncode == 0, run.stdout + run.stderr
    assert tuple(found) == STEPS
    assert found["model-energy"]["off"]["energy"] < 1e-6
    assert found["cluster-energy"]["cycles"] > 1
