"""What this machine has for the work: engines, versions, threads, memory, GPU, and how to get what is missing."""

from __future__ import annotations

import os
import platform
from pathlib import Path

from qcdriver import __version__
from qcdriver.engines import ENGINES, AnyEngine
from qcdriver.errors import InputError
from qcdriver.models.base import Frozen


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
    """Return what a run would find on this machine; starts no calculation."""
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
        gpu_missing=_gpu_missing(),
    )


def _gpu_missing() -> str | None:
    """Return what keeps every engine from a GPU here; None when one can use one."""
    reasons = [engine.missing("gpu") for engine in ENGINES.values() if "gpu" in engine.devices]
    return None if None in reasons else reasons[0]


def gpu_shares(engine: AnyEngine, per_task: int) -> list[str]:
    """Share out the GPUs that this process may use for an engine, `per_task` to a task.

    Returns
    -------
    One CUDA_VISIBLE_DEVICES a share.

    Raises
    ------
    InputError
        There are fewer than one task asks for.
    """
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    names = [str(number) for number in range(len(engine.hardware()))] if visible is None else visible.split(",")
    if len(names) < per_task:
        raise InputError(f"resources.dft.gpus = {per_task}: this machine has {len(names)}")
    return [",".join(names[first : first + per_task]) for first in range(0, len(names) - per_task + 1, per_task)]


def threads_of_this_machine() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0))


def memory_of_this_machine_mb() -> int:
    """Memory this process may use, MB: the machine's, or less where Slurm or a control group allows less."""
    physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
    limits = [physical, _slurm_limit_mb() or physical, _control_group_limit_mb() or physical]
    return min(limits)


def _slurm_limit_mb() -> int | None:
    """Return what Slurm allots to this job, by node or by core."""
    by_core = os.environ.get("SLURM_MEM_PER_CPU", "")
    cores = os.environ.get("SLURM_CPUS_PER_TASK", "1")
    if by_core.isdecimal() and cores.isdecimal():
        return int(by_core) * int(cores)
    by_node = os.environ.get("SLURM_MEM_PER_NODE", "")
    return int(by_node) if by_node.isdecimal() else None  # 0: the whole node


def _control_group_limit_mb() -> int | None:
    try:
        group = Path("/proc/self/cgroup").read_text().split("::", 1)[1].splitlines()[0]
        limit = Path(f"/sys/fs/cgroup{group}/memory.max").read_text().strip()
    except (OSError, IndexError):
        return None
    return int(limit) // 2**20 if limit.isdecimal() else None
