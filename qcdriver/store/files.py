"""Write a file so that a reader finds the old one or the new one, whole, whoever else writes it and whatever is killed.

A file that is written whole is written under a temporary name beside its place, hidden, with the same suffix, and then
renamed. A process that is killed leaves at most that temporary file. Lines are appended by `append`.
"""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_TOKEN_BYTES = 8
_LONGEST_STEM = 40
"""Characters of the name that the temporary one repeats: a file system allows 255 bytes."""


@contextmanager
def whole_file(path: Path, *, durable: bool = True) -> Iterator[Path]:
    """Yield a temporary path to write to; at the end of the block the file there takes the place of `path`.

    If the block raises, the temporary file is removed and `path` is as it was. A symbolic link is followed.

    Parameters
    ----------
    path
        The file to write; one that is there is replaced.
    durable
        Return only when the file and its name are on disk, so that a power cut cannot lose it. For what can be made
        again from other files, False saves the wait.

    Raises
    ------
    OSError
        The file cannot be written, or `path` is a device or a folder. The error names `path`.
    """
    target = Path(os.path.realpath(path))
    if target.exists() and not target.is_file():
        raise OSError(errno.EEXIST, "is no ordinary file", str(path))
    temporary = target.with_name(_temporary_name(target, secrets.token_hex(_TOKEN_BYTES)))
    try:
        yield temporary
        if durable:
            _sync(temporary)
        temporary.replace(target)
    except BaseException as error:
        with suppress(OSError):
            temporary.unlink()
        if isinstance(error, OSError) and error.filename == str(temporary):
            error.filename, error.filename2 = str(path), None
        raise
    if durable:
        sync_directory(target.parent)


def write_whole(path: Path, content: bytes, *, durable: bool = True) -> None:
    """Write a file of this content; parameters and errors as for `whole_file`."""
    with whole_file(path, durable=durable) as temporary:
        temporary.write_bytes(content)


def is_temporary(name: str) -> bool:
    """Return whether a file of this name is being written by `whole_file`, or was when its process was killed."""
    return name.startswith(".")


def remove_whole(path: Path) -> None:
    """Remove a file, if it is there, and what killed processes left of writing it."""
    path.unlink(missing_ok=True)
    start, end = _temporary_name(path, "/").split("/")
    for other in path.parent.glob(".*"):
        name = other.name.removeprefix(start).removesuffix(end)
        if other.name == f"{start}{name}{end}" and len(name) == 2 * _TOKEN_BYTES:
            other.unlink(missing_ok=True)


def append(descriptor: int, content: bytes) -> None:
    """Append whole lines to an open file and wait for the disk; the caller sees to it that nobody else appends.

    A last line that was torn by a kill is ended first, so that the new lines stand alone.

    Parameters
    ----------
    descriptor
        Of a file opened to be read and appended to.
    content
        The lines, newlines included.
    """
    size = os.fstat(descriptor).st_size
    torn = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
    rest = memoryview((b"\n" if torn else b"") + content)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
    os.fsync(descriptor)


def append_line(path: Path, line: bytes) -> None:
    """Append one line, newline included, to a file that is made if it is not there; as `append` does."""
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o666)
    try:
        append(descriptor, line)
    finally:
        os.close(descriptor)


def sync_directory(directory: Path) -> None:
    """Wait for the names in a directory: a file whose name is not on disk is lost in a power cut."""
    _sync(directory)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _temporary_name(path: Path, token: str) -> str:
    return f".{path.stem[:_LONGEST_STEM]}.{token}{path.suffix}"
