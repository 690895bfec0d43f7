"""Where the orbitals of single points are: RUN/checkpoints/KEY.chk, until a stage is over, or for good if kept."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from pathlib import Path

from qcdriver.store.files import remove_whole


def checkpoint_of(directory: Path, key: str) -> Path:
    """Return the path of the file in which a single point saves its orbitals, for its next try and its neighbours.

    The path is absolute, because a worker has another working directory.
    """
    return directory.absolute() / "checkpoints" / f"{key}.chk"


def remove_checkpoints(directory: Path, keys: Iterable[str]) -> None:
    """Remove the checkpoints of these single points, and the folder when it is empty."""
    for path in (checkpoint_of(directory, key) for key in keys):
        remove_whole(path)
    with contextlib.suppress(OSError):  # other files are in it, or it does not exist
        (directory / "checkpoints").rmdir()
