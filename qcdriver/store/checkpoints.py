"""What is kept of a calculation while it goes on, in RUN/checkpoints: its orbitals, and the steps of a relaxation.

KEY.chk holds the orbitals of the last SCF, until a stage is over, or for good if they are kept; KEY.steps is where a
relaxation is, until its record is written.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from pathlib import Path

from qcdriver.store.files import remove_whole


def checkpoint_of(directory: Path, key: str) -> Path:
    """Return the path of the file in which a calculation saves its orbitals, for its next try and its neighbours.

    The path is absolute, because a worker has another working directory.
    """
    return directory.absolute() / "checkpoints" / f"{key}.chk"


def steps_file_of(checkpoint: Path) -> Path:
    """Return the path of the file in which a relaxation with these orbitals saves its steps, for its next try."""
    return checkpoint.with_suffix(".steps")


def remove_checkpoints(directory: Path, keys: Iterable[str]) -> None:
    """Remove the checkpoints and the steps of these calculations, and the folder when it is empty."""
    for path in (checkpoint_of(directory, key) for key in keys):
        remove_whole(path)
        remove_whole(steps_file_of(path))
    with contextlib.suppress(OSError):  # other files are in it, or it does not exist
        (directory / "checkpoints").rmdir()


def end_relaxation(directory: Path, key: str, keep_orbitals: bool) -> None:
    """Remove the steps of a relaxation whose record is written, and its orbitals, unless another stage wants them."""
    path = checkpoint_of(directory, key)
    remove_whole(steps_file_of(path))
    if not keep_orbitals:
        remove_whole(path)
