"""RUN/checkpoints: the orbitals of single points, KEY.chk; while a stage goes on, and after it where they are kept."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from pathlib import Path


def checkpoint_of(directory: Path, key: str) -> Path:
    """Name the file in which a single point saves itself, for the next try of the same and for its neighbours.

    The path is absolute, because a worker stands in a folder of its own.
    """
    return directory.absolute() / "checkpoints" / f"{key}.chk"


def remove_checkpoints(directory: Path, keys: Iterable[str]) -> None:
    """Remove the checkpoints of these single points, and the folder when it is empty."""
    for path in (checkpoint_of(directory, key) for key in keys):
        path.unlink(missing_ok=True)
        path.with_name(f"{path.name}.part").unlink(missing_ok=True)
    with contextlib.suppress(OSError):  # others are in it, or nobody made it
        (directory / "checkpoints").rmdir()
