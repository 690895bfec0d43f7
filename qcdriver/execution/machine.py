"""What this machine has for the work: engines, versions, threads, memory, GPU, and how to get what is missing."""

from __future__ import annotations

import os
import platform
from pathlib import Path

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
    """Memory this process may use, MB: the machine's, or less where Slurm or a control group allows less."""
    physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
    slurm = os.environ.get("SLURM_MEM_PER_NODE", "")
    limits = [physical, int(slurm) if slurm.isdecimal() else physical, _control_group_limit_mb() or physical]
    return min(limit for limit in limits if limit > 0)


def _control_group_limit_mb() -> int | None:
    try:
        group = Path("/proc/self/cgroup").read_text().split("::", 1)[1].splitlines()[0]
        limit = Path(f"/sys/fs/cgroup{group}/memory.max").read_text().strip()
    except (OSError, IndexError):
        return None
    return int(limit) // 2**20 if limit.isdecimal() else None
