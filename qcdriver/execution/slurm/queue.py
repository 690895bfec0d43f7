"""Slurm's own commands, each asked one thing: sbatch, squeue, scancel, scontrol, sacct."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from qcdriver.errors import EngineError, MissingError

PROGRAM = "qcdriver"
DEFAULT_MAX_ARRAY_SIZE = 1001
"""Slurm's own default."""

_UNCONFIGURED = "Could not establish a configuration source"
"""What every command says where Slurm's client is installed and no cluster is known to it."""


@dataclass(frozen=True)
class Living:
    """A task that is in the queue: waiting, running or on its way out."""

    campaign: str
    step: str
    index: int
    job: str
    state: str
    why: str

    @property
    def waits(self) -> bool:
        """Whether it has not started."""
        return self.state in ("PENDING", "REQUEUED", "REQUEUE_HOLD", "SPECIAL_EXIT")


def job_name(run: str, campaign: str, step: str, offset: int) -> str:
    """Name a job so that the queue alone tells what it is."""
    return f"{PROGRAM}:{run}:{campaign}:{step}+{offset}"


def missing() -> str | None:
    """Say that Slurm is not on this machine; None when it is."""
    if shutil.which("sbatch") and shutil.which("squeue"):
        return None
    return "sbatch is not on this machine: submit from where Slurm is, as a rule a login node"


def max_array_size() -> int:
    """Give the site's MaxArraySize: one more than the highest index of an array."""
    found = re.search(r"^MaxArraySize\s*=\s*(\d+)", _ask("scontrol", "show", "config"), re.MULTILINE)
    return int(found[1]) if found else DEFAULT_MAX_ARRAY_SIZE


def sbatch(script: Path, folder: Path, lock: int) -> str:
    """Submit a script from within a folder and give the job's number.

    `lock`: a descriptor that sbatch inherits. Killed here, sbatch may still get through; until it has ended the lock
    stays taken, and nobody asks the queue too early.
    """
    said = _ask("sbatch", "--parsable", os.fspath(script), folder=folder, keep=lock)
    return said.strip().splitlines()[-1].split(";")[0]


def living(run: str) -> list[Living]:
    """List the tasks of a run directory that are in the queue, one by one."""
    found = []
    for line in _ask("squeue", "--me", "--noheader", "--array", "--format=%j|%F|%K|%T|%r").splitlines():
        name, job, array_id, state, why = (line.split("|", 4) + [""] * 5)[:5]
        parts = name.split(":")
        if parts[0] == PROGRAM and len(parts) == 4 and parts[1] == run and array_id.isdecimal():
            step, _, offset = parts[3].partition("+")
            found.append(Living(parts[2], step, int(offset) + int(array_id), job, state, why))
    return found


def wait_also_for(job: str, after: Sequence[str]) -> None:
    """Make a waiting job wait for these; one that has started meanwhile is left alone."""
    try:
        _ask("scontrol", "update", f"JobId={job}", f"Dependency=afterany:{':'.join(after)}")
    except (EngineError, MissingError):
        return


def cancel(jobs: Sequence[str]) -> None:
    """End jobs, waiting or running."""
    _ask("scancel", *jobs)


def accounted(jobs: Sequence[str]) -> dict[tuple[str, int], str]:
    """Ask Slurm's accounting how array tasks ended: {(job, array id): state}; nothing where a site has none."""
    if not jobs or not shutil.which("sacct"):
        return {}
    try:
        wanted = f"--jobs={','.join(jobs)}"
        said = _ask("sacct", "--noheader", "--parsable2", "--allocations", "--format=JobID,State", wanted)
    except (EngineError, MissingError):
        return {}
    found = {}
    for line in said.splitlines():
        if match := re.match(r"(\d+)_(\d+)\|(\S+)", line):
            found[match[1], int(match[2])] = match[3]
    return found


def _ask(program: str, *words: str, folder: Path | None = None, keep: int | None = None) -> str:
    if shutil.which(program) is None:
        raise MissingError(missing() or f"{program} is not on this machine")
    # The input says what a job asks for, and it alone: neither a site's SBATCH_ variables, which go before what a
    # script says, nor those of a job that this may run inside of.
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("SBATCH_", "SLURM_")) or name in ("SLURM_CONF", "SLURM_CLUSTERS")
    }
    run = subprocess.run(
        [program, *words],
        capture_output=True,
        text=True,
        errors="replace",
        cwd=folder,
        env=environment,
        pass_fds=() if keep is None else (keep,),
        stdin=subprocess.DEVNULL,
        check=False,
    )
    if run.returncode and _UNCONFIGURED in run.stderr:
        raise MissingError(
            "Slurm's commands are on this machine, but no configuration: there is no slurm.conf, and SLURM_CONF names "
            "none; submit from where Slurm is, as a rule a login node"
        )
    if run.returncode:
        last = (run.stderr.strip() or run.stdout.strip() or f"exit code {run.returncode}").splitlines()[-1]
        raise EngineError(f"{program}: {last.removeprefix(program + ': ').removeprefix('error: ')}")
    return run.stdout
