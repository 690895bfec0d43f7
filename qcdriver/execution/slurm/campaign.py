"""RUN/slurm/CAMPAIGN: the input as it was submitted, what tasks left for each other and for people, what was sent.

One directory an input, that is, its candidates and all settings that determine numbers: an edited input is another
campaign beside it, and a waiting task goes on with the input it was submitted with. Every file appears whole or not at
all; many tasks may write at once, each its own files or the same content.

    input.toml, campaign.json   the input, word for word; the steps that were planned
    candidates                  what its structure files held, or which models are to be built
    scripts/, log/              what sbatch got, and what the jobs said
    sent.jsonl                  which indices went to Slurm as which job
    jobs/STEP                   the jobs of a round, put down by its first task
    ended/STEP/INDEX.json       how a task ended; the records say what came of it
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, overload

from pydantic import TypeAdapter, ValidationError

from qcdriver import __version__
from qcdriver.errors import InputError
from qcdriver.execution.slurm.notes import Notes
from qcdriver.execution.slurm.pieces import Entry, read_entries, read_piece, read_pieces, write_file, write_pieces
from qcdriver.execution.slurm.steps import Step
from qcdriver.models.base import Frozen
from qcdriver.models.tasks import Task
from qcdriver.models.verdicts import Purpose
from qcdriver.store import Records, content_key, task_key
from qcdriver.systems.base import Candidate
from qcdriver.workflow.base import Job
from qcdriver.workflow.input import read_input
from qcdriver.workflow.open_run import Run, settled
from qcdriver.workflow.registry import stages
from qcdriver.workflow.tables import Input
from qcdriver.workflow.variants import join, split

FOLDER = "slurm"
_TASK: TypeAdapter[Task] = TypeAdapter(Task)
_CANDIDATE: TypeAdapter[Candidate] = TypeAdapter(Candidate)


class _Content(Frozen):
    """`campaign.json`; `versions` of all that computes in it, none where an older program wrote it."""

    input_path: str
    device: Literal["cpu", "gpu"] | None
    steps: tuple[Step, ...]
    labels: tuple[str, ...]
    program_version: str
    versions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Campaign:
    """One campaign; its `folder` lies in the run directory's."""

    folder: Path
    content: _Content

    @classmethod
    def imagined(cls, run: Run, key: str, steps: list[Step]) -> Campaign:
        """Return the campaign that `make_campaign` would make, or the one that is there."""
        return cls(run.directory.resolve() / FOLDER / key, _content(run, steps, ()))

    @property
    def notes(self) -> Notes:
        """How its tasks ended, and what was sent."""
        return Notes(self.folder)

    @property
    def key(self) -> str:
        """Eight hexadecimal digits."""
        return self.folder.name

    @property
    def directory(self) -> Path:
        """The run directory."""
        return self.folder.parent.parent

    @property
    def input_path(self) -> Path:
        """The user's own input file, beside which structure files lie."""
        return Path(self.content.input_path)

    @property
    def snapshot(self) -> Path:
        """The input as it was submitted."""
        return self.folder / "input.toml"

    @cached_property
    def input(self) -> Input:
        """The input as submitted, with the devices that its jobs ask for."""
        _, variant = split(self.input_path)
        return settled(placed(read_input(join(self.snapshot, variant))), self.candidates)

    def run(self, records: Records) -> Run:
        """Return the run as it was submitted, with records read in the way that suits the caller."""
        return Run(self.input, self.candidates, records, self.directory, self.input_path)

    @property
    def steps(self) -> tuple[Step, ...]:
        """What was planned."""
        return self.content.steps

    def step(self, name: str) -> Step:
        """Give a step by its name.

        Raises
        ------
        InputError
            There is none of that name.
        """
        for step in self.steps:
            if step.name == name:
                return step
        raise InputError(f"{name!r}: this campaign has {', '.join(step.name for step in self.steps)}")

    @cached_property
    def candidates(self) -> Sequence[Candidate]:
        """The candidates as they were submitted, each read when it is asked for."""
        return _SubmittedCandidates(self.folder / "candidates", len(self.content.labels))

    def jobs(self, step: Step) -> list[Entry] | None:
        """List the jobs of a round; None until its first task has found them out."""
        try:
            return read_entries(self.folder / "jobs" / step.name)
        except FileNotFoundError:
            return None

    def job(self, step: Step, index: int) -> Job:
        """Give one job of a round."""
        content = json.loads(read_piece(self.folder / "jobs" / step.name, index))
        purpose = Purpose(content["purpose"]) if content.get("purpose") else None  # older programs named none
        return Job(content["label"], _TASK.validate_python(content["task"]), purpose, tuple(content["parents"]))

    def put_jobs(self, step: Step, jobs: list[Job]) -> None:
        """Put the jobs of a round down for all its tasks."""
        pieces = []
        for job in jobs:
            content = {
                "label": job.label,
                "task": job.task.model_dump(mode="json"),
                "purpose": job.purpose,
                "parents": job.parents,
            }
            pieces.append((task_key(job.task), job.label, json.dumps(content).encode()))
        write_pieces(self.folder / "jobs" / step.name, pieces)

    def forget_jobs(self, step: Step) -> None:
        """Have the jobs of a round found out anew, because those before it change."""
        (self.folder / "jobs" / step.name).unlink(missing_ok=True)


def campaign_key(run: Run, versions: Sequence[str]) -> str:
    """Hash what determines the numbers, in a word for a new campaign; not the title, nor what the jobs ask for.

    Only what differs from the defaults: whether a campaign that is there is the same, `is_same` finds out.
    """
    content = {
        "models": [[candidate.label, candidate.key] for candidate in run.candidates],
        "settings": _settings(run.input, run, exclude_defaults=True),
        "versions": list(versions),
    }
    return content_key(content)[:8]


def is_same(campaign: Campaign, run: Run, versions: Sequence[str], steps: Sequence[Step]) -> bool:
    """Tell whether a run is what a campaign was made for, whatever program made it.

    The input that was submitted is read as this program reads it, so that a setting which came later, or a new way to
    name campaigns, does not part a campaign from its input. Where it cannot be read any more, it is another.
    """
    content = campaign.content
    if content.versions and list(content.versions) != list(versions):
        return False
    if not content.versions and content.program_version != __version__:
        return False
    try:
        there = [(entry.key, entry.label) for entry in read_entries(campaign.folder / "candidates")]
        settings = _settings(campaign.input, run)
    except (InputError, OSError, ValueError):
        return False
    here = [(candidate.key, candidate.label) for candidate in run.candidates]
    return there == here and settings == _settings(run.input, run) and list(campaign.steps) == list(steps)


def _settings(settings: Input, run: Run, exclude_defaults: bool = False) -> dict[str, Any]:
    left_out: dict[str, bool | set[str]] = {
        **dict.fromkeys(("title", "experiment", "resources"), True),
        **{stage.name: set(stage.not_in_any_key) for stage in run.stages if stage.not_in_any_key},
    }
    return settings.model_dump(mode="json", exclude=left_out, exclude_defaults=exclude_defaults)


def placed(settings: Input) -> Input:
    """Have each stage that chooses a device compute where the jobs of its own table in [resources] can.

    Whatever the machine this is typed on: on GPUs if they ask for any, else on the CPU.
    """
    for stage in stages():
        table = settings.table(stage.Settings)
        if table is not None and "device" in stage.Settings.model_fields:
            device = "gpu" if settings.resources.of(stage.name).gpus else "cpu"
            settings = settings.model_copy(update={stage.name: table.model_copy(update={"device": device})})
    return settings


class _SubmittedCandidates(Sequence[Candidate]):
    """Candidates in one file, of which a task reads only its own."""

    def __init__(self, path: Path, length: int) -> None:
        self._path, self._length = path, length

    def __len__(self) -> int:
        return self._length

    @overload
    def __getitem__(self, index: int) -> Candidate: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[Candidate]: ...

    def __getitem__(self, index: int | slice) -> Candidate | Sequence[Candidate]:
        if isinstance(index, slice):
            return [self[number] for number in range(*index.indices(self._length))]
        if not -self._length <= index < self._length:
            raise IndexError(index)
        return _CANDIDATE.validate_json(read_piece(self._path, index % self._length))

    def __iter__(self) -> Iterator[Candidate]:
        return map(_CANDIDATE.validate_json, read_pieces(self._path))


def _content(run: Run, steps: list[Step], versions: Sequence[str]) -> _Content:
    path = os.fspath(run.input_path.resolve())
    try:
        path.encode()
    except UnicodeEncodeError:
        raise InputError(f"{path!a}: submit needs a path in UTF-8") from None
    devices = {stage.settings(run).device for stage in run.stages if "device" in stage.Settings.model_fields}
    return _Content(
        input_path=path,
        device=next(iter(sorted(devices, reverse=True)), None),
        steps=tuple(steps),
        labels=tuple(candidate.label for candidate in run.candidates),
        program_version=__version__,
        versions=tuple(versions),
    )


def make_campaign(run: Run, key: str, steps: list[Step], versions: Sequence[str] = ()) -> Campaign:
    """Make the campaign's directory, or open it if it is there."""
    directory = run.directory
    folder = directory.resolve() / FOLDER / key
    try:
        if not (folder / "campaign.json").exists():
            for name in ("scripts", "log", "jobs", "ended"):
                (folder / name).mkdir(parents=True, exist_ok=True)
            write_file(folder / "input.toml", split(run.input_path)[0].read_bytes())
            write_pieces(
                folder / "candidates", [(item.key, item.label, _CANDIDATE.dump_json(item)) for item in run.candidates]
            )
            content = _content(run, steps, versions)
            write_file(folder / "campaign.json", content.model_dump_json().encode())
        write_file(directory / FOLDER / "current", key.encode())
    except OSError as error:
        raise InputError(f"{folder}: cannot be written ({error.strerror})") from None
    return open_campaign(folder)


def open_campaign(folder: Path) -> Campaign:
    """Open a campaign by its folder.

    Raises
    ------
    InputError
        None is there.
    """
    try:
        return Campaign(folder, _Content.model_validate_json((folder / "campaign.json").read_bytes()))
    except (OSError, ValidationError):
        raise InputError(f"{folder}: no campaign is here; qcdriver submit INPUT.toml makes one") from None


def current_campaign(directory: Path) -> Campaign:
    """Open the campaign that was submitted last from a run directory.

    Raises
    ------
    InputError
        None was.
    """
    try:
        key = (directory / FOLDER / "current").read_text()
    except OSError:
        raise InputError(f"{directory}: nothing was submitted from here; qcdriver submit INPUT.toml does") from None
    return open_campaign(directory / FOLDER / key)
