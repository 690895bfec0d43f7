"""Tasks run here, each in a worker process; outcomes come back as they are done. A dead worker costs one task."""

from __future__ import annotations

import functools
import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType

from pydantic import TypeAdapter

from qcdriver.engines.ambient import without_user_threading
from qcdriver.models.level import Resources
from qcdriver.models.outcomes import Failure, Outcome
from qcdriver.models.records import Provenance
from qcdriver.models.tasks import Task

_OUTCOME: TypeAdapter[Outcome] = TypeAdapter(Outcome)
_COMMAND = (sys.executable, "-m", "qcdriver.execution.local.worker")
_STACK = "2G"
"""Stack of each thread: the 373-atom cluster overruns the usual 8 MB in xTB's Fortran."""
_DEATHS = 2
"""Workers that die one after another on a GPU before it is left out; one death may be its task's own fault."""
_WAITING = "passive"
"""OpenMP threads that wait for each other sleep: those that spin take the core from the thread they wait for, where
others compute too. A gradient of hydrogen peroxide by PBE/STO-3G on two threads: 0.2 s of CPU, spinning 1.8."""

Answer = tuple[int, Outcome, Provenance | None]

Listener = Callable[[int, str], None]
"""Told (position of the task, one line of progress)."""


class Pool:
    """At most `jobs` workers with equal `resources`; a context manager that leaves no process behind.

    What the workers' libraries print is kept in `log`. Each worker stands in a folder of its own in `scratch`, where
    its temporary files go too. A task that takes longer than `limit_s` is ended. `gpus`: what each worker sees of them,
    one CUDA_VISIBLE_DEVICES a worker; none given, all see all. One whose workers die in a row is left out while there
    are others: a broken GPU fails fast, and would take their tasks too. `blas_threads`: those of a worker's linear
    algebra, if fewer than all.
    """

    def __init__(
        self,
        jobs: int,
        resources: Resources,
        log: Path,
        scratch: Path,
        limit_s: float | None = None,
        gpus: Sequence[str] = (),
        blas_threads: int | None = None,
    ) -> None:
        self.jobs, self.resources, self.log, self.limit_s = jobs, resources, log, limit_s
        self._blas_threads = blas_threads or resources.threads
        self._free_gpus = list(gpus)
        self._usable_gpus = len(gpus)
        self._deaths = dict.fromkeys(gpus, 0)
        self._scratch = scratch
        self._idle: list[_Worker] = []
        self._all: list[_Worker] = []
        self._lock = threading.Lock()
        self._closed = False
        self._serving = 0
        self._todo = queue.SimpleQueue[tuple[int, Task, Listener, Resources]]()
        self._done = queue.SimpleQueue[Answer | Exception]()

    def __enter__(self) -> Pool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            self._closed = True
        for worker in self._all:
            worker.kill()

    def submit(
        self,
        position: int,
        task: Task,
        listener: Listener,
        checkpoint: Path | None = None,
        from_neighbours: bool = True,
    ) -> None:
        """Have a task computed when a worker is free; `answer` will give its outcome under this position.

        `checkpoint`: where it saves itself, and goes on from if it did so before; `from_neighbours`: what others left
        beside it is what it may start from.
        """
        resources = self.resources
        if checkpoint is not None:
            start_from = str(checkpoint.parent) if from_neighbours else None
            kept = {"checkpoint": str(checkpoint), "keep_checkpoint": True, "start_from": start_from}
            resources = resources.model_copy(update=kept)
        self._todo.put((position, task, listener, resources))
        with self._lock:
            if self._serving < self._most_workers():
                self._serving += 1
                threading.Thread(target=self._serve, daemon=True).start()

    def answer(self) -> Answer:
        """Wait for the next outcome, whichever task it is of: (position, outcome, provenance).

        A worker that died gives a `Failure` of type "WorkerDied" and no provenance.
        """
        while True:
            try:
                answer = self._done.get(timeout=0.5)  # in short spells, so that Ctrl-C is heard at once
            except queue.Empty:
                continue
            if isinstance(answer, Exception):
                raise answer
            return answer

    def _serve(self) -> None:
        while not self._closed:
            try:
                position, task, listener, resources = self._todo.get(timeout=0.5)
            except queue.Empty:
                continue
            try:
                told = functools.partial(listener, position)
                self._done.put((position, *self._compute(task, resources, told)))
            except Exception as error:
                self._done.put(error)  # the caller waits for an answer to every task
            with self._lock:
                if self._serving > self._most_workers():
                    self._serving -= 1
                    return

    def _most_workers(self) -> int:
        """Return how many workers there may be: no more than GPUs, where they have one each."""
        return min(self.jobs, self._usable_gpus) if self._deaths else self.jobs

    def _compute(
        self, task: Task, resources: Resources, told: Callable[[str], None]
    ) -> tuple[Outcome, Provenance | None]:
        with self._lock:
            worker = self._idle.pop() if self._idle else None
            if self._closed:
                return Failure(error_type="WorkerDied", message="the run ended"), None
            if worker is None:
                gpus = self._free_gpus.pop(0) if self._free_gpus else None
                worker = _Worker(self.resources, self._blas_threads, self._scratch, self.log, gpus)
                self._all.append(worker)
        with _Alarm(self.limit_s, worker) as alarm:
            answer = worker.ask(task, resources, told)
        if answer is not None:
            with self._lock:
                self._idle.append(worker)
                if worker.gpus is not None:
                    self._deaths[worker.gpus] = 0
            return answer
        code = worker.kill()
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        message = f"the worker ended by {how}; see {self.log}"
        if alarm.rang:
            message = f"not done within its time limit of {self.limit_s:g} s"
        if worker.gpus is not None and self._leave_out(worker.gpus, alarm.rang):
            message += f"; GPU {worker.gpus} is left out from now on"
        return Failure(error_type="WorkerDied", message=message), None

    def _leave_out(self, gpus: str, too_slow: bool) -> bool:
        """Free the GPUs of a worker that died, or leave them out for good; returns whether they are."""
        with self._lock:
            self._deaths[gpus] += not too_slow
            if self._deaths[gpus] >= _DEATHS and self._usable_gpus > 1:
                self._usable_gpus -= 1
                return True
            self._free_gpus.append(gpus)
            return False


class _Worker:
    """One child process, in a session of its own so that Ctrl-C reaches only the driver."""

    def __init__(self, resources: Resources, blas_threads: int, scratch: Path, log: Path, gpus: str | None) -> None:
        self.gpus = gpus
        environment = {"OMP_WAIT_POLICY": _WAITING} | without_user_threading(os.environ)
        own = tempfile.mkdtemp(dir=scratch)
        environment |= {
            "TMPDIR": own,
            "OMP_NUM_THREADS": str(resources.threads),
            "OPENBLAS_NUM_THREADS": str(blas_threads),
            "MKL_NUM_THREADS": str(blas_threads),
            "OMP_STACKSIZE": _STACK,
            "OMP_MAX_ACTIVE_LEVELS": "1",
        }
        if gpus is not None:
            environment["CUDA_VISIBLE_DEVICES"] = gpus
        with log.open("ab") as stderr:
            self._process = subprocess.Popen(
                ["/bin/sh", "-c", 'ulimit -s unlimited 2>/dev/null; exec "$0" "$@"', *_COMMAND, str(os.getpid())],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                cwd=own,
                env=environment,
                start_new_session=True,
                text=True,
                encoding="utf-8",
            )

    def ask(
        self, task: Task, resources: Resources, listener: Callable[[str], None]
    ) -> tuple[Outcome, Provenance] | None:
        """Send a task and wait for its outcome; None when the process ended without one."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        request = {"task": task.model_dump(mode="json"), "resources": resources.model_dump(mode="json")}
        try:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
        except OSError:
            return None
        for line in self._process.stdout:
            if not line.endswith("\n"):
                break  # it died while it wrote
            answer = json.loads(line)
            if "outcome" in answer:
                return _OUTCOME.validate_python(answer["outcome"]), Provenance.model_validate(answer["provenance"])
            listener(answer["progress"])
        return None

    def kill(self) -> int:
        """End the process now and give its exit code."""
        self._process.kill()
        return self._process.wait()


class _Alarm:
    """Ends a worker that takes longer than it may; `rang` if it came to that."""

    def __init__(self, limit_s: float | None, worker: _Worker) -> None:
        self.rang = False
        self._worker = worker
        self._timer = None if limit_s is None else threading.Timer(limit_s, self._ring)

    def __enter__(self) -> _Alarm:
        if self._timer is not None:
            self._timer.daemon = True
            self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _ring(self) -> None:
        self.rang = True
        self._worker.kill()
