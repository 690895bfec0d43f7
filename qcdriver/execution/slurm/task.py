"""What a task of an array does: one line of one round, every record on disk as soon as it is done; nothing else.

It takes no lock and opens no SQLite file. The same task again finds what is there and goes on from it.
"""

from __future__ import annotations

import hashlib
import os
import platform
import signal
import sys
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from qcdriver.errors import IncompleteError, QcdriverError
from qcdriver.execution import driver
from qcdriver.execution.local.runner import LocalRunner, is_answer
from qcdriver.execution.progress import Display
from qcdriver.execution.replay import Replay
from qcdriver.execution.slurm.campaign import Campaign
from qcdriver.execution.slurm.notes import Calculation, TaskEnding
from qcdriver.execution.slurm.script import REQUEUE
from qcdriver.execution.slurm.steps import Step
from qcdriver.models.outcomes import Failure
from qcdriver.models.records import StageRecord, TaskRecord
from qcdriver.report.findings_json import write_findings
from qcdriver.report.page import write_page
from qcdriver.store import Records, TaskFiles
from qcdriver.workflow.base import Job, Line, Stage, alone
from qcdriver.workflow.open_run import Run
from qcdriver.workflow.resources import Machine

INTERRUPTED = 130


class TaskRecords(Records):
    """The records as an array task reads and writes them; it remembers what passed through.

    `computed` counts what it wrote.
    """

    def __init__(self, directory: Path) -> None:
        super().__init__(directory, only_read=True, index="memory")
        self._own = TaskFiles(directory)
        self._passed: dict[str, Calculation] = {}
        self.computed = 0

    def find(self, key: str) -> TaskRecord | StageRecord | None:
        """Give the record of that key that counts."""
        record = super().find(key)
        if isinstance(record, TaskRecord):
            self._passed[key] = _calculation(record)
        return record

    def append(self, record: TaskRecord | StageRecord) -> None:
        """Write one record, into a file of its own."""
        self._own.write(record)
        if isinstance(record, TaskRecord):
            self._passed[record.key] = _calculation(record)
            self.computed += 1

    def forget(self) -> None:
        """Begin to remember anew."""
        self._passed.clear()

    def calculations(self) -> tuple[Calculation, ...]:
        """Say what passed through."""
        return tuple(self._passed.values())


def _calculation(record: TaskRecord) -> Calculation:
    outcome = record.outcome
    if not isinstance(outcome, Failure):
        return Calculation(key=record.key, label=record.label)
    again = not is_answer(outcome)
    return Calculation(key=record.key, label=record.label, failure=outcome.message, again=again)


class _TimeUpError(BaseException):
    """Slurm's warning: the time is nearly up. No `Exception`, so that nothing on the way takes it for its own."""


def run_task(campaign: Campaign, step: Step, index: int, max_requeues: int) -> int:
    """Do one task and leave word of how it ended; gives the exit code.

    Raises
    ------
    QcdriverError
        What keeps it from being done: a changed input, a missing program, a record that is not there.
    """
    signal.signal(signal.SIGUSR1, _time_up)
    campaign.notes.forget(step, index)
    task = _Task(campaign, step, index)
    try:
        task.work()
        task.leave_word(0)
        task.conclude()
    except _TimeUpError:
        code, reason = _again(task, max_requeues)
        task.leave_word(code, reason)
        sys.stderr.write(f"qcdriver: {reason}\n")
        return code
    except QcdriverError as error:
        task.leave_word(error.exit_code, str(error), error.message)
        raise
    except KeyboardInterrupt:
        task.leave_word(INTERRUPTED, "ended by scancel, or because its time was up")
        raise
    return 0


def _time_up(number: int, frame: object) -> None:
    raise _TimeUpError(number, frame)


def _again(task: _Task, max_requeues: int) -> tuple[int, str]:
    """Decide whether another go would get further: something was finished, or a calculation has its checkpoint."""
    restarts = int(os.environ.get("SLURM_RESTART_COUNT") or 0)
    if not task.has_checkpoint and not task.records.computed:
        return (
            1,
            "no calculation was finished before the time of the job was up: "
            f"[resources.{task.step.resources}] time is too short",
        )
    if restarts >= max_requeues:
        return 1, f"its time was up, and it was queued again {restarts} times already (max_requeues)"
    return REQUEUE, "its time was up; queued again"


class _Task:
    """One task: what it is, and the records it works with."""

    def __init__(self, campaign: Campaign, step: Step, index: int) -> None:
        self.campaign, self.step, self.index = campaign, step, index
        self.records = TaskRecords(campaign.directory)
        self.calculations: tuple[Calculation, ...] = ()
        self.has_checkpoint = False

    @cached_property
    def run(self) -> Run:
        """The run as it was submitted."""
        return self.campaign.run(self.records)

    @property
    def stage(self) -> Stage[Any]:
        """The stage that this task is a part of."""
        return self.run.stage(self.step.stage)

    def work(self) -> None:
        """Compute what is this task's."""
        whole = self.step.work == "stage"
        if whole:
            self._conclude_before()
        line = None if whole else self._line()
        if not whole and line is None:
            sys.stderr.write(f"qcdriver: {self.step.name} has fewer tasks; nothing to do for index {self.index}\n")
            return
        self.records.forget()
        try:
            with Display() as display, self._runner(display) as runner:
                try:
                    if line is None:
                        driver.run_stage(self.run, self.stage, runner, display)
                    else:
                        plan = self.run.plan(type(self.stage))
                        resources = self.run.input.resources.of(self.step.resources)
                        hands_on = driver.hands_on_orbitals(self.run, self.stage)
                        runner.begin(self.step.stage, resources, plan.device, hands_on_orbitals=hands_on)
                        runner([line])
                finally:
                    self.has_checkpoint = runner.has_checkpoint
        finally:
            self.calculations = self.records.calculations()
        if not self.records.computed:
            sys.stderr.write("qcdriver: all of it was in the records already\n")

    def _line(self) -> Line[Any] | None:
        """Give this task's line; None if there are fewer."""
        if self.step.work == "candidate":
            return self.stage.first_line(self.run, self.run.plan(type(self.stage)), self.index)
        if self._n_jobs() <= self.index:
            return None
        return alone(self.campaign.job(self.step, self.index))

    def _n_jobs(self) -> int:
        """Count the jobs of this round, found out and put down for the others if nobody has yet."""
        listed = self.campaign.jobs(self.step)
        if listed is None:
            self._conclude_before()
            jobs = self._jobs_of_round()
            self.campaign.put_jobs(self.step, jobs)
            return len(jobs)
        return len(listed)

    def _jobs_of_round(self) -> list[Job]:
        rounds = self.stage.rounds(self.run, self.run.plan(type(self.stage)))
        try:
            lines = next(rounds)
            for number in range(self.step.round):
                lines = rounds.send(Replay(self.records, f"{self.step.stage} round {number}")(lines))
        except StopIteration:
            return []
        return [next(line) for line in lines]  # rounds but a stage's first have lines of one job

    def _conclude_before(self) -> None:
        """Draw the conclusion of the stages before this one, where their last task could not."""
        needed = {self.campaign.step(name).stage for name in self.step.after} - {self.step.stage}
        for stage in self.run.stages:
            if stage.name not in needed:
                continue
            if self.run.verdicts(type(stage)) is None:
                self._conclude(stage)
            if stage.stops_run_when_empty:
                driver.refuse_nothing(stage, self.run.require(type(stage)))

    def conclude(self) -> None:
        """Draw the conclusion of this stage if this was the last task of it."""
        last = [step for step in self.campaign.steps if step.stage == self.step.stage][-1]
        if self.step != last:
            return
        if self.step.work != "stage":
            listed = self.campaign.jobs(last)
            width = last.width if listed is None else len(listed)
            if not self.campaign.notes.all_ended(last, width):
                return
            try:
                self._conclude(self.stage)
            except IncompleteError:  # the next submit sends what is missing
                return
        write_page(self.run, write_findings(self.run))

    def _conclude(self, stage: Stage[Any]) -> None:
        driver.finish_stage(self.run, stage, Replay(self.records, f"the {stage.name}"))

    def _runner(self, display: Display) -> LocalRunner:
        cpus = os.environ.get("SLURM_CPUS_PER_TASK", "")
        machine = Machine(threads=int(cpus) if cpus.isdecimal() else None)
        sha256 = hashlib.sha256(self.campaign.snapshot.read_bytes()).hexdigest()
        return LocalRunner(self.records, _own_log(), machine, None, display, sha256)

    def leave_word(self, exit_code: int, reason: str | None = None, message: str | None = None) -> None:
        """Say how this task ended."""
        job = os.environ.get("SLURM_ARRAY_JOB_ID")
        ending = TaskEnding(
            exit_code=exit_code,
            reason=reason,
            message=message,
            calculations=self.calculations,
            job=f"{job}_{os.environ.get('SLURM_ARRAY_TASK_ID')}" if job else None,
            host=platform.node(),
            ended_utc=datetime.now(UTC).isoformat(timespec="seconds"),
        )
        self.campaign.notes.write(self.step, self.index, ending)


def _own_log() -> Path:
    """Give the file that the job writes to, where what the programs underneath print goes too."""
    log = Path("/proc/self/fd/2").resolve()
    return log if log.is_file() else Path("/dev/stderr")
