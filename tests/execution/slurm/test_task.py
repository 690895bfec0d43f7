"""The tasks of a campaign done by hand, without Slurm: what each needs, what it leaves, what the survey makes of it."""

from __future__ import annotations

import os
import shutil
import signal
import threading
import time
from pathlib import Path

import pytest
from peroxide import DFT, INPUTS, PRESCREEN, SCAN

from qcdriver.errors import ConvergenceError, IncompleteError, InputError
from qcdriver.execution.driver import run_input
from qcdriver.execution.progress import Display
from qcdriver.execution.slurm.campaign import Campaign, current_campaign, make_campaign, open_campaign
from qcdriver.execution.slurm.queue import Living
from qcdriver.execution.slurm.steps import plan_steps
from qcdriver.execution.slurm.submit import for_slurm
from qcdriver.execution.slurm.survey import survey
from qcdriver.execution.slurm.task import run_task
from qcdriver.store import Records
from qcdriver.workflow.input import read_input
from qcdriver.workflow.open_run import open_run
from qcdriver.workflow.summary import summarize


@pytest.fixture
def campaign(tmp_path):
    for each in ("hooh-gauche.xyz", "hooh-twisted.xyz"):
        shutil.copy(INPUTS / each, tmp_path / each)
    path = tmp_path / "hooh.toml"
    path.write_text(PRESCREEN)
    this, _ = for_slurm(open_run(read_input(path), path, tmp_path / "results"))
    before = signal.getsignal(signal.SIGUSR1)
    yield make_campaign(this, "12345678", plan_steps(this))
    signal.signal(signal.SIGUSR1, before)


def do(campaign: Campaign, step: str, index: int, max_requeues: int = 0) -> int:
    return run_task(campaign, campaign.step(step), index, max_requeues)


def states(campaign: Campaign, living: tuple[Living, ...] = ()) -> dict[str, list[str]]:
    records = Records(campaign.directory, only_read=True)
    found = survey(campaign, records.keys(), campaign.run(records).finished(), living)
    return {each.step.name: [task.state for task in each.tasks] for each in found}


def test_tasks_in_the_order_of_the_steps_give_what_a_run_gives(campaign, tmp_path):
    for step in campaign.steps:
        for index in range(step.width):
            assert do(campaign, step.name, index) == 0
    assert {state for each in states(campaign).values() for state in each} == {"done"}
    path = tmp_path / "hooh.toml"
    here = open_run(read_input(path), path, tmp_path / "here")
    with Display() as display:
        summary, _ = run_input(here, 1, None, display)
    there = Records(campaign.directory)
    assert {each.key for each in there} == {each.key for each in here.records}
    # The two starts reach one structure; which of them ends a last digit lower is chance, and so is the last digit of
    # what xTB sums on two threads.
    (found,), (expected,) = summarize(campaign.run(there)).conformers, summary.conformers
    numbers = {"energy_hartree", "gap_ev"}
    assert found.model_dump(exclude=numbers) == expected.model_dump(exclude=numbers)
    for number in numbers:
        assert getattr(found, number) == pytest.approx(getattr(expected, number), abs=1e-12)


def test_single_points_of_an_array_start_from_each_other_and_the_last_leaves_no_orbitals(tmp_path):
    for each in ("hooh-gauche.xyz", "hooh-twisted.xyz"):
        shutil.copy(INPUTS / each, tmp_path / each)
    path = tmp_path / "hooh.toml"
    path.write_text(PRESCREEN + SCAN.format(step=60) + DFT)
    this, _ = for_slurm(open_run(read_input(path), path, tmp_path / "results"))
    campaign = make_campaign(this, "12345678", plan_steps(this))
    checkpoints = campaign.directory / "checkpoints"
    kept = []
    for step in campaign.steps:
        for index in range(step.width):
            do(campaign, step.name, index)
            kept.append(len(list(checkpoints.glob("*.chk"))))
    assert max(kept) == 3
    assert not checkpoints.exists()
    records = Records(campaign.directory)
    points = [each for each in records if each.schema_name == "qcdriver_task" and each.stage == "dft"]
    starts = [each.outcome.scf[0].strategy.split(",")[0] for each in points]
    assert starts.count("DIIS") == 1
    keys = {each.key[:8] for each in points}
    assert {start.removeprefix("DIIS from the density of ") for start in starts} - {"DIIS"} <= keys


def test_a_round_whose_predecessors_have_no_record_says_how_many(campaign):
    do(campaign, "prescreen.0", 1)
    with pytest.raises(IncompleteError, match="1 of 2 of prescreen round 0 have no record yet"):
        do(campaign, "prescreen.1", 0)
    found = states(campaign)
    assert found["prescreen.0"] == ["unsent", "done"]
    assert found["prescreen.1"] == ["failed", "unsent"]


def test_a_task_done_already_is_found_and_a_task_too_many_does_nothing(campaign, capsys):
    for index in (0, 1, 0):
        do(campaign, "prescreen.0", index)
    written = sorted(path.name for path in campaign.directory.glob("tasks/*.json"))
    assert len(written) == 2
    assert do(campaign, "prescreen.1", 7) == 0
    assert "prescreen.1 has fewer tasks; nothing to do for index 7" in capsys.readouterr().err


def test_a_note_without_its_record_is_lost_and_a_damaged_note_says_nothing(campaign):
    for index in (0, 1):
        do(campaign, "prescreen.0", index)
    (note := campaign.folder / "ended" / "prescreen.0" / "0.json").write_text(note.read_text()[:-7])
    for path in campaign.directory.glob("tasks/*.json"):
        path.unlink()
    assert states(campaign)["prescreen.0"] == ["unsent", "lost"]


def test_what_lives_in_the_queue_is_running_or_pending_whatever_was_before(campaign):
    do(campaign, "prescreen.0", 0)
    living = (
        Living("12345678", "prescreen.0", 0, "7", "RUNNING", "None"),
        Living("12345678", "prescreen.0", 1, "7", "PENDING", "Resources"),
        Living("87654321", "prescreen.1", 1, "8", "RUNNING", "None"),
    )
    found = states(campaign, living)
    assert found["prescreen.0"] == ["running", "pending"]
    assert found["prescreen.1"] == ["unsent", "unsent"]


def test_slurms_warning_ends_a_task_that_got_nowhere(campaign):
    def warn() -> None:
        time.sleep(0.3)  # a worker takes longer to start
        os.kill(os.getpid(), signal.SIGUSR1)

    threading.Thread(target=warn).start()
    assert do(campaign, "prescreen.0", 0, max_requeues=3) == 1
    note = campaign.notes.endings(campaign.step("prescreen.0"))[0]
    assert "[resources.prescreen] time is too short" in str(note.reason)
    assert states(campaign)["prescreen.0"][0] == "failed"


def test_the_structure_files_may_go_once_submitted(campaign, tmp_path):
    for each in tmp_path.glob("*.xyz"):
        each.unlink()
    (tmp_path / "hooh.toml").write_text("not even TOML")
    assert do(campaign, "prescreen.0", 0) == 0


def test_an_unknown_step_or_campaign_is_one_line(campaign):
    with pytest.raises(InputError, match=r"'dft\.0': this campaign has prescreen\.0, prescreen\.1"):
        campaign.step("dft.0")
    with pytest.raises(InputError, match="no campaign is here; qcdriver submit"):
        open_campaign(Path("/nowhere"))
    with pytest.raises(InputError, match="nothing was submitted from here"):
        current_campaign(Path("/nowhere"))


def test_nothing_goes_on_from_a_prescreen_that_nothing_survived(tmp_path):
    for each in ("hooh-gauche.xyz", "hooh-twisted.xyz"):
        shutil.copy(INPUTS / each, tmp_path / each)
    path = tmp_path / "hooh.toml"
    hasty = "cheap = { max_force_ev_angstrom = 1e-9, energy_change_ev = 1e-9, max_steps = 1 }\n"
    path.write_text(PRESCREEN + hasty + SCAN.format(step=60))
    this, _ = for_slurm(open_run(read_input(path), path, tmp_path / "results"))
    campaign = make_campaign(this, "12345678", plan_steps(this))
    for index in (0, 1):
        do(campaign, "prescreen.0", index)
    with pytest.raises(ConvergenceError, match=r"no candidate survived the prescreen \(gauche: not converged"):
        do(campaign, "scan.0", 0)
    assert states(campaign)["prescreen.0"] == ["failed", "failed"]
    campaign.notes.forget(campaign.step("scan.0"), 0)
    do(campaign, "prescreen.1", 0)
    assert states(campaign)["prescreen.1"] == []  # and nothing of it is to be sent again
