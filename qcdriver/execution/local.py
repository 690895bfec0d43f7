"""Tasks -> records, on this machine: found where they exist already, computed in worker processes where not."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from qcdriver import errors
from qcdriver.config import Machine
from qcdriver.engines.base import Device
from qcdriver.errors import InputError, QcdriverError
from qcdriver.execution.machine import memory_of_this_machine_mb, threads_of_this_machine
from qcdriver.execution.pool import Pool
from qcdriver.execution.progress import Display
from qcdriver.records import Records, task_key
from qcdriver.schema import Build, Failure, Resources, SinglePoint, Task, TaskRecord
from qcdriver.stage import Job

FINAL_FAILURES = ("ConvergenceError",)
"""Failures that would come again: they are answers, and are not computed anew."""


@dataclass
class Tally:
    """How many tasks a run found done, computed, and saw fail."""

    found: int = 0
    computed: int = 0
    failed: list[str] = field(default_factory=list)


class LocalRunner:
    """Runs the tasks of one stage after another; a context manager that ends its workers.

    Relaxations share the machine out among `jobs` processes (default: as many as a stage begins
    with, at most one a core); single points take it whole, one
    at a time, because their memory is what limits them.
    """

    def __init__(self, records: Records, directory: Path, machine: Machine, jobs: int | None, display: Display) -> None:
        self.records, self.display, self.tally = records, display, Tally()
        self._log = directory / "workers.log"
        self._threads = machine.threads or threads_of_this_machine()
        self._memory_mb = machine.memory_mb or int(0.8 * memory_of_this_machine_mb())
        self._jobs = jobs
        self._device: Device = "cpu"
        self._stage = ""
        self._expected, self._done = 0, 0
        self._pool: Pool | None = None
        self._workers = ExitStack()

    def __enter__(self) -> LocalRunner:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._workers.close()

    def begin(self, stage: str, device: Device = "cpu", expected: int = 0) -> None:
        """Start a stage: end the workers of the one before, whose memory the next may need.

        `expected` tasks in all, for the display, where one call does not name them all.
        """
        self._workers.close()
        self._pool = None
        self._stage, self._device = stage, device
        self._expected, self._done = expected, 0

    def __call__(self, jobs: Sequence[Job]) -> list[TaskRecord]:
        """Give the record of each job, in order; each is on disk as soon as it is done.

        Raises
        ------
        QcdriverError
            A task that is wrong in itself, or lacks a program or memory: nothing would help but the user.
        """
        keys = [task_key(task) for _, task in jobs]
        done = {key: record for key in keys if (record := self._known(key)) is not None}
        self.tally.found += len(done)
        self._done += len(done) if self._expected else 0
        todo = {key: job for key, job in zip(keys, jobs, strict=True) if key not in done}
        if todo:
            done |= self._computed(todo)
        self.tally.failed += [done[key].label for key in todo if not done[key].success]
        return [done[key] for key in keys]

    def _known(self, key: str) -> TaskRecord | None:
        record = self.records.find(key)
        if not isinstance(record, TaskRecord):
            return None
        if isinstance(record.outcome, Failure) and record.outcome.error_type not in FINAL_FAILURES:
            return None
        return record

    def _computed(self, todo: dict[str, Job]) -> dict[str, TaskRecord]:
        keys, jobs = list(todo), list(todo.values())
        labels = [label for label, _ in jobs]
        pool = self._pool_for(jobs[0][1], len(jobs))
        batch = self.display.batch(self._stage, labels, self._done, self._expected)
        computed = {}
        try:
            for position, outcome, provenance in pool.run([task for _, task in jobs], batch.advance):
                label, task = jobs[position]
                if isinstance(outcome, Failure):
                    _raise_if_hopeless(label, outcome)
                record = TaskRecord(
                    key=keys[position],
                    stage=self._stage,
                    label=label,
                    task=task,
                    outcome=outcome,
                    provenance=provenance,
                )
                self.records.append(record)
                computed[record.key] = record
                self.tally.computed += 1
                self._done += self._expected > 0
                batch.finish(position, outcome, provenance.wall_s if provenance else None)
        finally:
            batch.close()
        return computed

    def _pool_for(self, task: Task, n_tasks: int) -> Pool:
        if self._pool is None:
            jobs = 1 if isinstance(task, SinglePoint) else self._jobs or min(self._threads, n_tasks)
            resources = Resources(
                threads=1 if isinstance(task, Build) else max(1, self._threads // jobs),
                memory_mb=max(100, self._memory_mb // jobs),
                device=self._device,
            )
            self._pool = self._workers.enter_context(Pool(jobs, resources, self._log))
        return self._pool


def _raise_if_hopeless(label: str, failure: Failure) -> None:
    """Stop the run on a mistake of the input or a lack of the machine: every other point would meet it too."""
    kind = getattr(errors, failure.error_type, QcdriverError)
    if issubclass(kind, InputError | errors.MissingError | errors.ResourceError):
        raise kind(f"{label}: {failure.message}")
