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
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from qcdriver import __version__, levels, pipeline
from qcdriver.config.settings import Settings
from qcdriver.errors import InputError, MissingError
from qcdriver.run import Run, wanted_stages
from qcdriver.slurm import queue
from qcdriver.slurm.campaign import FOLDER, Campaign, campaign_key, make_campaign, run_key
from qcdriver.slurm.ledger import Sent
from qcdriver.slurm.queue import DEFAULT_MAX_ARRAY_SIZE, Living
from qcdriver.slurm.script import Array, ranges, render
from qcdriver.slurm.shelf import write_file
from qcdriver.slurm.steps import Step, plan_steps
from qcdriver.slurm.survey import StepState, survey

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


def for_slurm(this: Run) -> tuple[Run, str]:
    """Decide where DFT computes by what its jobs ask for, whatever the machine this is typed on; and say so.

    Raises
    ------
    InputError
        The input asks for one device and its jobs for the other, or it is wrong in a way that `check` finds.
    MissingError
        An engine is not installed.
    """
    settings = this.settings
    pipeline.refuse_now(_on(this, "cpu"), wanted_stages(settings))
    if settings.dft is None:
        return this, ""
    wish, gpus = settings.dft.device, settings.resources.dft.gpus
    if wish == "gpu" and not gpus:
        raise InputError(f'{this.input_path}: dft.device = "gpu" needs gpus = 1 or more in [resources.dft]')
    if wish == "cpu" and gpus:
        raise InputError(f'{this.input_path}: resources.dft.gpus = {gpus}: dft.device = "cpu" has no use for GPUs')
    device: Literal["cpu", "gpu"] = "gpu" if gpus else "cpu"
    return _on(this, device), f"DFT on the {device.upper()}: resources.dft.gpus = {gpus}"


def _on(this: Run, device: Literal["cpu", "gpu"]) -> Run:
    """Give the same run with its DFT on a device."""
    settings: Settings = this.settings
    if settings.dft is not None:
        settings = settings.model_copy(update={"dft": settings.dft.model_copy(update={"device": device})})
    return Run(settings, this.candidates, this.records, this.directory, this.input_path)


def submit(this: Run) -> Iterator[Submission]:
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
    with _lock(this.directory) as lock:
        key, run = _key(this), run_key(this.directory)
        living = queue.living(run)
        _refuse_strangers(this, key, living)
        campaign = make_campaign(this, key, plan_steps(this.settings, this.candidates))
        shipments = to_send(survey(campaign, this.records.keys(), this.stages().keys(), living))
        for each in shipments:
            if each.anew:
                campaign.forget_jobs(each.step)
        jobs = {step.name: {each.job for each in living if each.step == step.name} for step in campaign.steps}

        def deliver(array: Array, script: str) -> str:
            path = campaign.folder / "scripts" / f"{array.step}+{array.offset}.sbatch"
            write_file(path, os.fsencode(script))
            job = queue.sbatch(path, campaign.folder, lock)
            now = datetime.now(UTC).isoformat(timespec="seconds")
            campaign.ledger.add_sent(Sent(step=array.step, offset=array.offset, ids=array.ids, job=job, sent_utc=now))
            return job

        yield from _send(this, campaign, shipments, jobs, queue.max_array_size(), deliver)
        _wait_for_all(campaign.steps, living, jobs)


def dry_run(this: Run) -> Iterator[Submission]:
    """Give the scripts that `submit` would send, making nothing; without Slurm, as if nothing was in the queue."""
    key, run = _key(this), run_key(this.directory)
    here = queue.missing() is None
    living = queue.living(run) if here else []
    _refuse_strangers(this, key, living)
    campaign = Campaign.imagined(this, key, plan_steps(this.settings, this.candidates))
    shipments = to_send(survey(campaign, this.records.keys(), this.stages().keys(), living))
    jobs = {step.name: {each.job for each in living if each.step == step.name} for step in campaign.steps}
    size = queue.max_array_size() if here else DEFAULT_MAX_ARRAY_SIZE
    yield from _send(this, campaign, shipments, jobs, size, lambda array, _: f"JOB_OF_{array.step}+{array.offset}")


def to_send(states: Sequence[StepState]) -> list[Shipment]:
    """Choose what is missing; and of the steps after that all, because what they start from will be another."""
    shipments: list[Shipment] = []
    for state in states:
        step = state.step
        anew = any(each.step.name in step.after for each in shipments)
        indices = state.to_send
        if anew:
            living = {each.index for each in state.tasks if each.state in ("running", "pending")}
            indices = [index for index in range(step.width) if index not in living]
        if indices or anew:
            shipments.append(Shipment(step, indices, anew))
    return shipments


def _send(
    this: Run,
    campaign: Campaign,
    shipments: Iterable[Shipment],
    jobs: dict[str, set[str]],
    size: int,
    deliver: Callable[[Array, str], str],
) -> Iterator[Submission]:
    """Send array after array; each waits for all jobs of the steps before its own."""
    for each in shipments:
        step = each.step
        after = _before(step, jobs)
        for offset, ids in chunks(each.indices, size):
            name = queue.job_name(run_key(this.directory), campaign.key, step.name, offset)
            at_most = step.work == "job" and (each.anew or campaign.jobs(step) is None)
            array = Array(step.name, offset, ids, name, after, at_most)
            script = render(array, this.settings.resources.of(step.resources), campaign.folder)
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
        waiting = {each.job for each in living if each.step == step.name and each.why == "Dependency"}
        for job in sorted(waiting):
            if after:
                queue.wait_also_for(job, after)


def _refuse_strangers(this: Run, key: str, living: Sequence[Living]) -> None:
    strangers = [each for each in living if each.campaign != key]
    if strangers:
        raise InputError(
            f"{this.directory}: {len(strangers)} task(s) of this input as it was before are in the queue; "
            f"qcdriver cancel {this.directory} ends them, or give the changed input another name"
        )


def _key(this: Run) -> str:
    settings = this.settings
    relaxation, _ = levels.relaxation_level(settings.prescreen)
    first, _ = levels.preoptimization_level(settings.prescreen)
    versions = [__version__, relaxation.model_dump_json(), first.model_dump_json() if first else ""]
    if settings.dft:
        versions.append(levels.dft_level(settings.dft, "cpu").model_dump_json())
    return campaign_key(settings, this.candidates, versions)


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
