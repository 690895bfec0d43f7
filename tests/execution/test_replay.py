"""A replay finds out what comes next from records alone, and says how many are missing."""

from __future__ import annotations

import pytest

from qcdriver.errors import IncompleteError
from qcdriver.execution.replay import Replay
from qcdriver.models.outcomes import Failure
from qcdriver.models.records import TaskRecord
from qcdriver.models.tasks import Build
from qcdriver.models.verdicts import Purpose
from qcdriver.store import Records, task_key
from qcdriver.workflow.base import Job, alone


def job(start: int) -> Job:
    return Job(f"E#{start}", Build(source="au13ag12", settings={}, start=start, program_version="test"), Purpose.BUILD)


def record(each: Job) -> TaskRecord:
    failure = Failure(error_type="WorkerDied", message="killed")
    return TaskRecord(
        key=task_key(each.task), stage="build", label=each.label, task=each.task, outcome=failure, provenance=None
    )


def two_jobs(start: int):
    """Build one, then the next."""
    first = yield job(start)
    second = yield job(start + 1)
    return first.label, second.label


def test_lines_are_driven_over_records_failures_included(tmp_path):
    records = Records(tmp_path)
    for start in range(3):
        records.append(record(job(start)))
    replay = Replay(records, "prescreen round 0")
    assert replay([two_jobs(0), two_jobs(1)]) == [("E#0", "E#1"), ("E#1", "E#2")]
    assert [each.label for each in replay([alone(job(2))])] == ["E#2"]


def test_missing_records_are_counted_by_line(tmp_path):
    records = Records(tmp_path)
    for start in (0, 2):
        records.append(record(job(start)))
    replay = Replay(records, "prescreen round 0")
    with pytest.raises(IncompleteError, match=r"^2 of 3 of prescreen round 0 have no record yet .*qcdriver submit"):
        replay([two_jobs(0), alone(job(2)), two_jobs(2)])
