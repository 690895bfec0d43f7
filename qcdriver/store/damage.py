"""Check the records of a run directory, every one of them whole; and, on request, move what is damaged aside."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from pydantic import ValidationError

from qcdriver.errors import InputError, ResourceError
from qcdriver.models.base import Frozen
from qcdriver.models.records import StageRecord, TaskRecord
from qcdriver.store.files import sync_directory, whole_file
from qcdriver.store.index import Index
from qcdriver.store.record_file import RecordFile
from qcdriver.store.record_lines import LONGEST_LINE, has_checksum, parse_record, read_lines
from qcdriver.store.soundness import flaw_of
from qcdriver.store.task_files import TaskFiles, read_task_file

_CHUNK = 2**20


class DamagedLine(Frozen):
    """A line that holds no sound record.

    Attributes
    ----------
    line
        Its number, from 1.
    offset, length
        Its first byte, from 0, and how many bytes it has, newline included.
    reason
        What is wrong with it.
    """

    line: int
    offset: int
    length: int
    reason: str


class Missing(Frozen):
    """A record that is not there, and what names it."""

    key: str
    named_by: str


class Damage(Frozen):
    """What a check found.

    Attributes
    ----------
    n_lines
        Lines of the file.
    n_calculations, n_stages, n_keys
        Sound records of each kind, and how many different keys they have.
    n_waiting
        Task files that are not merged yet.
    n_unfinished
        Files that are being written just now, or were when their task was killed. They were never reported as done, and
        are no damage.
    n_without_checksum
        Sound lines from before lines had one: what was changed in them later is found only where it makes no sense.
    damaged_lines, damaged_files
        Lines and task files that hold no sound record.
    index_difference
        Offset from which on `index.sqlite` does not describe the lines of the file; None if it does.
    missing
        Records that others name, or that the index has seen in the file.
    """

    path: str
    n_lines: int
    n_calculations: int
    n_stages: int
    n_keys: int
    n_waiting: int
    n_unfinished: int
    n_without_checksum: int
    damaged_lines: tuple[DamagedLine, ...] = ()
    damaged_files: tuple[str, ...] = ()
    index_difference: int | None = None
    missing: tuple[Missing, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Whether nothing is damaged or missing."""
        damaged = self.damaged_lines or self.damaged_files or self.missing
        return not damaged and self.index_difference is None

    def lines_for_person(self) -> list[str]:
        """Return it in words, line by line."""
        good = f"{self.n_calculations} calculations and {self.n_stages} stages are good ({self.n_keys} different keys)"
        return [
            f"{self.path}: {self.n_lines} lines; {good}",
            *(
                f"  damaged: line {line.line}, bytes {line.offset} to {line.offset + line.length - 1}: {line.reason}"
                for line in self.damaged_lines
            ),
            *(
                [f"  no checksum: {self.n_without_checksum} lines, written by an older version of this program"]
                if self.n_without_checksum
                else []
            ),
            *(
                []
                if self.index_difference is None
                else [f"  index: index.sqlite does not describe the line at byte {self.index_difference}"]
            ),
            *([f"{self.n_waiting} task files wait to be merged"] if self.n_waiting else []),
            *(f"  damaged: {path}: holds no sound record" for path in self.damaged_files),
            *([f"{self.n_unfinished} task files were being written"] if self.n_unfinished else []),
            *(f"  missing: record {_shown(gone.key)}, named by {_shown(gone.named_by)}" for gone in self.missing),
            "whole" if self.is_whole else "damaged",
        ]


def check(directory: Path) -> Damage:
    """Read every record whole, of the file and of the task files, and compare the index with the file.

    Of a record are checked its form, its checksum, and all that `soundness.flaw_of` looks at.

    Raises
    ------
    InputError
        No run is there, or a record was written by a newer version of this program.
    """
    path = directory / "records.jsonl"
    if not path.is_file():
        raise InputError(f"{directory}: no run is here (there is no records.jsonl)")
    with path.open("rb") as file:
        # Behind whoever appends just now: a last line without an end is a torn one then.
        with suppress(OSError):  # a file system without locks
            fcntl.flock(file, fcntl.LOCK_SH)
        size = os.fstat(file.fileno()).st_size
        with suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_UN)
        return _examine(directory, path, file, size)


def repair(directory: Path) -> Damage:
    """Move damaged lines into `records.damaged` and damaged task files into `tasks/damaged`; return what was damaged.

    Nothing is lost by it: the damaged bytes are on disk there before the file is replaced by one without them. An index
    that does not agree with the file is removed.

    Raises
    ------
    InputError
        As `check` raises it.
    ResourceError
        The disk is full, or the directory cannot be written. Nothing has changed then.
    """
    path = directory / "records.jsonl"
    if not path.is_file():
        raise InputError(f"{directory}: no run is here (there is no records.jsonl)")
    try:
        with RecordFile(path).locked(), path.open("rb") as file:
            found = _examine(directory, path, file, os.fstat(file.fileno()).st_size)
            if found.damaged_lines:
                damaged = [(line.offset, line.length) for line in found.damaged_lines]
                _copy(file, damaged, path.with_name("records.damaged"), "ab")
                sync_directory(directory)
                with whole_file(path) as new:
                    _copy(file, _others(damaged, os.fstat(file.fileno()).st_size), new, "wb")
                    new.chmod(path.stat().st_mode)
        for task_file in map(Path, found.damaged_files):
            aside = TaskFiles(directory).folder / "damaged"
            aside.mkdir(exist_ok=True)
            task_file.rename(aside / task_file.name)
        if found.index_difference is not None or found.missing:
            _index(directory, path).remove()
    except OSError as error:
        raise ResourceError(f"{error.filename or directory}: cannot be repaired ({error.strerror})") from None
    return found


class _Census:
    """The sound records that were read so far."""

    def __init__(self) -> None:
        self.calculations = self.stages = 0
        self.keys: set[str] = set()
        self.named: dict[str, str] = {}

    def add(self, record: TaskRecord | StageRecord) -> None:
        self.keys.add(record.key)
        if isinstance(record, StageRecord):
            self.stages += 1
            for verdict in record.verdicts:
                self.named.setdefault(verdict.key, f"stage {record.stage} ({verdict.label})")
        else:
            self.calculations += 1
            for parent in record.parents:
                self.named.setdefault(parent, f"{record.key} ({record.stage} {record.label}) as its parent")


def _examine(directory: Path, path: Path, file: BinaryIO, size: int) -> Damage:
    census, damaged, n_lines, n_without_checksum = _Census(), [], 0, 0
    for offset, length, line in read_lines(file, 0):
        if offset >= size:
            break
        n_lines += 1
        try:
            census.add(_sound(line, path))
            n_without_checksum += line is not None and not has_checksum(line)
        except ValueError as error:
            damaged.append(DamagedLine(line=n_lines, offset=offset, length=length, reason=_reason(error)))
    tasks = TaskFiles(directory)
    damaged_files, n_waiting = [], 0
    for task_file in tasks.paths():
        record = read_task_file(task_file)
        if record is not None and flaw_of(record) is None:
            census.add(record)
            n_waiting += 1
        elif task_file.exists():
            damaged_files.append(str(task_file))
    index = _index(directory, path)
    missing = [Missing(key=key, named_by=by) for key, by in census.named.items() if key not in census.keys]
    elsewhere = {line.offset for line in damaged} | {gone.key for gone in missing}
    missing += [
        Missing(key=key, named_by=f"index.sqlite, where it stands at byte {offset} of the file")
        for key, offset in index.known().items()
        if key not in census.keys and not {key, offset} & elsewhere
    ]
    return Damage(
        path=str(path),
        n_lines=n_lines,
        n_calculations=census.calculations,
        n_stages=census.stages,
        n_keys=len(census.keys),
        n_waiting=n_waiting,
        n_unfinished=len(tasks.unfinished()),
        n_without_checksum=n_without_checksum,
        damaged_lines=tuple(damaged),
        damaged_files=tuple(damaged_files),
        index_difference=index.disagreement(),
        missing=tuple(missing),
    )


def _index(directory: Path, source: Path) -> Index:
    return Index(directory / "index.sqlite", source)


def _sound(line: bytes | None, path: Path) -> TaskRecord | StageRecord:
    if line is None:
        raise ValueError(f"longer than {LONGEST_LINE >> 20} MiB")
    if not line.endswith(b"\n"):
        raise ValueError("torn: the file ends before the line does")
    record = parse_record(line, str(path))
    if (flaw := flaw_of(record)) is not None:
        raise ValueError(flaw)
    return record


def _shown(text: str) -> str:
    """Return a text from a file as it can be printed: what a terminal would act on is escaped."""
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text)


def _reason(error: ValueError) -> str:
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        return f"no valid record: {place}: {first['msg']}" if place else f"no valid record: {first['msg']}"
    if isinstance(error, UnicodeDecodeError):
        return "not UTF-8"
    if isinstance(error, json.JSONDecodeError):
        return f"not JSON: {error.msg} at its byte {error.pos}"
    return str(error)


def _others(spans: list[tuple[int, int]], size: int) -> Iterator[tuple[int, int]]:
    """Yield the spans between the given ones, up to `size`."""
    end = 0
    for offset, length in spans:
        yield end, offset - end
        end = offset + length
    yield end, size - end


def _copy(source: BinaryIO, spans: Iterator[tuple[int, int]] | list[tuple[int, int]], path: Path, mode: str) -> None:
    with path.open(mode) as target:
        for offset, length in spans:
            source.seek(offset)
            last = b"\n"
            while length > 0 and (chunk := source.read(min(length, _CHUNK))):
                target.write(chunk)
                length -= len(chunk)
                last = chunk[-1:]
            if last != b"\n":
                target.write(b"\n")
        target.flush()
        os.fsync(target.fileno())
