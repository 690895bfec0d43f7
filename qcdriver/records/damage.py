"""A run directory -> what is damaged in it and what is still good; and, on request, the damage moved aside."""

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
from qcdriver.records.disk import sync_directory
from qcdriver.records.lines import LONGEST_LINE, parse_record, read_lines
from qcdriver.records.record_file import RecordFile
from qcdriver.records.task_files import TaskFiles, read_task_file
from qcdriver.schema import Frozen, StageRecord, TaskRecord

_CHUNK = 2**20


class DamagedLine(Frozen):
    """A line that holds no record: its number from 1, its first byte from 0, its length with the newline, and why."""

    line: int
    offset: int
    length: int
    reason: str


class Missing(Frozen):
    """A record that others name, and that is not there."""

    key: str
    named_by: str


class Damage(Frozen):
    """What a check found. `n_lines` of the file, `n_keys` of readable records, `n_waiting` task files not merged yet.

    `n_unfinished` files are being written just now, or were when their task was killed: they were never reported as
    done, and are no damage.
    """

    path: str
    n_lines: int
    n_calculations: int
    n_stages: int
    n_keys: int
    n_waiting: int
    n_unfinished: int
    damaged_lines: tuple[DamagedLine, ...] = ()
    damaged_files: tuple[str, ...] = ()
    missing: tuple[Missing, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Whether nothing is damaged or missing."""
        return not (self.damaged_lines or self.damaged_files or self.missing)

    def told(self) -> list[str]:
        """Say it in lines for a person."""
        good = f"{self.n_calculations} calculations and {self.n_stages} stages are good ({self.n_keys} different keys)"
        return [
            f"{self.path}: {self.n_lines} lines; {good}",
            *(
                f"  damaged: line {each.line}, bytes {each.offset} to {each.offset + each.length - 1}: {each.reason}"
                for each in self.damaged_lines
            ),
            *([f"{self.n_waiting} task files wait to be merged"] if self.n_waiting else []),
            *(f"  damaged: {path}: holds no record" for path in self.damaged_files),
            *([f"{self.n_unfinished} task files were being written"] if self.n_unfinished else []),
            *(f"  missing: record {each.key}, named by {each.named_by}" for each in self.missing),
            "whole" if self.is_whole else "damaged",
        ]


def check(directory: Path) -> Damage:
    """Read every record whole, of the file and of the task files.

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
    """Move damaged lines into `records.damaged` and damaged task files into `tasks/damaged`; say what was damaged.

    Nothing is lost by it: the damaged bytes are on disk there before the file is replaced by one without them.

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
    new = path.with_name("records.jsonl.part")
    try:
        with RecordFile(path).locked(), path.open("rb") as file:
            found = _examine(directory, path, file, os.fstat(file.fileno()).st_size)
            if found.damaged_lines:
                damaged = [(each.offset, each.length) for each in found.damaged_lines]
                _copy(file, damaged, path.with_name("records.damaged"), "ab")
                _copy(file, _others(damaged, os.fstat(file.fileno()).st_size), new, "wb")
                new.chmod(path.stat().st_mode)
                sync_directory(directory)
                new.replace(path)
                sync_directory(directory)
        for each in map(Path, found.damaged_files):
            aside = TaskFiles(directory).folder / "damaged"
            aside.mkdir(exist_ok=True)
            each.rename(aside / each.name)
    except OSError as error:
        new.unlink(missing_ok=True)
        raise ResourceError(f"{error.filename or directory}: cannot be repaired ({error.strerror})") from None
    return found


class _Census:
    """What has been read so far."""

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
    census, damaged, n_lines = _Census(), [], 0
    for offset, length, line in read_lines(file, 0):
        if offset >= size:
            break
        n_lines += 1
        try:
            census.add(_whole(line, path))
        except ValueError as error:
            damaged.append(DamagedLine(line=n_lines, offset=offset, length=length, reason=_reason(error)))
    tasks = TaskFiles(directory)
    damaged_files, n_waiting = [], 0
    for each in tasks.paths():
        record = read_task_file(each)
        if record is not None:
            census.add(record)
            n_waiting += 1
        elif each.exists():
            damaged_files.append(str(each))
    return Damage(
        path=str(path),
        n_lines=n_lines,
        n_calculations=census.calculations,
        n_stages=census.stages,
        n_keys=len(census.keys),
        n_waiting=n_waiting,
        n_unfinished=len(tasks.unfinished()),
        damaged_lines=tuple(damaged),
        damaged_files=tuple(damaged_files),
        missing=tuple(Missing(key=k, named_by=by) for k, by in census.named.items() if k not in census.keys),
    )


def _whole(line: bytes | None, path: Path) -> TaskRecord | StageRecord:
    if line is None:
        raise ValueError(f"longer than {LONGEST_LINE >> 20} MiB")
    if not line.endswith(b"\n"):
        raise ValueError("torn: the file ends before the line does")
    return parse_record(line, str(path))


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
    """Give the spans between those given, up to `size`."""
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
