"""Jobs killed, out of time, cancelled, their node gone: nothing that was done is lost, and nothing is done twice."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path

import pytest
from peroxide import DFT, PRESCREEN, SCAN

pytestmark = pytest.mark.slurm

WHOLE = PRESCREEN + SCAN.format(step=30)


def until(holds, seconds: float = 60):
    """Wait until something holds."""
    end = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < end, "it did not come to that in time"
        time.sleep(0.02)
    return found


def freeze(campaign, step: str, index: int = 0) -> int:
    """Stop the process that computes for a task of a step, so that something is in flight and stays so; its number."""

    def worker() -> int | None:
        for process in Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                if (
                    not process.name.isdecimal()
                    or b"qcdriver.execution.local.worker" not in process.joinpath("cmdline").read_bytes()
                ):
                    continue
                environment = process.joinpath("environ").read_bytes().split(b"\0")
                name = f"SLURM_JOB_NAME={campaign.name_of(step)}".encode()
                if name in environment and f"SLURM_ARRAY_TASK_ID={index}".encode() in environment:
                    return int(process.name)
        return None

    found = until(worker)
    os.kill(found, signal.SIGSTOP)
    return found


def finish(campaign) -> None:
    """Send what is missing, and see all of it done with no calculation written twice."""
    campaign.submit()
    assert campaign.slurm.drained()
    for name, step in campaign.steps().items():
        assert step["done"] == step["tasks"], (name, step)
    for stage in ("prescreen", "scan", "dft"):
        keys = campaign.computed(stage)
        assert len(keys) == len(set(keys))


def test_a_killed_task_is_lost_and_it_alone_is_sent_again(campaign):
    those = campaign(PRESCREEN)
    those.submit()
    worker = freeze(those, "prescreen.0")
    driver = int(Path(f"/proc/{worker}/stat").read_text().rpartition(")")[2].split()[1])
    os.kill(driver, signal.SIGKILL)
    assert those.slurm.drained()
    steps = those.steps()
    assert [steps["prescreen.0"][state] for state in ("done", "lost")] == [1, 1]
    assert steps["prescreen.0"]["named"][0]["label"] == "gauche"
    assert "1 of 2 of prescreen round 0 have no record yet" in steps["prescreen.1"]["named"][0]["reason"]
    script = those.type("submit", those.input, "--results", those.results, "--dry-run").stdout
    assert "#SBATCH --array=0\n" in script
    finish(those)


def test_a_scan_out_of_time_is_queued_again_and_goes_on_from_its_points(campaign):
    those = campaign(PRESCREEN + SCAN.format(step=4) + '[resources.scan]\ntime = "00:05:00"\nmax_requeues = 1\n')
    those.submit()
    until(lambda: len(those.computed("scan")) >= 2)
    freeze(those, "scan.0")
    job = those.job("scan.0")
    # The time limit itself, brought forward: the warning comes a minute before it.
    those.slurm.ask("scontrol", "update", f"JobId={job}_0", "EndTime=now+60")
    log = next(those.run.glob("slurm/*/log/scan.0+0-0.log"))
    until(lambda: "its time was up; queued again" in log.read_text())
    kept = len(those.computed("scan"))
    assert kept >= 2
    assert those.steps()["scan.0"]["pending"] == 1
    until(lambda: len(those.computed("scan")) > kept)
    freeze(those, "scan.0")
    those.slurm.ask("scancel", "--signal=USR1", "--batch", f"{job}_0")
    assert those.slurm.drained()
    (named,) = those.steps()["scan.0"]["named"]
    assert named["state"] == "failed"
    assert "was queued again 1 times already (max_requeues)" in named["reason"]
    finish(those)


def test_a_single_point_out_of_time_keeps_its_orbitals_until_it_is_done(campaign):
    larger = DFT.replace("sto-3g", "def2-tzvp").replace("grid_level = 0", "grid_level = 4")
    those = campaign(PRESCREEN + larger + "[resources.dft]\nmax_requeues = 1\n")
    those.submit()
    (orbitals,) = until(lambda: list(those.run.glob("checkpoints/*.chk")))
    freeze(those, "dft.0")
    those.slurm.ask("scancel", "--signal=USR1", "--batch", f"{those.job('dft.0')}_0")
    until(lambda: those.steps()["dft.0"]["pending"])
    assert orbitals.exists()
    assert those.slurm.drained()
    assert not orbitals.exists()
    finish(those)
    assert those.computed("dft") == [orbitals.stem]


def test_a_relaxation_that_does_not_fit_its_time_is_not_tried_for_ever(campaign):
    those = campaign(PRESCREEN)
    those.submit()
    freeze(those, "prescreen.0")
    those.slurm.ask("scancel", "--signal=USR1", "--batch", f"{those.job('prescreen.0')}_0")
    assert those.slurm.drained()
    named = those.steps()["prescreen.0"]["named"]
    assert "[resources.prescreen] time is too short" in named[0]["reason"]
    finish(those)


def test_a_node_that_goes_down_costs_only_what_was_in_flight(campaign, slurm):
    those = campaign(WHOLE)
    those.submit()
    until(lambda: len(those.computed("scan")) >= 2)
    freeze(those, "scan.0")
    slurm.ask("scontrol", "update", f"NodeName={slurm.host}", "State=DOWN", "Reason=test")
    try:
        until(lambda: those.steps()["scan.0"]["pending"])  # Slurm queues it again by itself
        assert those.submit() == []
    finally:
        slurm.let_go()
    assert slurm.drained()
    finish(those)


def test_scancel_of_one_task_leaves_the_others(campaign):
    those = campaign(PRESCREEN)
    those.submit()
    freeze(those, "prescreen.0", 1)
    those.slurm.ask("scancel", f"{those.job('prescreen.0')}_1")
    assert those.slurm.drained()
    first = those.steps()["prescreen.0"]
    assert [first[state] for state in ("done", "failed", "lost")] in ([1, 1, 0], [1, 0, 1])
    assert "ended by scancel" in first["named"][0]["reason"] or "CANCELLED" in first["named"][0]["reason"]
    finish(those)


def test_cancel_empties_the_queue_and_submit_goes_on(campaign):
    those = campaign(WHOLE)
    those.submit()
    freeze(those, "prescreen.0")
    cancelled = those.type("cancel", those.run)
    assert cancelled.returncode == 0
    assert "task(s) taken from the queue" in cancelled.stdout
    assert those.slurm.drained(10)
    assert those.steps()["scan.0"]["unsent"] == 1
    finish(those)


def test_a_gpu_task_asks_for_a_gpu_and_does_not_fall_back_to_the_cpu(campaign, slurm):
    if "gpu" not in slurm.ask("sinfo", "-h", "-o", "%G"):
        pytest.skip("pretend GPUs need root")
    from qcdriver.engines.pyscf.gpu import gpu_missing

    if gpu_missing() is None:
        pytest.skip("this machine has a real GPU")
    those = campaign(PRESCREEN + DFT + "[resources.dft]\ngpus = 1\n")
    assert "#SBATCH --gres=gpu:1\n" in those.type("submit", those.input, "--dry-run").stdout
    those.submit()
    assert slurm.drained()
    dft = those.steps()["dft.0"]
    assert dft["failed"] > 0
    assert "no NVIDIA driver" in dft["named"][0]["reason"] or "gpu4pyscf is not installed" in dft["named"][0]["reason"]
    assert not those.computed("dft")
