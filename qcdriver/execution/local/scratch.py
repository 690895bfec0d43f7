"""The scratch folder of a run's workers; those that killed drivers of the same run left are removed first."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from qcdriver.store.keys import run_key


@contextmanager
def scratch_folder(run: Path) -> Iterator[Path]:
    """Make a folder among the system's temporary ones for the workers of a run, and remove it at the end.

    A driver holds a lock on its folder, which the system lets go of however the driver ends. So a folder of the same
    run directory and the same user without a lock is what a killed driver left; it goes too.

    Parameters
    ----------
    run
        The run directory; its path is in the folder's name, as a hash.
    """
    prefix = f"qcdriver-{run_key(run)}-"
    with _alone(run):
        for left in Path(tempfile.gettempdir()).glob(f"{prefix}*"):
            _remove_if_left(left)
        folder = Path(tempfile.mkdtemp(prefix=prefix))
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        with suppress(OSError):  # a file system without locks: nobody will take it for what was left
            fcntl.flock(descriptor, fcntl.LOCK_SH)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(descriptor)


@contextmanager
def _alone(run: Path) -> Iterator[None]:
    """Wait until no other driver of the run makes its folder, because a folder has no lock at first."""
    descriptor = os.open(run, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _remove_if_left(folder: Path) -> None:
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:  # no folder of this user's
        return
    try:
        if os.fstat(descriptor).st_uid == os.geteuid():
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
    except OSError:  # held by a driver that lives, or on a file system without locks
        pass
    finally:
        os.close(descriptor)
