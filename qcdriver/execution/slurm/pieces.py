"""Many pieces of JSON in one file, of which any can be read alone.

The first line lists the pieces with key, label, offset and length. So each of thousands of tasks reads a few kilobytes
of a file that may have hundreds of megabytes.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from qcdriver.errors import ResourceError
from qcdriver.store.files import write_whole


class Entry(NamedTuple):
    """Where a piece stands, in bytes; `offset` counts from the end of the first line."""

    key: str
    label: str
    offset: int
    length: int


def write_pieces(path: Path, pieces: Sequence[tuple[str, str, bytes]]) -> None:
    """Write pieces, (key, label, JSON) each, as one file."""
    entries, offset = [], 0
    for key, label, content in pieces:
        entries.append(Entry(key, label, offset, len(content)))
        offset += len(content)
    write_file(path, json.dumps(entries).encode() + b"\n" + b"".join(content for _, _, content in pieces))


def read_entries(path: Path) -> list[Entry]:
    """List the pieces of a file."""
    with path.open("rb") as file:
        return [Entry(*entry) for entry in json.loads(file.readline())]


def read_pieces(path: Path) -> list[bytes]:
    """Read the JSON of all pieces."""
    with path.open("rb") as file:
        entries = [Entry(*entry) for entry in json.loads(file.readline())]
        return [file.read(entry.length) for entry in entries]


def read_piece(path: Path, index: int) -> bytes:
    """Read the JSON of one piece."""
    with path.open("rb") as file:
        entry = Entry(*json.loads(file.readline())[index])
        file.seek(entry.offset, os.SEEK_CUR)
        return file.read(entry.length)


def write_file(path: Path, content: bytes) -> None:
    """Write a file of a campaign, and the folders above it; whole or not at all, whoever else writes it.

    Raises
    ------
    ResourceError
        The disk is full, or the folder cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, content)
    except OSError as error:
        raise ResourceError(f"{path}: cannot be written ({error.strerror})") from None
