"""Many pieces of JSON in one file, written at once and whole; each can be read without the others.

The first line lists them: key, label, where each begins and how long it is. Thousands of tasks so read a few kilobytes
each, of a file that may have hundreds of megabytes.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from qcdriver.errors import ResourceError


class Entry(NamedTuple):
    """One piece: what it is known by; `offset` counts from the end of the first line."""

    key: str
    label: str
    offset: int
    length: int


def write_shelf(path: Path, pieces: Sequence[tuple[str, str, bytes]]) -> None:
    """Write (key, label, JSON) of every piece."""
    entries, offset = [], 0
    for key, label, content in pieces:
        entries.append(Entry(key, label, offset, len(content)))
        offset += len(content)
    write_file(path, json.dumps(entries).encode() + b"\n" + b"".join(content for _, _, content in pieces))


def read_entries(path: Path) -> list[Entry]:
    """List what is there."""
    with path.open("rb") as file:
        return [Entry(*each) for each in json.loads(file.readline())]


def read_pieces(path: Path) -> list[bytes]:
    """Read all of it."""
    with path.open("rb") as file:
        entries = [Entry(*each) for each in json.loads(file.readline())]
        return [file.read(entry.length) for entry in entries]


def read_piece(path: Path, index: int) -> bytes:
    """Read one piece."""
    with path.open("rb") as file:
        entry = Entry(*json.loads(file.readline())[index])
        file.seek(entry.offset, os.SEEK_CUR)
        return file.read(entry.length)


def write_file(path: Path, content: bytes) -> None:
    """Write a file whole or not at all, whoever else writes it.

    Raises
    ------
    ResourceError
        The disk is full, or the folder cannot be written.
    """
    part = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise ResourceError(f"{path}: cannot be written ({error.strerror})") from None
