"""`records.jsonl`: lines appended whole, each on disk before the call returns; nothing in it ever changes."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from qcdriver.errors import ResourceError
from qcdriver.records.disk import sync_directory, write_whole


class RecordFile:
    """The append-only file of a run directory."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def make(self) -> None:
        """Make the file, empty, if it is not there; `OSError` where that cannot be."""
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
                torn = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
                try:
                    # The newline closes off what a killed writer left.
                    write_whole(descriptor, (b"\n" if torn else b"") + b"".join(lines))
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
        """Hold the file, for this process alone, open for appending."""
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
        """Tell whether the path still names the file that was opened; a repair puts another in its place."""
        try:
            return os.path.samestat(os.fstat(descriptor), self.path.stat())
        except FileNotFoundError:
            return False

    def read(self, offset: int, length: int) -> bytes:
        """Give the bytes there; fewer if the file ends before."""
        with self.path.open("rb") as file:
            file.seek(offset)
            return file.read(length)
