"""Lines of tasks -> records, on this machine: found where they exist already, computed in worker processes if not."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from qcdriver import engines, errors
from qcdriver.engines import Device
from qcdriver.engines.machine import gpu_shares, memory_of_this_machine_mb, threads_of_this_machine
from qcdriver.errors import ConvergenceError, EngineError, InputError, MissingError, QcdriverError, ResourceError
from qcdriver.execution.local.pool import Pool
from qcdriver.execution.local.scratch import scratch_folder
from qcdriver.execution.progress import Display
from qcdriver.models.level import Resources
from qcdriver.models.outcomes import Failure, Outcome
from qcdriver.models.records import Provenance, TaskRecord
from qcdriver.models.tasks import Build, Excitations, Relaxation, SinglePoint, Task
from qcdriver.store import Records, task_key
from qcdriver.store.checkpoints import checkpoint_of, end_relaxation
from qcdriver.workflow.base import Job, Line
from qcdriver.workflow.resources import Machine, StageResources

FINAL_FAILURES = ("ConvergenceError",)
"""Failures that would come again: they are answers, and are not computed anew."""


def is_answer(outcome: Outcome) -> bool:
    """Tell whether an outcome stands, or another try may give a number."""
    return not isinstance(outcome, Failure) or outcome.error_type in FINAL_FAILURES


@dataclass
class Tally:
    """How many tasks a run found done, computed, and saw fail."""

    found: int = 0
    computed: int = 0
    failed: list[str] = field(default_factory=list)


class LocalRunner:
    """Runs the tasks of one stage after another; a context manager that ends its workers.

    Relaxations share the cores out among `jobs` processes (default: as many as a stage has side by side, at most one
    a core). Single points, and relaxations by DFT, take the machine whole, one at a time, because their memory is what
    limits them; or a GPU each. What the programs underneath print goes to `log`.
    """

    def __init__(
        self,
        records: Records,
        log: Path,
        machine: Machine,
        jobs: int | None,
        display: Display,
        input_sha256: str | None = None,
    ) -> None:
        self.records, self.display, self.tally = records, display, Tally()
        self._input_sha256 = input_sha256
        self._log = log
        self._threads = machine.threads or threads_of_this_machine()
        self._memory_mb = machine.memory_mb or int(0.8 * memory_of_this_machine_mb())
        self._jobs = jobs
        self._resources = StageResources()
        self._device: Device = "cpu"
        self._stage = ""
        self._expected, self._done, self._side_by_side = 0, 0, 0
        self.has_checkpoint = False
        """Whether something was begun that saves itself, and goes on from there when the same is asked again."""
        self._hands_on_orbitals = False
        self._pool: Pool | None = None
        self._workers = ExitStack()

    def __enter__(self) -> LocalRunner:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._workers.close()

    def begin(
        self,
        stage: str,
        resources: StageResources,
        device: Device = "cpu",
        expected: int | None = None,
        side_by_side: int | None = None,
        hands_on_orbitals: bool = False,
    ) -> None:
        """Start a stage: end the workers of the one before, whose memory the next may need.

        Where one call does not name them all: `expected` tasks in all, for the display, and up to about `side_by_side`
        in later calls, for the number of workers. `hands_on_orbitals`: those of its relaxations are for another stage,
        and stay on disk.
        """
        self._workers.close()
        self._pool = None
        self._stage, self._device = stage, device
        self._resources = resources
        self._expected, self._done, self._side_by_side = expected or 0, 0, side_by_side or 0
        self._hands_on_orbitals = hands_on_orbitals

    def __call__(self, lines: Sequence[Line[Any]]) -> list[Any]:
        """Drive lines side by side to their ends; every record is on disk as soon as it is done.

        Raises
        ------
        QcdriverError
            A task that is wrong in itself, or lacks a program or memory: nothing would help but the user.
        """
        round_ = _Round(lines)
        for position in range(len(lines)):
            self._advance(round_, position, None)
        self._done += round_.n_ended if self._expected else 0
        if round_.waiting:
            self._compute(round_)
        return round_.returned

    def _advance(self, round_: _Round, position: int, record: TaskRecord | None) -> None:
        """Send a line its record and go on with it past all that is known, to what has to be computed or its end."""
        while (job := round_.next_job(position, record)) is not None:
            key = task_key(job.task)
            record = self._known(key)
            if record is None:
                round_.waiting.setdefault(key, (job, []))[1].append(position)
                return
            self.tally.found += 1

    def _known(self, key: str) -> TaskRecord | None:
        record = self.records.find(key)
        if not isinstance(record, TaskRecord):
            return None
        return record if is_answer(record.outcome) else None

    def _compute(self, round_: _Round) -> None:
        """Compute what the lines wait for until none waits; what two lines wait for is computed once."""
        pool = self._pool_for(next(iter(round_.waiting.values()))[0].task, len(round_.waiting))
        before = self._done if self._expected else round_.n_ended
        batch = self.display.batch(self._stage, len(round_.lines) - round_.n_ended, before, self._expected)
        submitted: dict[int, str] = {}
        try:
            while round_.waiting:
                for key, (job, positions) in round_.waiting.items():
                    if positions[0] not in submitted:
                        submitted[positions[0]] = key
                        batch.begin(positions[0], job.label)
                        saves = isinstance(job.task, SinglePoint | Excitations | Relaxation)
                        checkpoint = checkpoint_of(self.records.path.parent, key) if saves else None
                        self.has_checkpoint = self.has_checkpoint or (saves and _fills_machine(job.task))
                        alone = job.independent_start or isinstance(job.task, Relaxation)
                        pool.submit(positions[0], job.task, batch.advance, checkpoint, not alone)
                position, outcome, provenance = pool.answer()
                job, positions = round_.waiting.pop(key := submitted.pop(position))
                if isinstance(outcome, Failure):
                    _raise_if_hopeless(job.label, outcome)
                record = self._recorded(key, job, outcome, provenance)
                ended = round_.n_ended
                for place in positions:
                    self._advance(round_, place, record)
                self._done += round_.n_ended - ended if self._expected else 0
                batch.finish(position, record, round_.n_ended - ended)
        finally:
            batch.close()

    def _recorded(self, key: str, job: Job, outcome: Outcome, provenance: Provenance | None) -> TaskRecord:
        record = TaskRecord(
            key=key,
            stage="build" if isinstance(job.task, Build) else self._stage,
            label=job.label,
            purpose=job.purpose,
            task=job.task,
            outcome=outcome,
            provenance=provenance,
            parents=job.parents,
            input_sha256=self._input_sha256,
        )
        self.records.append(record)
        if isinstance(job.task, Relaxation) and is_answer(outcome):
            end_relaxation(self.records.path.parent, key, self._hands_on_orbitals)
        self.tally.computed += 1
        if not record.success:
            self.tally.failed.append(record.label)
        return record

    def _pool_for(self, task: Task, n_tasks: int) -> Pool:
        if self._pool is None:
            engine = None if isinstance(task, Build) else engines.of(task.level)
            gpus = gpu_shares(engine, self._resources.gpus or 1) if engine and self._device == "gpu" else []
            jobs = self._jobs or min(self._threads, max(n_tasks, self._side_by_side))
            if _fills_machine(task):
                jobs = min(len(gpus), self._jobs or n_tasks) if gpus else 1
            resources = Resources(
                threads=max(1, self._threads // jobs),
                memory_mb=max(100, self._memory_mb // jobs),
                device=self._device,
            )
            blas_threads = engine.blas_threads if engine else None
            scratch = self._workers.enter_context(scratch_folder(self.records.path.parent))
            pool = Pool(jobs, resources, self._log, scratch, self._resources.time_s, gpus, blas_threads)
            self._pool = self._workers.enter_context(pool)
        return self._pool


class _Round:
    """The lines of one round: what each waits for, and what it returned."""

    def __init__(self, lines: Sequence[Line[Any]]) -> None:
        self.lines = lines
        self.returned: list[Any] = [None] * len(lines)
        self.n_ended = 0
        self.waiting: dict[str, tuple[Job, list[int]]] = {}

    def next_job(self, position: int, record: TaskRecord | None) -> Job | None:
        """Send a line the record it waits for (None: it has not begun) and get its next job; None at its end."""
        line = self.lines[position]
        try:
            return next(line) if record is None else line.send(record)
        except StopIteration as end:
            self.returned[position] = end.value
            self.n_ended += 1
            return None


def _fills_machine(task: Task) -> bool:
    """Whether a task takes the machine whole: a single point, or whatever an engine computes that fills it."""
    if isinstance(task, Build):
        return False
    return isinstance(task, SinglePoint | Excitations) or engines.of(task.level).fills_machine


def error_of(failure: Failure, calculation: str | None = None) -> QcdriverError:
    """Return the error that made a calculation fail; one that its process did not raise is an `EngineError`."""
    kind: type[QcdriverError] = getattr(errors, failure.error_type, EngineError)
    if issubclass(kind, ConvergenceError):
        return kind(failure.message, list(failure.history))
    return kind(failure.message, calculation)


def _raise_if_hopeless(label: str, failure: Failure) -> None:
    """Stop the run on a mistake of the input or a lack of the machine: every other point would meet it too."""
    error = error_of(failure, label)
    if isinstance(error, InputError | MissingError | ResourceError):
        raise error
