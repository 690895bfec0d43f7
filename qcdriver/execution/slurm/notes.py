"""Notes of a campaign: how its tasks ended (`ended/STEP/INDEX.json`) and which were sent to Slurm (`sent.jsonl`).

Neither decides what is done; the records do.
"""

from __future__ import annotations

import os
from pathlib import Path

from pydantic import ValidationError

from qcdriver.execution.slurm.pieces import write_file
from qcdriver.execution.slurm.steps import Step
from qcdriver.models.base import Frozen
from qcdriver.store.files import append_line


class Calculation(Frozen):
    """A record that a task found or made; `again`: it failed, and another try may help."""

    key: str
    label: str
    failure: str | None = None
    again: bool = False


class TaskEnding(Frozen):
    """How a task ended: its exit code, the reason if it is not 0, and its records.

    `message`: the reason without the name of the calculation, so that it is the same for many tasks.
    """

    exit_code: int
    reason: str | None = None
    message: str | None = None
    calculations: tuple[Calculation, ...] = ()
    job: str | None = None
    host: str
    ended_utc: str


class Sent(Frozen):
    """Indices of a step that went to Slurm: array id i of `job` is index `offset` + i. No job: all was cancelled."""

    step: str
    offset: int
    ids: tuple[int, ...]
    job: str | None
    sent_utc: str


class Notes:
    """The notes in a campaign's folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, step: Step, index: int, ending: TaskEnding) -> None:
        """Write down how a task ended."""
        write_file(self.folder / "ended" / step.name / f"{index}.json", ending.model_dump_json().encode())

    def forget(self, step: Step, index: int) -> None:
        """Remove what an earlier try wrote."""
        (self.folder / "ended" / step.name / f"{index}.json").unlink(missing_ok=True)

    def all_ended(self, step: Step, width: int) -> bool:
        """Return whether every task of a step has written down how it ended."""
        folder = self.folder / "ended" / step.name
        ended = {path.name for path in os.scandir(folder)} if folder.is_dir() else set()
        return ended >= {f"{index}.json" for index in range(width)}

    def endings(self, step: Step) -> dict[int, TaskEnding]:
        """Return how the tasks of a step ended, by index; a task that was killed has written nothing."""
        endings = {}
        try:
            paths = list(os.scandir(self.folder / "ended" / step.name))
        except FileNotFoundError:
            return {}
        for path in paths:
            index, _, suffix = path.name.partition(".")
            if suffix == "json" and index.isdecimal():
                try:
                    endings[int(index)] = TaskEnding.model_validate_json(Path(path.path).read_bytes())
                except ValidationError:  # damaged: nobody knows how it ended
                    continue
        return endings

    def add_sent(self, sent: Sent) -> None:
        """Write down what was sent to Slurm."""
        append_line(self.folder / "sent.jsonl", sent.model_dump_json().encode() + b"\n")

    def sent(self, step: Step) -> list[Sent]:
        """Return what was sent of a step since everything was cancelled last, oldest first."""
        try:
            lines = (self.folder / "sent.jsonl").read_bytes().splitlines()
        except FileNotFoundError:
            return []
        sent: list[Sent] = []
        for line in lines:
            try:
                indices = Sent.model_validate_json(line)
            except ValidationError:  # torn by a kill: the queue knows the job by its name
                continue
            if indices.job is None:
                sent.clear()
            elif indices.step == step.name:
                sent.append(indices)
        return sent
