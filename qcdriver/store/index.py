"""The index of `records.jsonl`: an SQLite file, `index.sqlite`, that says where which record stands.

It holds nothing that the file does not. It remembers how far it has read, reads on whenever it is asked, and starts
again if the file is another one. Where SQLite cannot work (a read-only directory, a full disk, a file system without
locks) the same index is built in memory. A damaged one is removed and built anew.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, BinaryIO

from qcdriver.store.migrations import SCHEMA_VERSION
from qcdriver.store.record_lines import Entry, glance, parse_record, read_lines
from qcdriver.store.selection import Selection

IN_MEMORY = ":memory:"
_LAYOUT = 4000 + SCHEMA_VERSION
"""Version of the tables and of the records. An index of another version is built anew, so that an older program reads
newer lines, and refuses them."""
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
"""The index recognises its file by the last bytes that it read of it."""
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
        """Return offset and length of every line of a key, the one that counts first."""
        return self._ask("SELECT offset, length FROM lines WHERE key = ? ORDER BY success DESC, offset DESC", key)

    def keys(self) -> list[str]:
        """Return every key, in the order of the lines that count."""
        return [key for (key,) in self._ask(f"SELECT key FROM lines WHERE {_COUNTS} ORDER BY offset")]

    def select(self, selection: Selection) -> list[str]:
        """Return the keys of the selected task records, in the order of `keys`."""
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
        """Return the names of the stages that have task records."""
        rows = self._ask("SELECT DISTINCT stage FROM lines WHERE key IS NOT NULL AND label IS NOT NULL")
        return [stage for (stage,) in rows]

    def keys_like(self, prefix: str) -> list[str]:
        """Return the keys of task records that begin with a prefix."""
        question = "SELECT DISTINCT key FROM lines WHERE label IS NOT NULL AND substr(key, 1, ?) = ? ORDER BY key"
        return [key for (key,) in self._ask(question, len(prefix), prefix)]

    def damaged(self) -> int:
        """Return the number of lines that hold no record, as far as they have been read."""
        return int(self._ask("SELECT count(*) FROM lines WHERE key IS NULL")[0][0])

    def mark_damaged(self, offset: int) -> None:
        """Note that a line, once it was read whole, turned out to hold no record."""
        self._ask("UPDATE lines SET key = NULL WHERE offset = ?", offset)

    def catch_up(self) -> None:
        """Read the lines that were appended since the last time.

        Raises
        ------
        InputError
            A record was written by a newer version of this program.
        """
        self._ask("SELECT 1")

    def start_again(self) -> None:
        """Have the next question read the file from its beginning."""
        self._ask("UPDATE state SET read = -1")

    def disagreement(self) -> int | None:
        """Return the offset of the first line that the index on disk describes otherwise than the file does.

        None where they agree as far as the index has read, and where the index is missing, broken, of another file or
        of another version of this program: it is made anew then, without being asked.
        """
        try:
            uri = f"{Path(self.path).absolute().as_uri()}?mode=ro"
            with closing(sqlite3.connect(uri, uri=True)) as connection, self.source.open("rb") as file:
                if not _has_our_layout(connection):
                    return None
                read, tail = _state(connection)
                return _first_difference(connection, file, read) if _same(file, read, tail) else None
        except (sqlite3.Error, OSError):
            return None

    def known(self) -> dict[str, int]:
        """Return the keys that the index on disk knows, and the offset it knows each at; the file is not asked."""
        try:
            uri = f"{Path(self.path).absolute().as_uri()}?mode=ro"
            with closing(sqlite3.connect(uri, uri=True)) as connection:
                if not _has_our_layout(connection):
                    return {}
                return dict(connection.execute("SELECT key, offset FROM lines WHERE key IS NOT NULL ORDER BY offset"))
        except sqlite3.Error:
            return {}

    def remove(self) -> None:
        """Remove the index from the disk; the next question makes it anew."""
        self.close()
        _removed(Path(self.path))

    def close(self) -> None:
        """Close the index file."""
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
        """Remove the index if it is broken; if the error is another one, or it cannot be removed, go on in memory."""
        self.close()
        # Extended codes carry the plain one in their low byte.
        if getattr(error, "sqlite_errorcode", 0) & 0xFF not in _BROKEN or not _removed(Path(self.path)):
            self.path = IN_MEMORY

    def _catch_up(self, connection: sqlite3.Connection) -> None:
        try:
            file = self.source.open("rb")
        except FileNotFoundError:
            return  # there may be task files only, which are not merged yet
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


def _first_difference(connection: sqlite3.Connection, file: BinaryIO, read: int) -> int | None:
    """Compare the index, line by line, with the file up to `read`; return the offset of the first difference."""
    rows = connection.execute("SELECT offset, length, key, stage, label, method, success FROM lines ORDER BY offset")
    for offset, length, line in read_lines(file, 0):
        if offset >= read:
            break
        row = rows.fetchone()
        if row is None or row[:2] != (offset, length) or not _describes(row[2:], line, file.name):
            return offset
    left = rows.fetchone()
    return None if left is None else int(left[0])


def _describes(entry: tuple[Any, ...], line: bytes | None, where: str) -> bool:
    """Return whether an entry of the index is that of a line; one without a key is that of a damaged line."""
    called_damaged = entry[0] is None
    if line is None:
        return called_damaged
    try:
        if called_damaged:
            parse_record(line, where)
            return False
        return entry == glance(line, where)
    except ValueError:
        return called_damaged


def _removed(path: Path) -> bool:
    try:
        for old in (path.with_name(f"{path.name}-journal"), path):  # an old journal would be played into a new file
            old.unlink(missing_ok=True)
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
    """Return whether a file is the one that was read up to `read`, or another."""
    if read < len(tail) or os.fstat(file.fileno()).st_size < read:
        return False
    file.seek(read - len(tail))
    return file.read(len(tail)) == tail


def _news(file: BinaryIO, read: int, tail: bytes) -> bool:
    """Return whether there is a whole line to read, or another file."""
    if not _same(file, read, tail):
        return True
    return any(line is None or line.endswith(b"\n") for _, _, line in read_lines(file, read))
