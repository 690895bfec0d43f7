"""What this machine has for the work: engines, versions, threads, memory, GPU, and how to get what is missing."""

from __future__ import annotations

import os
import platform

from qcdriver import __version__
from qcdriver.engines import ENGINES
from qcdriver.engines.gpu import gpu_missing
from qcdriver.schema import Frozen


class EngineStatus(Frozen):
    """One engine here: its version, or what is missing and how to install it."""

    name: str
    version: str | None
    missing: str | None


class MachineStatus(Frozen):
    """A machine, as a run would find it."""

    program_version: str
    python: str
    threads: int
    memory_mb: int
    engines: tuple[EngineStatus, ...]
    gpu_missing: str | None


def machine_status() -> MachineStatus:
    """Look at this machine; starts no calculation."""
    statuses = []
    for name, engine in ENGINES.items():
        missing = engine.missing()
        statuses.append(EngineStatus(name=name, version=None if missing else engine.version(), missing=missing))
    return MachineStatus(
        program_version=__version__,
        python=platform.python_version(),
        threads=threads_of_this_machine(),
        memory_mb=memory_of_this_machine_mb(),
        engines=tuple(statuses),
        gpu_missing=gpu_missing(),
    )


def threads_of_this_machine() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0))


def memory_of_this_machine_mb() -> int:
    """Physical memory in MB."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
