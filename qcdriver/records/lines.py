"""One line of `records.jsonl` <-> one record; and a glance at a line that reads only what the index needs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, BinaryIO, NamedTuple

from pydantic import TypeAdapter

from qcdriver.records.migrations import SCHEMA_VERSION, migrate
from qcdriver.schema import Build, Record, StageRecord, TaskRecord

LONGEST_LINE = 64 * 2**20
"""Bytes. A record of ten thousand atoms has a tenth of it; what is longer is garbage, and is not read into memory."""

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


class Entry(NamedTuple):
    """What the index keeps of a line; `label` and `method` are None where a record has none."""

    key: str
    stage: str
    label: str | None
    method: str | None
    success: bool


def to_line(record: TaskRecord | StageRecord) -> bytes:
    """Write a record as one line, newline included."""
    return record.model_dump_json().encode() + b"\n"


def succeeded(record: TaskRecord | StageRecord) -> bool:
    """Tell whether nothing is left to do about a key: a number, or what a stage decided."""
    return isinstance(record, StageRecord) or record.success


def entry_of(record: TaskRecord | StageRecord) -> Entry:
    """Give what the index keeps of a record."""
    if isinstance(record, StageRecord):
        return Entry(record.key, record.stage, None, None, success=True)
    method = None if isinstance(record.task, Build) else record.task.level.model.method
    return Entry(record.key, record.stage, record.label, method, record.success)


def parse_record(line: bytes, where: str) -> TaskRecord | StageRecord:
    """Turn one line into a record, of this version or brought up to it.

    Raises
    ------
    InputError
        Written by a newer version; `where` says in which file.
    ValueError
        No record.
    """
    head = _HEAD.match(line)
    if head and int(head[1]) == SCHEMA_VERSION:
        return _RECORD.validate_json(line)
    return _RECORD.validate_python(_content(line, where))


def glance(line: bytes, where: str) -> Entry:
    """Read what the index needs, a hundred times faster than the whole record.

    A line as this program writes it is looked at in a few places only, so damage further in is met by whoever reads
    the record; every other line is read whole.

    Raises
    ------
    InputError
        Written by a newer version; `where` says in which file.
    ValueError
        No record.
    """
    head = _HEAD.match(line)
    if head is None or int(head[1]) != SCHEMA_VERSION:
        return entry_of(_RECORD.validate_python(_content(line, where)))
    if not line.endswith(b"}\n") or b"\0" in line:
        raise ValueError("not whole")
    line.decode()
    key, stage, label = (None if each is None else _text(each) for each in head.groups()[1:])
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
    """Give offset, length and bytes of every line from `start` on; None for the bytes of one past `LONGEST_LINE`.

    The last may lack its newline: being written just now, or torn.
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


def _content(line: bytes, where: str) -> dict[str, Any]:
    try:
        content = json.loads(line)
    except RecursionError:
        raise ValueError("nested too deep") from None
    if not isinstance(content, dict) or not str(content.get("schema_name", "")).startswith("qcdriver_"):
        raise ValueError("no qcdriver record")
    return migrate(content, where)


def _text(inside: bytes) -> str:
    return str(json.loads(b'"' + inside + b'"'))
