"""A run that is killed inside a relaxation by DFT goes on from its last step, to the same minimum."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from qcdriver.models.records import TaskRecord
from qcdriver.store import Records
from qcdriver.store.selection import Selection

PEROXIDE = "4\n\nO 0 0.73 0\nO 0 -0.73 0\nH 0.80 0.90 0.50\nH -0.80 -0.90 0.50\n"
INPUT = """
title = "hydrogen peroxide, refined"
[structure]
source = "xyz"
[structure.isomers.gauche]
file = "gauche.xyz"
[prescreen]
engine = "tblite"
preoptimize = "none"
[refine]
threshold = { max_force_ev_angstrom = 0.005, energy_change_ev = 1e-5 }
[dft]
method = "PBE"
basis = "def2-SVP"
device = "cpu"
[resources]
threads = 1
"""


def started(folder: Path, results: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "qcdriver.cli", "run", "peroxide.toml", "--results", results]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def gradients_saved(directory: Path) -> int:
    """Count the gradients in the steps file of the relaxation that goes on; 0 without one."""
    for path in (directory / "checkpoints").glob("[!.]*.steps"):
        with np.load(path) as saved:
            return int(saved["n_gradients"])
    return 0


def refinement(directory: Path) -> TaskRecord:
    records = Records(directory, only_read=True)
    (record,) = records.query(Selection(stage="refine"))
    records.close()
    return record


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "gauche.xyz").write_text(PEROXIDE)
    (tmp_path / "peroxide.toml").write_text(INPUT)
    return tmp_path


def test_a_kill_loses_one_step_at_most_and_the_minimum_is_the_same(folder):
    assert started(folder, "whole").wait() == 0
    whole = refinement(folder / "whole" / "peroxide")
    assert whole.outcome.n_gradients > 5
    assert whole.outcome.resumed_after == 0

    directory = folder / "killed" / "peroxide"
    process = started(folder, "killed")
    while (saved := gradients_saved(directory)) < 4:
        assert process.poll() is None
        time.sleep(0.05)
    process.kill()
    process.wait()
    time.sleep(2)  # its worker sees that it is gone
    assert gradients_saved(directory) >= saved

    assert started(folder, "killed").wait() == 0
    resumed = refinement(directory)
    assert resumed.key == whole.key
    assert resumed.outcome.resumed_after >= saved
    assert resumed.outcome.n_gradients - resumed.outcome.resumed_after <= whole.outcome.n_gradients - saved
    assert abs(resumed.outcome.n_gradients - whole.outcome.n_gradients) <= 1
    assert resumed.outcome.result.energy == pytest.approx(whole.outcome.result.energy, abs=1e-6)
    assert resumed.outcome.energies[: saved - 1] == pytest.approx(whole.outcome.energies[: saved - 1], abs=1e-7)
    assert resumed.molecule.geometry == pytest.approx(whole.molecule.geometry, abs=0.01)
    assert not (directory / "checkpoints").exists()
