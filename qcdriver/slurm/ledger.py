"""How the tasks of a campaign ended, and what of it was sent: `ended/STEP/INDEX.json` and `sent.jsonl`.

Neither decides what is done; the records do. A note tells which records a task left, and why it ended if not well.
"""

from __future__ import annotations

import os
from pathlib import Path

from pydantic import ValidationError

from qcdriver.schema import Frozen
from qcdriver.slurm.shelf import write_file
from qcdriver.slurm.steps import Step


class Calculation(Frozen):
    """One record a task found or made; `again`: another try may help."""

    key: str
    label: str
    failure: str | None = None
    again: bool = False


class Note(Frozen):
    """How a task ended: its exit code, why if not 0, and its records."""

    exit_code: int
    reason: str | None = None
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


class Ledger:
    """The notes and the list of what was sent, in a campaign's folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def note(self, step: Step, index: int, note: Note) -> None:
        """Leave word of how a task ended."""
        write_file(self.folder / "ended" / step.name / f"{index}.json", note.model_dump_json().encode())

    def forget_note(self, step: Step, index: int) -> None:
        """Take the word of an earlier try back."""
        (self.folder / "ended" / step.name / f"{index}.json").unlink(missing_ok=True)

    def all_ended(self, step: Step, width: int) -> bool:
        """Tell whether every task of a step has left word."""
        folder = self.folder / "ended" / step.name
        ended = {path.name for path in os.scandir(folder)} if folder.is_dir() else set()
        return ended >= {f"{index}.json" for index in range(width)}

    def notes(self, step: Step) -> dict[int, Note]:
        """Give how the tasks of a step ended, as far as they said."""
        notes = {}
        try:
            paths = list(os.scandir(self.folder / "ended" / step.name))
        except FileNotFoundError:
            return {}
        for path in paths:
            index, _, suffix = path.name.partition(".")
            if suffix == "json" and index.isdecimal():
                try:
                    notes[int(index)] = Note.model_validate_json(Path(path.path).read_bytes())
                except ValidationError:  # damaged: nobody knows how it ended
                    continue
        return notes

    def add_sent(self, sent: Sent) -> None:
        """Remember what went to Slurm."""
        with (self.folder / "sent.jsonl").open("ab") as file:
            file.write(b"\n" * (file.tell() > 0 and not self._ends_whole()) + sent.model_dump_json().encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def _ends_whole(self) -> bool:
        return (self.folder / "sent.jsonl").read_bytes().endswith(b"\n")

    def sent(self, step: Step) -> list[Sent]:
        """Give what was sent of a step since the last cancel, oldest first."""
        try:
            lines = (self.folder / "sent.jsonl").read_bytes().splitlines()
        except FileNotFoundError:
            return []
        sent: list[Sent] = []
        for line in lines:
            try:
                each = Sent.model_validate_json(line)
            except ValidationError:  # torn by a kill: the queue knows the job by its name
                continue
            if each.job is None:
                sent.clear()
            elif each.step == step.name:
                sent.append(each)
        return sent
