"""The file `records.jsonl`: lines are appended whole, and are on disk when the call returns; none ever changes."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from qcdriver.errors import ResourceError
from qcdriver.store.files import append, sync_directory


class RecordFile:
    """The append-only file of a run directory."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def make(self) -> None:
        """Make the file, empty, if it is not there; an `OSError` if that fails."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if not self.path.exists():
            self.path.touch()
            sync_directory(self.path.parent)
            sync_directory(self.path.parent.parent)

    def append(self, lines: Sequence[bytes]) -> None:
        """Write lines, newlines included; when this returns they are on disk, all of them.

        Raises
        ------
        ResourceError
            The disk is full, or the file cannot be written any more. Nothing was written then.
        """
        try:
            with self.locked() as descriptor:
                size = os.fstat(descriptor).st_size
                try:
                    append(descriptor, b"".join(lines))
                except OSError:
                    with suppress(OSError):
                        os.ftruncate(descriptor, size)
                    raise
        except OSError as error:
            raise ResourceError(
                f"{self.path}: cannot be written ({error.strerror}); mend that, and the same command goes on from there"
            ) from None

    @contextmanager
    def locked(self) -> Iterator[int]:
        """Open the file for appending, with a lock that no other process has; yield its descriptor."""
        while True:
            descriptor = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o666)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                if self._is_still(descriptor):
                    yield descriptor
                    return
            finally:
                os.close(descriptor)

    def _is_still(self, descriptor: int) -> bool:
        """Return whether the path still names the file that was opened: a repair puts another in its place."""
        try:
            return os.path.samestat(os.fstat(descriptor), self.path.stat())
        except FileNotFoundError:
            return False

    def read(self, offset: int, length: int) -> bytes:
        """Return the bytes of a span; fewer if the file ends before."""
        with self.path.open("rb") as file:
            file.seek(offset)
            return file.read(length)
