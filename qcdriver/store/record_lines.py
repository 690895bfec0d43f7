"""Write a record as one line of `records.jsonl`, and read it back; or read only what the index needs, fast.

Each line ends with a checksum of the bytes before it, as the last member of its JSON object. A line that was changed
after it was written is no record any more. Lines of schema versions before 4 have no checksum.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from typing import Any, BinaryIO, NamedTuple

from pydantic import TypeAdapter

from qcdriver.errors import InputError
from qcdriver.models.records import Record, StageRecord, TaskRecord
from qcdriver.models.tasks import Build
from qcdriver.store.migrations import SCHEMA_VERSION, migrate

LONGEST_LINE = 64 * 2**20
"""Bytes. A record of ten thousand atoms has a tenth of it; a longer line is garbage, and is not read into memory."""

_RECORD: TypeAdapter[TaskRecord | StageRecord] = TypeAdapter(Record)
_STRING = rb'"([^"\\]*(?:\\.[^"\\]*)*)"'
_HEAD = re.compile(
    rb'\{"schema_name":"qcdriver_(?:task|stage)","schema_version":(\d{1,9}),"key":'
    + _STRING
    + rb',"stage":'
    + _STRING
    + rb'(?:,"label":'
    + _STRING
    + rb")?,"
)
_METHOD = re.compile(rb'"model":\{"method":' + _STRING)
_CHECKSUM = re.compile(rb',"checksum":"([0-9a-f]{16})"\}')
_CHECKSUM_LENGTH = len(b',"checksum":"0123456789abcdef"}')
_FIRST_WITH_CHECKSUM = 4
"""Schema version from which on every line has one."""


class Entry(NamedTuple):
    """The part of a record that the index keeps; `label` and `method` are None if the record has none."""

    key: str
    stage: str
    label: str | None
    method: str | None
    success: bool


def to_line(record: TaskRecord | StageRecord) -> bytes:
    """Return a record as one line, with its checksum and the newline."""
    content = record.model_dump_json().encode().removesuffix(b"}")
    return content + b',"checksum":"' + _checksum(content) + b'"}\n'


def has_checksum(line: bytes) -> bool:
    """Return whether a line ends with a checksum, right or wrong."""
    return _split(line)[1] is not None


def _split(line: bytes) -> tuple[bytes, bytes | None]:
    """Return the content of a line without its closing brace, and its checksum; without one all of it, and None."""
    line = line.rstrip()
    found = _CHECKSUM.fullmatch(line[-_CHECKSUM_LENGTH:])
    return (line[:-_CHECKSUM_LENGTH], found[1]) if found else (line, None)


def _checksum(content: bytes) -> bytes:
    return hashlib.sha256(content).hexdigest()[:16].encode()


def succeeded(record: TaskRecord | StageRecord) -> bool:
    """Return whether a record holds a number or what a stage decided, so that nothing is left to compute."""
    return isinstance(record, StageRecord) or record.success


def entry_of(record: TaskRecord | StageRecord) -> Entry:
    """Return the part of a record that the index keeps."""
    if isinstance(record, StageRecord):
        return Entry(record.key, record.stage, None, None, success=True)
    method = None if isinstance(record.task, Build) else record.task.level.model.method
    return Entry(record.key, record.stage, record.label, method, record.success)


def parse_record(line: bytes, where: str) -> TaskRecord | StageRecord:
    """Return the record of one line, of this version or brought up to it.

    Raises
    ------
    InputError
        Written by a newer version; `where` says in which file.
    ValueError
        No record, or one that was changed after it was written.
    """
    try:
        return _parsed(line, where)
    except (InputError, ValueError):
        raise
    except Exception as error:  # a line that a person edited may break a migration or a validator in any way
        raise ValueError(f"no valid record: {type(error).__name__}: {error}") from None


def _parsed(line: bytes, where: str) -> TaskRecord | StageRecord:
    content, checksum = _split(line)
    head = _HEAD.match(line)
    if head and int(head[1]) == SCHEMA_VERSION:
        _verify(content, checksum, SCHEMA_VERSION)
        return _RECORD.validate_json(content + b"}" if checksum else line)
    members = _members(content + b"}" if checksum else line)
    migrated = migrate(members, where)
    _verify(content, checksum, members["schema_version"])
    return _RECORD.validate_python(migrated)


def _verify(content: bytes, checksum: bytes | None, version: int) -> None:
    if checksum is None and version >= _FIRST_WITH_CHECKSUM:
        raise ValueError(f"no checksum at its end; every line of schema version {version} has one")
    if checksum is not None and checksum != _checksum(content):
        raise ValueError("its checksum does not fit its content: it was changed after it was written")


def glance(line: bytes, where: str) -> Entry:
    """Read the part of a line that the index keeps, a hundred times faster than the whole record.

    A line of this version is looked at in a few places only: damage elsewhere is found when the record is read. Any
    other line is read whole.

    Raises
    ------
    InputError
        Written by a newer version; `where` says in which file.
    ValueError
        No record.
    """
    head = _HEAD.match(line)
    if head is None or int(head[1]) != SCHEMA_VERSION:
        return entry_of(parse_record(line, where))
    if not line.endswith((b"}\n", b"}\r\n")) or b"\0" in line:
        raise ValueError("not whole")
    line.decode()
    key, stage, label = (None if group is None else _text(group) for group in head.groups()[1:])
    if key is None or stage is None:
        raise ValueError("no key")
    if label is None:
        return Entry(key, stage, None, None, success=True)
    task = line.find(b'"task":{"kind":', head.end() - 1)
    outcome = line.find(b'"outcome":{"kind":"', task)
    if min(task, outcome) < 0:
        raise ValueError("no task with an outcome")
    model = line.find(b'"model":{"method":', task, outcome)
    method = _METHOD.match(line, model) if model >= 0 else None
    return Entry(key, stage, label, _text(method[1]) if method else None, not line.startswith(b"failure", outcome + 19))


def read_lines(file: BinaryIO, start: int) -> Iterator[tuple[int, int, bytes | None]]:
    """Yield offset, length and bytes of every line from `start` on; None for the bytes of one past `LONGEST_LINE`.

    The last line may lack its newline: it is being written just now, or was torn by a kill.
    """
    file.seek(start)
    offset = start
    while part := file.readline(LONGEST_LINE):
        length = len(part)
        whole: bytes | None = part
        while len(part) == LONGEST_LINE and not part.endswith(b"\n"):
            part = file.readline(LONGEST_LINE)
            length += len(part)
            whole = None
        yield offset, length, whole
        offset += length


def _members(line: bytes) -> dict[str, Any]:
    try:
        members = json.loads(line)
    except RecursionError:
        raise ValueError("nested too deep") from None
    if not isinstance(members, dict) or not str(members.get("schema_name", "")).startswith("qcdriver_"):
        raise ValueError("no qcdriver record")
    return members


def _text(inside: bytes) -> str:
    """Return the text of a JSON string; half of a surrogate pair, which no file can hold, is a `ValueError`."""
    text = str(json.loads(b'"' + inside + b'"'))
    text.encode()
    return text
