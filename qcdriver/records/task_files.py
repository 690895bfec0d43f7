"""`tasks/`: the records of array tasks, one file each, from the moment they are done until they are merged.

Many machines write here at once without a lock and without SQLite, which network file systems do not do safely. A file
gets its name only when it is whole and on disk. A success and a failure of one key have different names, so that a
second try that fails never hides the first that worked.

Merging takes three steps: the file is renamed into `tasks/merging/` under a name of its own, its line is appended to
`records.jsonl`, and then it is removed. A record so only ever moves forward through the three places, and whoever looks
for it in that order finds it, whatever happens meanwhile; a kill leaves it in two places, never in none.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from qcdriver.errors import ResourceError
from qcdriver.records.disk import sync_directory, write_whole
from qcdriver.records.lines import parse_record, succeeded, to_line
from qcdriver.schema import StageRecord, TaskRecord

FOLDER = "tasks"
SUCCESS, FAILURE, UNFINISHED = ".json", ".failed.json", ".part"


class TaskFiles:
    """The task files of one run directory."""

    def __init__(self, directory: Path) -> None:
        self.folder = directory / FOLDER
        self.merging = self.folder / "merging"

    def write(self, record: TaskRecord | StageRecord) -> None:
        """Put one record down; when this returns it is on disk and every reader sees it.

        Raises
        ------
        ResourceError
            The disk is full, or the folder cannot be written. Nothing was written then.
        """
        final = self.folder / (record.key + (SUCCESS if succeeded(record) else FAILURE))
        unfinished = self.folder / f".{record.key}.{secrets.token_hex(8)}{UNFINISHED}"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            try:
                descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
                try:
                    write_whole(descriptor, to_line(record))
                finally:
                    os.close(descriptor)
                unfinished.rename(final)
            except OSError:
                with suppress(OSError):
                    unfinished.unlink()
                raise
            sync_directory(self.folder)
            sync_directory(self.folder.parent)
        except OSError as error:
            raise ResourceError(
                f"{final}: cannot be written ({error.strerror}); mend that, and the same command goes on from there"
            ) from None

    def find(self, key: str) -> TaskRecord | StageRecord | None:
        """Give the record of that key that waits here, a success before a failure."""
        found = None
        for path in self._places(key):
            record = read_task_file(path)
            if record is not None and succeeded(record):
                return record
            found = found or record
        return found

    def _places(self, key: str) -> Iterator[Path]:
        """Name the files of that key one at a time: `tasks/merging` is looked through after its own names are tried."""
        yield self.folder / (key + SUCCESS)
        yield self.folder / (key + FAILURE)
        yield from _list(self.merging, start=f"{key}.")

    def waiting(self) -> set[str]:
        """Give the keys of what is here."""
        return {_key(path) for path in self.paths()}

    def paths(self) -> list[Path]:
        """List the files here, whole ones and damaged ones."""
        waiting = _list(self.folder)  # first: a merge moves them on
        return waiting + _list(self.merging)

    def unfinished(self) -> list[Path]:
        """List what is being written just now, or was when its task was killed."""
        return _list(self.folder, UNFINISHED)

    def unclaimed(self) -> list[Path]:
        """List the files that no merge has taken yet."""
        return _list(self.folder)

    def claim(self, paths: Sequence[Path]) -> list[Path]:
        """Move files into `tasks/merging/`, beside what a killed merge left there, and list all that is there."""
        if paths:
            self.merging.mkdir(exist_ok=True)
        for path in paths:
            with suppress(FileNotFoundError):  # another merge was first
                path.rename(self.merging / f"{_key(path)}.{secrets.token_hex(8)}{SUCCESS}")
        return _list(self.merging)


def read_task_file(path: Path) -> TaskRecord | StageRecord | None:
    """Read a task file; None if it is gone, or holds no record."""
    try:
        line = path.read_bytes()
    except FileNotFoundError:
        return None
    try:
        record = parse_record(line, str(path))
    except ValueError:
        return None
    return record if record.key == _key(path) and line.count(b"\n") == 1 else None


def _key(path: Path) -> str:
    return path.name.split(".")[0]


def _list(folder: Path, suffix: str = SUCCESS, start: str = "") -> list[Path]:
    """List the files of one kind in the order of their names; a folder that is not there has none."""
    try:
        names = [path.name for path in folder.iterdir()]
    except FileNotFoundError:
        return []
    hidden = suffix == UNFINISHED
    wanted = (name for name in names if name.endswith(suffix) and name.startswith(".") == hidden)
    return [folder / name for name in sorted(wanted) if name.startswith(start)]
