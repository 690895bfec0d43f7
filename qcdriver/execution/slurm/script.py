"""A step and its resources -> the text that sbatch gets; pure, and safe for any path."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from qcdriver.workflow.resources import StageResources

REQUEUE = 85
"""The exit code by which a task asks for its job to be queued again."""
WARNING_S = 60
"""Slurm's warning comes so long before the time is up, or up to half a minute earlier."""


@dataclass(frozen=True)
class Array:
    """One job array: indices `offset` + i for each of its `ids`, after the jobs it depends on.

    `name` is unique to run, campaign, step and offset: by it the queue is asked what is there already. `at_most`:
    nobody knows yet how many of its tasks there will be.
    """

    step: str
    offset: int
    ids: tuple[int, ...]
    name: str
    after: tuple[str, ...] = ()
    at_most: bool = False


def render(array: Array, resources: StageResources, campaign: Path) -> str:
    """Write the batch script; it is submitted from within the campaign's folder, where the log goes."""
    log = f"log/{array.step}+{array.offset}-"
    # Slurm takes a % or a backslash of the folder's own path for a pattern; the shell does not.
    readable = not set("%\\") & set(str(campaign))
    lines = [
        "#!/bin/bash",
        f"#SBATCH --output={log + '%a.log' if readable else '/dev/null'}",
        *(f"#SBATCH {option}" for option in _options(array, resources)),
        "",
        f"campaign={shlex.quote(str(campaign))}",
        *([] if readable else [f'exec >>"$campaign/{log}$SLURM_ARRAY_TASK_ID.log" 2>&1']),
        *(f"module load {shlex.quote(name)}" for name in resources.modules),
        "# Slurm's warning comes to this shell first: pass it on, and wait again.",
        "trap 'warned=yes; kill -USR1 \"$task\"' USR1",
        f"index=$(({array.offset} + SLURM_ARRAY_TASK_ID))",
        f'{_command(resources)} task "$campaign" {array.step} "$index" --max-requeues {resources.max_requeues} &',
        "task=$!",
        'wait "$task"',
        "code=$?",
        'while [ -n "${warned:-}" ]; do warned=; wait "$task"; code=$?; done',
        f'if [ $code -eq {REQUEUE} ]; then scontrol requeue "$SLURM_JOB_ID" && sleep 300; fi',
        "exit $code",
    ]
    return "\n".join(lines) + "\n"


def _options(array: Array, resources: StageResources) -> list[str]:
    options = [
        f"--job-name={array.name}",
        f"--array={ranges(array.ids)}",
        "--open-mode=append",
        "--nodes=1",
        "--ntasks=1",
        f"--cpus-per-task={resources.cpus}",
        "--no-requeue" if resources.max_requeues == 0 else "--requeue",
    ]
    for option in ("partition", "account", "qos"):
        if value := getattr(resources, option):
            options.append(f"--{option}={value}")
    if resources.memory_mb:
        options.append(f"--mem={resources.memory_mb}M")
    if resources.gpus:
        options.append(f"--gres=gpu:{resources.gpus}")
    if resources.time_s:
        options.append(f"--time={_clock(resources.time_s)}")
    options.append(f"--signal=B:USR1@{min(WARNING_S, (resources.time_s or 3600) // 4)}")
    if array.after:
        options.append(f"--dependency=afterany:{':'.join(array.after)}")
        options.append("--kill-on-invalid-dep=yes")
    return [*options, *resources.sbatch]


def _command(resources: StageResources) -> str:
    """Give what runs this program: this very Python, or in a container the one it brings along."""
    if resources.container:
        return f"{resources.container} qcdriver"
    return f"{shlex.quote(sys.executable)} -P -m qcdriver.cli"


def _clock(seconds: int) -> str:
    days, rest = divmod(seconds, 86400)
    return f"{days}-{rest // 3600:02}:{rest % 3600 // 60:02}:{rest % 60:02}"


def ranges(indices: Sequence[int]) -> str:
    """Write rising indices as sbatch reads them: 0-3,7,9-10."""
    spans: list[list[int]] = []
    for index in indices:
        if spans and index == spans[-1][1] + 1:
            spans[-1][1] = index
        else:
            spans.append([index, index])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in spans)
