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

import hashlib
import json
import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter, ValidationError

from qcdriver import __version__
from qcdriver.candidates import Candidate, geometry_of
from qcdriver.config.settings import Settings, read_settings
from qcdriver.config.variants import join, split
from qcdriver.errors import InputError
from qcdriver.levels import settled
from qcdriver.records import content_key, task_key
from qcdriver.run import Run
from qcdriver.schema import Frozen, Task
from qcdriver.slurm.ledger import Ledger
from qcdriver.slurm.shelf import Entry, read_entries, read_piece, read_pieces, write_file, write_shelf
from qcdriver.slurm.steps import Step
from qcdriver.stage import Job

FOLDER = "slurm"
_TASK: TypeAdapter[Task] = TypeAdapter(Task)
_CANDIDATE: TypeAdapter[Candidate] = TypeAdapter(Candidate)


class _Content(Frozen):
    """`campaign.json`."""

    input_path: str
    device: Literal["cpu", "gpu"] | None
    steps: tuple[Step, ...]
    labels: tuple[str, ...]
    program_version: str


@dataclass(frozen=True)
class Campaign:
    """One campaign; its `folder` lies in the run directory's."""

    folder: Path
    content: _Content

    @classmethod
    def imagined(cls, this: Run, key: str, steps: list[Step]) -> Campaign:
        """Give the campaign that `make_campaign` would make, or the one that is there."""
        return cls(this.directory.resolve() / FOLDER / key, _content(this, steps))

    @property
    def ledger(self) -> Ledger:
        """How its tasks ended, and what was sent."""
        return Ledger(self.folder)

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
    def settings(self) -> Settings:
        """Of the input as submitted, with the device that was decided on then."""
        _, variant = split(self.input_path)
        settings = read_settings(join(self.snapshot, variant))
        if settings.dft is None:
            return settings
        dft = settings.dft.model_copy(update={"device": self.content.device})
        return settled(settings.model_copy(update={"dft": dft}), lambda: geometry_of(self.candidate(0)))

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

    def all_candidates(self) -> list[Candidate]:
        """Give all candidates as they were submitted."""
        return [_CANDIDATE.validate_json(each) for each in read_pieces(self.folder / "candidates")]

    def candidate(self, index: int) -> Candidate:
        """Give one candidate as it was submitted."""
        return _CANDIDATE.validate_json(read_piece(self.folder / "candidates", index))

    def jobs(self, step: Step) -> list[Entry] | None:
        """List the jobs of a round; None until its first task has found them out."""
        try:
            return read_entries(self.folder / "jobs" / step.name)
        except FileNotFoundError:
            return None

    def job(self, step: Step, index: int) -> Job:
        """Give one job of a round."""
        content = json.loads(read_piece(self.folder / "jobs" / step.name, index))
        return Job(content["label"], _TASK.validate_python(content["task"]), tuple(content["parents"]))

    def put_jobs(self, step: Step, jobs: list[Job]) -> None:
        """Put the jobs of a round down for all its tasks."""
        pieces = []
        for job in jobs:
            content = {"label": job.label, "task": job.task.model_dump(mode="json"), "parents": job.parents}
            pieces.append((task_key(job.task), job.label, json.dumps(content).encode()))
        write_shelf(self.folder / "jobs" / step.name, pieces)

    def forget_jobs(self, step: Step) -> None:
        """Have the jobs of a round found out anew, because those before it change."""
        (self.folder / "jobs" / step.name).unlink(missing_ok=True)


def campaign_key(settings: Settings, candidates: list[Candidate], versions: list[str]) -> str:
    """Hash what determines the numbers; not the title, nor what the jobs ask for."""
    left_out: dict[str, bool | set[str]] = {
        **dict.fromkeys(("title", "experiment", "resources"), True),
        "dft": {"keep_checkpoints"},
    }
    science = settings.model_dump(mode="json", exclude=left_out)
    content = {"models": [[each.label, each.key] for each in candidates], "settings": science, "versions": versions}
    return content_key(content)[:8]


def run_key(directory: Path) -> str:
    """Name a run directory in the queue: eight hexadecimal digits, of where it lies."""
    return hashlib.sha256(os.fsencode(directory.resolve())).hexdigest()[:8]


def _content(this: Run, steps: list[Step]) -> _Content:
    path = os.fspath(this.input_path.resolve())
    try:
        path.encode()
    except UnicodeEncodeError:
        raise InputError(f"{path!a}: submit needs a path in UTF-8") from None
    gpus = this.settings.resources.dft.gpus
    return _Content(
        input_path=path,
        device=None if this.settings.dft is None else "gpu" if gpus else "cpu",
        steps=tuple(steps),
        labels=tuple(each.label for each in this.candidates),
        program_version=__version__,
    )


def make_campaign(this: Run, key: str, steps: list[Step]) -> Campaign:
    """Make the campaign's directory, or open it if it is there."""
    directory = this.directory
    folder = directory.resolve() / FOLDER / key
    try:
        if not (folder / "campaign.json").exists():
            for name in ("scripts", "log", "jobs", "ended"):
                (folder / name).mkdir(parents=True, exist_ok=True)
            write_file(folder / "input.toml", split(this.input_path)[0].read_bytes())
            write_shelf(
                folder / "candidates", [(each.key, each.label, _CANDIDATE.dump_json(each)) for each in this.candidates]
            )
            content = _content(this, steps)
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
