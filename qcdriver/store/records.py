"""The records of a run directory, of its file and its task files together: append, find, query, merge."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

from qcdriver.errors import InputError, ResourceError
from qcdriver.models.records import StageRecord, TaskRecord
from qcdriver.store.index import IN_MEMORY, Index
from qcdriver.store.record_file import RecordFile
from qcdriver.store.record_lines import entry_of, glance, parse_record, succeeded, to_line
from qcdriver.store.selection import Selection
from qcdriver.store.task_files import TaskFiles, read_task_file

_BATCH = 200
"""Task files merged by one write to the disk."""


class Records:
    """The records of one run directory.

    Raises
    ------
    InputError
        The directory cannot be written, or a record was written by a newer version of this program.

    Parameters
    ----------
    only_read
        Make no file and merge nothing, so that a finished run in somebody else's folder can be read too.
    index
        "memory" opens no SQLite file: for array tasks, many of which read at once on a network file system. It is built
        only when a question is asked that the task files do not answer.
    """

    def __init__(self, directory: Path, only_read: bool = False, index: Literal["file", "memory"] = "file") -> None:
        self.path = directory / "records.jsonl"
        self._file = RecordFile(self.path)
        self._tasks = TaskFiles(directory)
        if only_read and not self.path.is_file() and not self._tasks.folder.is_dir():
            raise InputError(f"{directory}: no run is here (there is no records.jsonl)")
        in_memory = index == "memory" or (only_read and not os.access(directory, os.W_OK))
        self._index = Index(IN_MEMORY if in_memory else directory / "index.sqlite", self.path)
        try:
            if not only_read:
                self._file.make()
            if index == "file":
                self._index.catch_up()
        except OSError as error:
            done = "read" if only_read else "written"
            raise InputError(f"{directory}: cannot be {done} ({error.strerror}); choose another --results") from None
        if not only_read:
            self.merge()

    def append(self, record: TaskRecord | StageRecord) -> None:
        """Write one record; when this returns it is on disk.

        Raises
        ------
        ResourceError
            The disk is full, or the file cannot be written any more. Nothing was written then.
        """
        self.extend([record])

    def extend(self, records: Sequence[TaskRecord | StageRecord]) -> None:
        """Write several records with one wait for the disk; when this returns all are on it. Errors as for `append`."""
        self._file.append([to_line(record) for record in records])

    def find(self, key: str) -> TaskRecord | StageRecord | None:
        """Return the record of a key that counts: the newest success, else the newest failure; None without one."""
        waiting = self._tasks.find(key)  # before the file: a merge may move it there meanwhile
        if waiting is not None and succeeded(waiting):
            return waiting
        kept = self._find_line(key)
        return kept if waiting is None or (kept is not None and succeeded(kept)) else waiting

    def _find_line(self, key: str) -> TaskRecord | StageRecord | None:
        for _ in range(2):
            for offset, length in self._index.spans(key):
                line = self._file.read(offset, length)
                record = self._parsed(line)
                if record is not None and record.key == key:
                    return record
                if self._key_at_a_glance(line) != key:
                    self._index.start_again()  # the file is another one than was indexed
                    break
                self._index.mark_damaged(offset)
            else:
                return None
        return None

    def _parsed(self, line: bytes) -> TaskRecord | StageRecord | None:
        try:
            return parse_record(line, str(self.path))
        except ValueError:
            return None

    def _key_at_a_glance(self, line: bytes) -> str | None:
        try:
            return glance(line, str(self.path)).key
        except ValueError:
            return None

    def __iter__(self) -> Iterator[TaskRecord | StageRecord]:
        """Yield the record that counts of every key: in the order of the file, then those that are not merged yet."""
        waiting = self._tasks.waiting()  # before the file: a merge may move them there meanwhile
        yield from self._each(waiting, self._index.keys())

    def keys(self) -> set[str]:
        """Return the keys of all records, without reading any of them."""
        return self._tasks.waiting() | set(self._index.keys())  # the files first: a merge may move them meanwhile

    def query(self, selection: Selection) -> Iterator[TaskRecord]:
        """Yield the selected task records, in the order of `__iter__`.

        Raises
        ------
        InputError
            No record is of that stage; the message names the stages there are.
        """
        if selection.stage is not None and selection.stage not in (stages := self._stages()):
            raise InputError(f"{self.path}: no record of stage {selection.stage!r}; there are {', '.join(stages)}")
        waiting = self._tasks.waiting()
        for record in self._each(waiting, self._index.select(selection)):
            if isinstance(record, TaskRecord) and selection.fits(entry_of(record)):
                yield record

    def _each(self, waiting: set[str], indexed: list[str]) -> Iterator[TaskRecord | StageRecord]:
        for key in [*(key for key in indexed if key not in waiting), *sorted(waiting)]:
            record = self.find(key)
            if record is not None:
                yield record

    def _stages(self) -> list[str]:
        waiting = {record.stage for key in self._tasks.waiting() if (record := self._tasks.find(key)) is not None}
        return sorted(waiting | set(self._index.stages()))

    def find_task(self, prefix: str) -> TaskRecord:
        """Return the task record whose key begins with a prefix.

        Raises
        ------
        InputError
            There is none, or more than one.
        """
        waiting = {key for key in self._tasks.waiting() if key.startswith(prefix)}
        keys = sorted(waiting | set(self._index.keys_like(prefix)))
        if len(keys) > 1:
            shown = ", ".join(keys[:5]) + (", ..." if len(keys) > 5 else "")
            raise InputError(f"{self.path}: {len(keys)} keys begin with {prefix}: {shown}")
        record = self.find(keys[0]) if keys else None
        if not isinstance(record, TaskRecord):
            raise InputError(f"{self.path}: no calculation has a key that begins with {prefix!r}")
        return record

    def merge(self) -> int:
        """Move the task files into `records.jsonl`, except damaged ones, and return how many records were added.

        A kill at any instant loses nothing: a record that was appended, but whose file was not removed yet, is
        recognised the next time.

        Raises
        ------
        InputError
            A record was written by a newer version of this program.
        ResourceError
            The disk is full, or the directory cannot be written.
        """
        merged = 0
        try:
            waiting = self._tasks.unclaimed()
            # Few at a time, because every reader lists `tasks/merging`; once more for what a kill left there.
            for start in range(0, len(waiting) + 1, _BATCH):
                merged += self._merge(self._tasks.claim(waiting[start : start + _BATCH]))
        except OSError as error:
            raise ResourceError(f"{self._tasks.folder}: cannot be merged ({error.strerror})") from None
        return merged

    def _merge(self, claimed: list[Path]) -> int:
        found = [(path, record) for path in claimed if (record := read_task_file(path)) is not None]
        new = [record for _, record in found if not self._holds(record)]
        if new:
            self.extend(new)
        for path, _ in found:
            path.unlink(missing_ok=True)
        return len(new)

    def _holds(self, record: TaskRecord | StageRecord) -> bool:
        spans = self._index.spans(record.key)
        return bool(spans) and to_line(record) in [self._file.read(*span) for span in spans]

    @property
    def damaged_lines(self) -> int:
        """Number of lines that hold no record, as far as they have been read; `damage.check` reads all of them."""
        return self._index.damaged()

    def close(self) -> None:
        """Close the index."""
        self._index.close()
