"""The child process: tasks come in as JSON lines, events and outcomes go out.

Started as `python -m qcdriver.execution.local.worker DRIVER_PID`.

A process of its own, because xTB and PySCF read their thread settings when they are loaded, print where they like,
leave files in the working directory, and can die: then one task is lost and the driver lives.
"""

from __future__ import annotations

import gc
import json
import os
import platform
import resource
import sys
import threading
import time
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import TextIO

from pydantic import TypeAdapter, ValidationError

from qcdriver import __version__, engines
from qcdriver.errors import ConvergenceError, QcdriverError
from qcdriver.execution.local.execute import execute
from qcdriver.models.level import Resources
from qcdriver.models.outcomes import Failure, Outcome
from qcdriver.models.records import Provenance
from qcdriver.models.tasks import Build, Task

_TASK: TypeAdapter[Task] = TypeAdapter(Task)
_LIBRARIES = ("numpy", "scipy", *(name for engine in engines.ENGINES.values() for name in engine.libraries))


def main() -> None:
    """Answer each task on standard input with one `outcome` line, and any number of `progress` lines before it."""
    threading.Thread(target=_die_with, args=(int(sys.argv[1]),), daemon=True).start()
    answers = os.fdopen(os.dup(1), "w", buffering=1, encoding="utf-8")
    os.dup2(2, 1)  # whatever a library prints goes to the log, not between the answers
    for line in sys.stdin:
        request = json.loads(line)
        resources = Resources.model_validate(request["resources"])
        _answer(answers, *run(_TASK.validate_python(request["task"]), resources, answers))
        gc.collect()  # PySCF's objects refer to each other, and a cluster's hold gigabytes until the next task's come


def run(task: Task, resources: Resources, answers: TextIO) -> tuple[Outcome, Provenance]:
    """Compute one task; the one place where an exception becomes a failure."""

    def progress(text: str) -> None:
        answers.write(json.dumps({"progress": text}) + "\n")

    started, wall, cpu = datetime.now(UTC), time.perf_counter(), time.process_time()
    outcome: Outcome
    try:
        outcome = execute(task, resources, progress)
    except ConvergenceError as error:
        outcome = Failure(error_type=type(error).__name__, message=str(error), history=tuple(error.history))
    except QcdriverError as error:
        outcome = Failure(error_type=type(error).__name__, message=str(error))
    except MemoryError:
        outcome = Failure(error_type="ResourceError", message="out of memory on this machine")
    except ValidationError as error:
        outcome = Failure(error_type="InputError", message=error.errors()[0]["msg"])
    except Exception as error:
        sys.excepthook(type(error), error, error.__traceback__)
        outcome = Failure(error_type="EngineError", message=f"{type(error).__name__}: {error}")
    return outcome, Provenance(
        program_version=__version__,
        libraries=_versions(),
        host=platform.node(),
        python=platform.python_version(),
        threads=resources.threads,
        device=resources.device,
        gpu=_gpus(task) if resources.device == "gpu" else None,
        started_utc=started.isoformat(timespec="seconds"),
        wall_s=time.perf_counter() - wall,
        cpu_s=time.process_time() - cpu,
        peak_memory_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    )


def _answer(answers: TextIO, outcome: Outcome, provenance: Provenance) -> None:
    answers.write(
        json.dumps({"outcome": outcome.model_dump(mode="json"), "provenance": provenance.model_dump(mode="json")})
        + "\n"
    )


def _gpus(task: Task) -> str:
    hardware = () if isinstance(task, Build) else engines.of(task.level).hardware()
    return ", ".join(gpu.name for gpu in hardware)


def _versions() -> dict[str, str]:
    found = {}
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _die_with(driver: int) -> None:
    """End when the driver is gone, however it went: nobody would read the answer, and the cores are wanted."""
    while os.getppid() == driver:
        time.sleep(0.5)
    os._exit(1)


if __name__ == "__main__":
    main()
