"""`index.sqlite`: which record stands where in `records.jsonl`. Only ever a copy of what that file says.

It remembers how far into the file it has read, catches up whenever it is asked, and starts again when the file is
another one. Where SQLite cannot work (a read-only directory, a full disk, a file system without locks) the same index
is built in memory; a damaged one is thrown away.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, BinaryIO

from qcdriver.records.lines import Entry, glance, read_lines
from qcdriver.records.migrations import SCHEMA_VERSION
from qcdriver.records.selection import Selection

IN_MEMORY = ":memory:"
_LAYOUT = 3000 + SCHEMA_VERSION
"""Of the tables, and of the program: an index of another is built anew, so that an older program meets newer lines."""
_TABLES = """
    CREATE TABLE lines (
        offset INTEGER PRIMARY KEY, length INTEGER, key TEXT, stage TEXT, label TEXT, method TEXT, success INTEGER
    );
    CREATE INDEX by_key ON lines (key, success, offset);
    CREATE TABLE state (read INTEGER, tail BLOB);
    INSERT INTO state VALUES (0, x'');
"""
"""A line without a key is a damaged one."""
_TAIL = 200
"""The index knows its file by the last bytes it read of it."""
_BROKEN = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_COUNTS = (  # of the lines of one key: the newest success, else the newest failure
    "key IS NOT NULL AND offset = (SELECT other.offset FROM lines AS other WHERE other.key = lines.key"
    " ORDER BY other.success DESC, other.offset DESC LIMIT 1)"
)


class Index:
    """The index of one file, on disk at `path` or `IN_MEMORY`; read and written when it is first asked."""

    def __init__(self, path: Path | str, source: Path) -> None:
        self.path, self.source = path, source
        self._connection: sqlite3.Connection | None = None

    def spans(self, key: str) -> list[tuple[int, int]]:
        """Give offset and length of every line of that key, the one that counts first."""
        return self._ask("SELECT offset, length FROM lines WHERE key = ? ORDER BY success DESC, offset DESC", key)

    def keys(self) -> list[str]:
        """Give every key, in the order of the lines that count."""
        return [key for (key,) in self._ask(f"SELECT key FROM lines WHERE {_COUNTS} ORDER BY offset")]

    def select(self, selection: Selection) -> list[str]:
        """Give the keys of the task records asked for, in the same order."""
        question = f"SELECT key FROM lines WHERE label IS NOT NULL AND {_COUNTS}"
        conditions = {
            " AND stage = ?": selection.stage,
            " AND glob(?, label)": selection.label,
            " AND lower(method) = lower(?)": selection.method,
            " AND success = ?": selection.success,
        }
        given = {condition: value for condition, value in conditions.items() if value is not None}
        rows = self._ask(f"{question}{''.join(given)} ORDER BY offset", *given.values())
        return [key for (key,) in rows]

    def stages(self) -> list[str]:
        """Name the stages that have task records."""
        rows = self._ask("SELECT DISTINCT stage FROM lines WHERE key IS NOT NULL AND label IS NOT NULL")
        return [stage for (stage,) in rows]

    def keys_like(self, prefix: str) -> list[str]:
        """Give the keys of task records that begin so."""
        question = "SELECT DISTINCT key FROM lines WHERE label IS NOT NULL AND substr(key, 1, ?) = ? ORDER BY key"
        return [key for (key,) in self._ask(question, len(prefix), prefix)]

    def damaged(self) -> int:
        """Count the lines that hold no record, as far as anybody has met them."""
        return int(self._ask("SELECT count(*) FROM lines WHERE key IS NULL")[0][0])

    def mark_damaged(self, offset: int) -> None:
        """Take note that a line, read whole, holds no record."""
        self._ask("UPDATE lines SET key = NULL WHERE offset = ?", offset)

    def catch_up(self) -> None:
        """Read what was appended since.

        Raises
        ------
        InputError
            A record was written by a newer version of this program.
        """
        self._ask("SELECT 1")

    def start_again(self) -> None:
        """Forget everything: the next question reads the file from its beginning."""
        self._ask("UPDATE state SET read = -1")

    def close(self) -> None:
        """Let go of the file."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def _ask(self, question: str, *values: object) -> list[Any]:
        for _ in range(2):
            try:
                return self._answer(question, values)
            except sqlite3.Error as error:
                self._give_way(error)
        return self._answer(question, values)

    def _answer(self, question: str, values: tuple[object, ...]) -> list[Any]:
        if self._connection is None:
            self._connection = _open(self.path)
        self._catch_up(self._connection)
        return self._connection.execute(question, values).fetchall()

    def _give_way(self, error: sqlite3.Error) -> None:
        """Remove an index that is broken; where it is something else, or it cannot be removed, go on in memory."""
        self.close()
        # Extended codes carry the plain one in their low byte.
        if getattr(error, "sqlite_errorcode", 0) & 0xFF not in _BROKEN or not _removed(Path(self.path)):
            self.path = IN_MEMORY

    def _catch_up(self, connection: sqlite3.Connection) -> None:
        try:
            file = self.source.open("rb")
        except FileNotFoundError:
            return  # array tasks may have written before anybody merged
        with file:
            if not _news(file, *_state(connection)):
                return
            with _transaction(connection):
                read, tail = _state(connection)  # another process may have been faster
                if not _same(file, read, tail):
                    connection.execute("DELETE FROM lines")
                    read, tail = 0, b""
                read, tail = self._read_on(connection, file, read, tail)
                connection.execute("UPDATE state SET read = ?, tail = ?", (read, tail))

    def _read_on(self, connection: sqlite3.Connection, file: BinaryIO, read: int, tail: bytes) -> tuple[int, bytes]:
        for offset, length, line in read_lines(file, read):
            if line is not None and not line.endswith(b"\n"):
                break  # being written just now, or torn: not a record yet
            try:
                entry: Entry | None = None if line is None else glance(line, str(self.source))
            except ValueError:
                entry = None
            row = (offset, length, *(entry or (None,) * 5))
            connection.execute("INSERT OR REPLACE INTO lines VALUES (?, ?, ?, ?, ?, ?, ?)", row)
            read, tail = offset + length, (line or b"")[-_TAIL:]
        return read, tail


def _open(path: Path | str) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=30, isolation_level=None)
    connection.create_function("glob", 2, lambda pattern, text: fnmatchcase(text, pattern), deterministic=True)
    if not _has_our_layout(connection):
        with _transaction(connection):
            if not _has_our_layout(connection):  # another process may have been faster
                for name in ("records", "lines", "state"):
                    connection.execute(f"DROP TABLE IF EXISTS {name}")
                for statement in _TABLES.split(";"):
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {_LAYOUT}")
    return connection


def _has_our_layout(connection: sqlite3.Connection) -> bool:
    return bool(connection.execute("PRAGMA user_version").fetchone() == (_LAYOUT,))


def _removed(path: Path) -> bool:
    try:
        for each in (path.with_name(f"{path.name}-journal"), path):  # an old journal would be played into a new file
            each.unlink(missing_ok=True)
    except OSError:
        return False
    return True


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _state(connection: sqlite3.Connection) -> tuple[int, bytes]:
    read, tail = connection.execute("SELECT read, tail FROM state").fetchone()
    return read, tail


def _same(file: BinaryIO, read: int, tail: bytes) -> bool:
    """Tell whether this is the file that was read up to there, or another."""
    if read < len(tail) or os.fstat(file.fileno()).st_size < read:
        return False
    file.seek(read - len(tail))
    return file.read(len(tail)) == tail


def _news(file: BinaryIO, read: int, tail: bytes) -> bool:
    """Tell whether there is a whole line to read, or another file."""
    if not _same(file, read, tail):
        return True
    return any(line is None or line.endswith(b"\n") for _, _, line in read_lines(file, read))
