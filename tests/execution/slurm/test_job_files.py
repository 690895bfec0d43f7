"""What tasks of a campaign leave for each other and for a person comes back as it was, also of an older program."""

from __future__ import annotations

import io
import json

from rich.console import Console

from qcdriver.execution.slurm.campaign import Campaign
from qcdriver.execution.slurm.pieces import write_pieces
from qcdriver.execution.slurm.status import Status, show
from qcdriver.execution.slurm.steps import Step
from qcdriver.execution.slurm.survey import StepState, TaskState
from qcdriver.models.level import Level, Model
from qcdriver.models.molecule import Molecule
from qcdriver.models.tasks import SinglePoint
from qcdriver.models.verdicts import Purpose
from qcdriver.workflow.base import Job

STEP = Step(stage="dft", round=0, width=2, work="job", resources="dft")
TASK = SinglePoint(
    molecule=Molecule(symbols=("H", "H"), geometry=[[0, 0, 0], [0, 0, 1.4]]),
    level=Level(engine="xtb", engine_version="22.1", model=Model(method="GFN1-xTB")),
)


def campaign(folder) -> Campaign:
    return Campaign(folder, None)


def test_a_job_comes_back_from_the_file_of_its_round(tmp_path):
    jobs = [Job("S", TASK, Purpose.SINGLE_POINT, ("a",)), Job("E", TASK, Purpose.SINGLE_POINT)]
    campaign(tmp_path).put_jobs(STEP, jobs)
    assert [campaign(tmp_path).job(STEP, index) for index in (0, 1)] == jobs


def test_a_job_of_a_campaign_that_an_older_program_submitted_has_no_purpose(tmp_path):
    content = {"label": "S", "task": TASK.model_dump(mode="json"), "parents": ["a"]}
    write_pieces(tmp_path / "jobs" / STEP.name, [("key", "S", json.dumps(content).encode())])
    assert campaign(tmp_path).job(STEP, 0) == Job("S", TASK, None, ("a",))


def test_what_keeps_several_tasks_from_being_done_is_said_once_with_all_their_names():
    tasks = [
        TaskState(index, label, "failed", f"{label}: no NVIDIA driver", again=True, message="no NVIDIA driver")
        for index, label in enumerate("SE")
    ]
    other = TaskState(2, "C", "failed", "exit code 1", again=True)
    text = io.StringIO()
    show(Status(None, [StepState(STEP, True, [*tasks, other])], "no Slurm"), Console(file=text, width=100))
    assert "dft.0 failed: S, E: no NVIDIA driver\n" in text.getvalue()
    assert "dft.0 failed: C: exit code 1\n" in text.getvalue()
