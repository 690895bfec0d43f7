"""Task files: the records of array tasks in `tasks/`, a file for every record, until they are merged.

Many machines write here at once, without locks and without SQLite, which are not safe on network file systems. A file
gets its name only when it is whole and on disk. A success and a failure of one key have different names, so that a
second try that fails never hides a first that worked.

Merging takes three steps: the file is renamed into `tasks/merging/` under a unique name, its line is appended to
`records.jsonl`, and then it is removed. So a record only moves forward through the three places, and a reader who looks
for it in that order finds it, whatever happens meanwhile. A kill leaves it in two places, never in none.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from qcdriver.errors import ResourceError
from qcdriver.models.records import StageRecord, TaskRecord
from qcdriver.store.files import is_temporary, sync_directory, write_whole
from qcdriver.store.record_lines import parse_record, succeeded, to_line

FOLDER = "tasks"
SUCCESS, FAILURE = ".json", ".failed.json"


class TaskFiles:
    """The task files of one run directory."""

    def __init__(self, directory: Path) -> None:
        self.folder = directory / FOLDER
        self.merging = self.folder / "merging"

    def write(self, record: TaskRecord | StageRecord) -> None:
        """Write one record; when this returns it is on disk and every reader sees it.

        Raises
        ------
        ResourceError
            The disk is full, or the folder cannot be written. Nothing was written then.
        """
        final = self.folder / (record.key + (SUCCESS if succeeded(record) else FAILURE))
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            write_whole(final, to_line(record))
            sync_directory(self.folder.parent)
        except OSError as error:
            raise ResourceError(
                f"{final}: cannot be written ({error.strerror}); mend that, and the same command goes on from there"
            ) from None

    def find(self, key: str) -> TaskRecord | StageRecord | None:
        """Return the record of a key that waits here, a success before a failure; None without one."""
        found = None
        for path in self._places(key):
            record = read_task_file(path)
            if record is not None and succeeded(record):
                return record
            found = found or record
        return found

    def _places(self, key: str) -> Iterator[Path]:
        """Yield the files of a key; `tasks/merging` is listed only after its own names have been tried."""
        yield self.folder / (key + SUCCESS)
        yield self.folder / (key + FAILURE)
        yield from _list(self.merging, start=f"{key}.")

    def waiting(self) -> set[str]:
        """Return the keys of the records that wait here."""
        return {_key(path) for path in self.paths()}

    def paths(self) -> list[Path]:
        """List the files here, whole ones and damaged ones."""
        waiting = _list(self.folder)  # first: a merge moves them on
        return waiting + _list(self.merging)

    def unfinished(self) -> list[Path]:
        """List the files that are being written just now, or were when their task was killed."""
        return [path for path in _files(self.folder) if is_temporary(path.name)]

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


def _list(folder: Path, start: str = "") -> list[Path]:
    """List the task files whose names begin so."""
    names = (path.name for path in _files(folder) if path.suffix == SUCCESS and not is_temporary(path.name))
    return [folder / name for name in names if name.startswith(start)]


def _files(folder: Path) -> list[Path]:
    """List what is in a folder, in the order of the names; nothing if the folder is not there."""
    try:
        return sorted(folder.iterdir())
    except FileNotFoundError:
        return []
