"""Append, read and look up records: `records.jsonl` is the truth, one complete object a line; `index.sqlite` a cache.

A record counts as written when its line, newline included, is on disk (fsync). A kill in the middle of a write
leaves a torn last line, which the next writer closes off with a newline and every reader reports and steps over. The
index is derived: it remembers how far into the file it has read, catches up when opened, and is rebuilt when it is
missing, damaged, or ahead of the file.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from qcdriver.errors import InputError, ResourceError
from qcdriver.schema import Build, Molecule, Record, StageRecord, Task, TaskRecord

SCHEMA_VERSION = 1
_INDEX_VERSION = 2
"""Of the index's own layout; an index of another is built anew."""
_TAIL = 200
"""The index knows its file by the last bytes it read of it."""
GEOMETRY_DECIMALS = 8
"""Geometries that agree to 1e-8 bohr are the same point (QCSchema's own rounding)."""

_RECORD: TypeAdapter[TaskRecord | StageRecord] = TypeAdapter(Record)


def task_key(task: Task) -> str:
    """Hash what determines a task's number: geometry, charge, multiplicity, level with its version, conditions."""
    content = task.model_dump(mode="json")
    if not isinstance(task, Build):
        content["molecule"] = rounded(task.molecule)
    return content_key(content)


def rounded(molecule: Molecule) -> dict[str, Any]:
    """Give a molecule's JSON with the geometry as far as it tells two points apart."""
    content = molecule.model_dump(mode="json")
    content["geometry"] = (molecule.geometry.round(GEOMETRY_DECIMALS) + 0.0).tolist()  # no -0.0
    return content


def content_key(content: object) -> str:
    """Hash JSON-compatible content, whatever the order of its keys."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


class Records:
    """The records of one run directory.

    Raises
    ------
    InputError
        The directory cannot be written, or a record was written by a newer version of this program.
    ResourceError
        There is no room for the index.

    Parameters
    ----------
    only_read
        Make nothing; a finished run in a folder of somebody else's can be read too.
    """

    def __init__(self, directory: Path, only_read: bool = False) -> None:
        self.path = directory / "records.jsonl"
        index: Path | str = directory / "index.sqlite"
        if only_read:
            if not self.path.is_file():
                raise InputError(f"{directory}: no run is here (there is no records.jsonl)")
            if not os.access(directory, os.W_OK):
                index = ":memory:"
        try:
            if not only_read:
                directory.mkdir(parents=True, exist_ok=True)
                self.path.touch()
            self._index = _Index(index, self.path)
        except OSError as error:
            raise InputError(f"{directory}: cannot be written ({error.strerror}); choose another --results") from None
        except sqlite3.Error as error:
            raise ResourceError(f"{directory}: the index cannot be written ({error})") from None

    def find(self, key: str) -> TaskRecord | StageRecord | None:
        """Give the newest record of that key."""
        self._index.catch_up()
        span = self._index.span(key)
        if span is None:
            return None
        try:
            return self._read(key, *span)
        except ValueError:  # another file came in the place of the one that was indexed
            self._index.start_again()
            span = self._index.span(key)
            return None if span is None else self._read(key, *span)

    def _read(self, key: str, offset: int, length: int) -> TaskRecord | StageRecord:
        with self.path.open("rb") as file:
            file.seek(offset)
            record = parse_record(file.read(length), str(self.path))
        if record.key != key:
            raise ValueError(f"the index is wrong about {key}")
        return record

    def append(self, record: TaskRecord | StageRecord) -> None:
        """Write one record; when this returns it is on disk.

        Raises
        ------
        ResourceError
            The disk is full, or the file cannot be written any more.
        """
        try:
            self._append(record.model_dump_json().encode() + b"\n")
        except OSError as error:
            raise ResourceError(
                f"{self.path}: cannot be written ({error.strerror}); mend that, and the same command goes on from there"
            ) from None

    def _append(self, line: bytes) -> None:
        descriptor = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o666)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            size = os.fstat(descriptor).st_size
            if size and os.pread(descriptor, 1, size - 1) != b"\n":
                line = b"\n" + line  # close off what a killed writer left
            _write_whole(descriptor, line)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def __iter__(self) -> Iterator[TaskRecord | StageRecord]:
        """Give the newest record of every key, in the order of the file."""
        self._index.catch_up()
        for key in self._index.recorded_keys():
            record = self.find(key)
            if record is not None:
                yield record

    @property
    def damaged_lines(self) -> int:
        """How many lines hold no record: torn by a kill, or not ours."""
        self._index.catch_up()
        return self._index.damaged

    def close(self) -> None:
        """Let go of the index."""
        self._index.connection.close()


def _write_whole(descriptor: int, line: bytes) -> None:
    while line:
        line = line[os.write(descriptor, line) :]


def parse_record(line: bytes, where: str) -> TaskRecord | StageRecord:
    """Turn one line into a record, refusing a newer schema by name.

    Raises
    ------
    InputError
        Written by a newer version.
    ValueError
        No record at all.
    """
    content: Any = json.loads(line)
    if not isinstance(content, dict) or not str(content.get("schema_name", "")).startswith("qcdriver_"):
        raise ValueError("no qcdriver record")
    version = content.get("schema_version")
    if isinstance(version, int) and version > SCHEMA_VERSION:
        raise InputError(
            f"{where}: a record of schema version {version}; this program reads up to {SCHEMA_VERSION}: update it"
        )
    return _RECORD.validate_json(line)


class _Index:
    """Key -> place in the file, in SQLite; only ever a copy of what the file says."""

    def __init__(self, path: Path | str, source: Path) -> None:
        self.path, self.source = path, source
        try:
            self.connection = self._open()
            self.catch_up()
        except sqlite3.DatabaseError:
            Path(path).unlink(missing_ok=True)
            self.connection = self._open()
            self.catch_up()

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, timeout=30, isolation_level=None)
        connection.execute("PRAGMA synchronous=OFF")  # a lost index costs a rebuild, nothing else
        if connection.execute("PRAGMA user_version").fetchone() != (_INDEX_VERSION,):
            connection.execute("DROP TABLE IF EXISTS records")
            connection.execute("DROP TABLE IF EXISTS state")
            connection.execute(f"PRAGMA user_version = {_INDEX_VERSION}")
        connection.execute(
            "CREATE TABLE IF NOT EXISTS records (key TEXT PRIMARY KEY, offset INTEGER, length INTEGER,"
            " stage TEXT, label TEXT, success INTEGER)"
        )
        connection.execute("CREATE TABLE IF NOT EXISTS state (read INTEGER, damaged INTEGER, tail BLOB)")
        return connection

    @property
    def damaged(self) -> int:
        return int((self.connection.execute("SELECT damaged FROM state").fetchone() or (0,))[0])

    def span(self, key: str) -> tuple[int, int] | None:
        row = self.connection.execute("SELECT offset, length FROM records WHERE key = ?", (key,)).fetchone()
        return None if row is None else (int(row[0]), int(row[1]))

    def recorded_keys(self) -> list[str]:
        return [str(key) for (key,) in self.connection.execute("SELECT key FROM records ORDER BY offset")]

    def start_again(self) -> None:
        """Forget everything and read the file from its beginning."""
        self.connection.execute("DELETE FROM records")
        self.connection.execute("DELETE FROM state")
        self.catch_up()

    def catch_up(self) -> None:
        """Read what was appended since; start again when this is not the file that was read, only longer."""
        size = self.source.stat().st_size
        read, damaged, tail = self.connection.execute("SELECT * FROM state").fetchone() or (0, 0, b"")
        if size == read:
            return
        self.connection.execute("BEGIN IMMEDIATE")
        with self.source.open("rb") as file:
            file.seek(max(0, read - len(tail)))
            if size < read or file.read(len(tail)) != tail:
                self.connection.execute("DELETE FROM records")
                read = damaged = 0
            file.seek(read)
            for line in file:
                if not line.endswith(b"\n"):
                    break  # being written just now, or torn: not a record yet
                if not self._add(line, read):
                    damaged += 1
                read += len(line)
                tail = line[-_TAIL:]
        self.connection.execute("DELETE FROM state")
        self.connection.execute("INSERT INTO state VALUES (?, ?, ?)", (read, damaged, tail))
        self.connection.execute("COMMIT")

    def _add(self, line: bytes, offset: int) -> bool:
        try:
            record = parse_record(line, str(self.source))
        except InputError:
            self.connection.execute("ROLLBACK")
            raise
        except ValueError:
            return False
        label = record.label if isinstance(record, TaskRecord) else ""
        success = record.success if isinstance(record, TaskRecord) else True
        self.connection.execute(
            "INSERT OR REPLACE INTO records VALUES (?, ?, ?, ?, ?, ?)",
            (record.key, offset, len(line), record.stage, label, success),
        )
        return True
