"""An input -> the tasks that are missing, sent to Slurm; what lives in the queue already is never sent again.

Killed at any instant, the next submit finds out what came through: jobs carry the run, the campaign and their indices
in their names, so the queue itself says what is there. One submit works on a run at a time.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from qcdriver import engines
from qcdriver.engines import AnyEngine
from qcdriver.errors import InputError, MissingError
from qcdriver.execution.driver import refuse_now
from qcdriver.execution.slurm import queue
from qcdriver.execution.slurm.campaign import (
    FOLDER,
    Campaign,
    campaign_key,
    current_campaign,
    is_same,
    make_campaign,
    placed,
)
from qcdriver.execution.slurm.notes import Sent
from qcdriver.execution.slurm.pieces import write_file
from qcdriver.execution.slurm.queue import DEFAULT_MAX_ARRAY_SIZE, Living
from qcdriver.execution.slurm.script import Array, ranges, render
from qcdriver.execution.slurm.steps import Step, plan_steps
from qcdriver.execution.slurm.survey import StepState, survey
from qcdriver.store.keys import run_key
from qcdriver.workflow.open_run import Run
from qcdriver.workflow.registry import stages
from qcdriver.workflow.tables import Input

LOCK_S = 60.0
"""Another submit of the same run has so long to end."""


@dataclass(frozen=True)
class Submission:
    """One array, its script, and the job it became (a word that stands for it in a dry run)."""

    array: Array
    script: str
    job: str

    def told(self) -> str:
        """Say it in a line for a person."""
        tasks = f"{'up to ' * self.array.at_most}{len(self.array.ids)} task{'s' * (len(self.array.ids) != 1)}"
        after = f", after {_told_jobs(self.array.after)}" if self.array.after else ""
        return f"{self.array.step}: {tasks}: job {self.job}{after}"


def _told_jobs(jobs: Sequence[str]) -> str:
    return ranges(sorted(map(int, jobs))) if all(job.isdecimal() for job in jobs) else ", ".join(jobs)


@dataclass(frozen=True)
class Shipment:
    """What is to be sent of a step; `anew`: steps before it are sent too, so its jobs will be others."""

    step: Step
    indices: list[int]
    anew: bool


def for_slurm(run: Run) -> tuple[Run, list[str]]:
    """Decide where each stage computes by what its jobs ask for, whatever the machine this is typed on.

    Returns
    -------
    The run with its devices decided, and a line for each stage that chooses one.

    Raises
    ------
    InputError
        The input asks for one device and its jobs for the other, or it is wrong in a way that `check` finds.
    MissingError
        An engine is not installed.
    """
    refuse_now(replace(run, input=_all_on_cpu(run.input)), run.stages)
    lines = []
    for stage in run.stages:
        requested = getattr(stage.settings(run), "device", None)
        if requested is None:
            continue
        gpus = run.input.resources.of(stage.name).gpus
        if requested == "gpu" and not gpus:
            raise InputError(
                f'{run.input_path}: {stage.name}.device = "gpu" needs gpus = 1 or more in [resources.{stage.name}]'
            )
        if requested == "cpu" and gpus:
            raise InputError(
                f'{run.input_path}: resources.{stage.name}.gpus = {gpus}: {stage.name}.device = "cpu" '
                "has no use for GPUs"
            )
        lines.append(f"{stage.name} on the {'GPU' if gpus else 'CPU'}: resources.{stage.name}.gpus = {gpus}")
    return replace(run, input=placed(run.input)), [*lines, *_unlimited(run)]


_ASKS = {"time": ("--time", "-t"), "memory_mb": ("--mem",)}
"""Keys of [resources.STAGE] without which a job has what the site gives it, and the options of sbatch for the same."""


def _unlimited(run: Run) -> Iterator[str]:
    """Warn of stages whose jobs ask for no time or no memory: what a site gives is often too little to finish."""
    names = dict.fromkeys(stage.resources_of(run).name for stage in run.stages)
    for key, options in _ASKS.items():
        tables = [(name, run.input.resources.of(name)) for name in names]
        missing = [
            f"[resources.{name}]"
            for name, table in tables
            if getattr(table, key) is None and not any(option.startswith(options) for option in table.sbatch)
        ]
        if missing:
            yield f"warning: no {key} in {' and '.join(missing)}: the site's default holds, which may be too little"


def _all_on_cpu(settings: Input) -> Input:
    """Return the input as this machine can check it, which need not have the GPU of the jobs."""
    tables = {
        stage.name: settings.table(stage.Settings) for stage in stages() if "device" in stage.Settings.model_fields
    }
    on_cpu = {name: table.model_copy(update={"device": "cpu"}) for name, table in tables.items() if table is not None}
    return settings.model_copy(update=on_cpu)


def submit(run: Run) -> Iterator[Submission]:
    """Send what is missing and not in the queue; gives each array as soon as Slurm has it.

    Raises
    ------
    InputError
        Tasks of an earlier state of this input are still in the queue.
    MissingError
        No Slurm is here.
    EngineError
        Slurm refuses; what it took before is in the queue, and the next submit goes on from there.
    """
    if lack := queue.missing():
        raise MissingError(lack)
    with _lock(run.directory) as lock:
        versions, steps, name = _versions(run), plan_steps(run), run_key(run.directory)
        key = _key(run, versions, steps)
        living = queue.living(name)
        _refuse_strangers(run, key, living)
        campaign = make_campaign(run, key, steps, versions)
        shipments = to_send(survey(campaign, run.records.keys(), run.finished(), living))
        for shipment in shipments:
            if shipment.anew:
                campaign.forget_jobs(shipment.step)
        jobs = {step.name: {job.job for job in living if job.step == step.name} for step in campaign.steps}

        def deliver(array: Array, script: str) -> str:
            path = campaign.folder / "scripts" / f"{array.step}+{array.offset}.sbatch"
            write_file(path, os.fsencode(script))
            job = queue.sbatch(path, campaign.folder, lock)
            now = datetime.now(UTC).isoformat(timespec="seconds")
            campaign.notes.add_sent(Sent(step=array.step, offset=array.offset, ids=array.ids, job=job, sent_utc=now))
            return job

        yield from _send(run, campaign, shipments, jobs, queue.max_array_size(), deliver)
        _wait_for_all(campaign.steps, living, jobs)


def dry_run(run: Run) -> tuple[Iterator[Submission], str | None]:
    """Return the scripts that `submit` would send, making nothing; without Slurm, as if nothing was in the queue.

    Returns
    -------
    tuple
        The submissions, and why the queue could not be asked (None: it was).

    Raises
    ------
    EngineError
        Slurm does not answer.
    """
    steps, name = plan_steps(run), run_key(run.directory)
    key = _key(run, _versions(run), steps)
    lack, living, size = queue.missing(), list[Living](), DEFAULT_MAX_ARRAY_SIZE
    try:
        if not lack:
            living, size = queue.living(name), queue.max_array_size()
    except MissingError as error:
        lack = str(error)
    _refuse_strangers(run, key, living)
    campaign = Campaign.imagined(run, key, steps)
    shipments = to_send(survey(campaign, run.records.keys(), run.finished(), living))
    jobs = {step.name: {job.job for job in living if job.step == step.name} for step in campaign.steps}
    sent = _send(run, campaign, shipments, jobs, size, lambda array, _: f"JOB_OF_{array.step}+{array.offset}")
    return sent, lack


def to_send(states: Sequence[StepState]) -> list[Shipment]:
    """Choose what is missing; and of the steps after that all, because what they start from will be another."""
    shipments: list[Shipment] = []
    for state in states:
        step = state.step
        anew = any(shipment.step.name in step.after for shipment in shipments)
        indices = state.to_send
        if anew:
            living = {task.index for task in state.tasks if task.state in ("running", "pending")}
            indices = [index for index in range(step.width) if index not in living]
        if indices or anew:
            shipments.append(Shipment(step, indices, anew))
    return shipments


def _send(
    run: Run,
    campaign: Campaign,
    shipments: Iterable[Shipment],
    jobs: dict[str, set[str]],
    size: int,
    deliver: Callable[[Array, str], str],
) -> Iterator[Submission]:
    """Send array after array; each waits for all jobs of the steps before its own."""
    for shipment in shipments:
        step = shipment.step
        after = _before(step, jobs)
        for offset, ids in chunks(shipment.indices, size):
            name = queue.job_name(run_key(run.directory), campaign.key, step.name, offset)
            at_most = step.work == "job" and (shipment.anew or campaign.jobs(step) is None)
            array = Array(step.name, offset, ids, name, after, at_most)
            script = render(array, run.input.resources.of(step.resources), campaign.folder)
            job = deliver(array, script)
            jobs[step.name].add(job)
            yield Submission(array, script, job)


def _before(step: Step, jobs: dict[str, set[str]]) -> tuple[str, ...]:
    """List the jobs a step has to wait for, oldest first."""
    return tuple(sorted({job for name in step.after for job in jobs[name]}, key=lambda job: (len(job), job)))


def chunks(indices: Sequence[int], size: int) -> Iterator[tuple[int, tuple[int, ...]]]:
    """Cut rising indices into arrays: (offset, ids), an id being less than `size`."""
    by_offset: dict[int, list[int]] = {}
    for index in indices:
        by_offset.setdefault(index // size * size, []).append(index % size)
    for offset, ids in by_offset.items():
        yield offset, tuple(ids)


def _wait_for_all(steps: Iterable[Step], living: Sequence[Living], jobs: dict[str, set[str]]) -> None:
    """Have what waits already wait also for what was sent now of the steps before it."""
    for step in steps:
        after = _before(step, jobs)
        waiting = {job.job for job in living if job.step == step.name and job.why == "Dependency"}
        for job in sorted(waiting):
            if after:
                queue.wait_also_for(job, after)


def _refuse_strangers(run: Run, key: str, living: Sequence[Living]) -> None:
    strangers = [job for job in living if job.campaign != key]
    if strangers:
        raise InputError(
            f"{run.directory}: {len(strangers)} task(s) of this input as it was before are in the queue; "
            f"qcdriver cancel {run.directory} ends them, or give the changed input another name"
        )


def _key(run: Run, versions: Sequence[str], steps: Sequence[Step]) -> str:
    """Return the name of the campaign that was submitted last, if it is this run's, else one for a new campaign."""
    try:
        last = current_campaign(run.directory)
    except InputError:
        return campaign_key(run, versions)
    return last.key if is_same(last, run, versions, steps) else campaign_key(run, versions)


def _versions(run: Run) -> list[str]:
    """List the versions of all that computes in a run.

    A level on a GPU is read as one on the CPU, and the version of what computes on the GPU beside it, where that is
    installed here: a login node has no driver, and its jobs need none until they run.
    """
    here = replace(run, input=_all_on_cpu(run.input))
    levels = [level for stage in here.stages for level in here.plan(type(stage)).levels]
    on_gpus = {level.engine: engine for level in levels if "gpu" in (engine := engines.of(level)).devices}
    versions = [f"{name} {_version_on_gpu(on_gpus[name])}" for name in sorted(on_gpus) if run.input != here.input]
    return [*dict.fromkeys(level.model_dump_json() for level in levels), *versions]


def _version_on_gpu(engine: AnyEngine) -> str | None:
    try:
        return engine.version("gpu")
    except MissingError:
        return None


@contextmanager
def _lock(directory: Path) -> Iterator[int]:
    """Hold the run against another submit; gives the descriptor."""
    path = directory / FOLDER / "lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        end = time.monotonic() + LOCK_S
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > end:
                    raise InputError(f"{directory}: another qcdriver submit is at work on it") from None
                time.sleep(0.1)
        yield descriptor
    finally:
        os.close(descriptor)
