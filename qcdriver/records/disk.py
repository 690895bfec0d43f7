"""Bytes that are on disk when a call returns."""

from __future__ import annotations

import os
from pathlib import Path


def write_whole(descriptor: int, content: bytes) -> None:
    """Write all of it and wait for the disk."""
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
    os.fsync(descriptor)


def sync_directory(directory: Path) -> None:
    """Wait for the names in a directory: a file whose name is not on disk is lost in a power cut."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
