"""The index: a copy of what the file says, that nobody misses when it is gone, wrong, or cannot be."""

from __future__ import annotations

import sqlite3

import pytest
from specimens import made, record

from qcdriver.store import Records
from qcdriver.store.record_lines import to_line


@pytest.fixture
def abc(tmp_path):
    records = Records(tmp_path)
    records.extend([record(key) for key in "abc"])
    assert records.find("a") is not None
    records.close()
    return tmp_path


def keys(records: Records) -> str:
    return "".join(each.key for each in records)


def spoil(directory, script: str) -> None:
    old = sqlite3.connect(directory / "index.sqlite")
    old.executescript(script)
    old.close()


SPOILED = {
    "deleted": lambda index: index.unlink(),
    "no database": lambda index: index.write_bytes(b"not a database, not at all" * 100),
    "zeros in its middle": lambda index: index.write_bytes(index.read_bytes()[:1024] + bytes(20_000)),
    "cut off": lambda index: index.write_bytes(index.read_bytes()[:5000]),
    "empty": lambda index: index.write_bytes(b""),
    "of version 0.1.0": lambda index: spoil(
        index.parent,
        "DROP TABLE lines; DROP TABLE state; PRAGMA user_version = 2;"
        "CREATE TABLE records (key TEXT); CREATE TABLE state (read INTEGER, damaged INTEGER, tail BLOB);",
    ),
    "without its tables": lambda index: spoil(index.parent, "DROP TABLE lines"),
    "pointing elsewhere": lambda index: spoil(index.parent, "UPDATE lines SET offset = offset + 7"),
    "with keys exchanged": lambda index: spoil(
        index.parent, "UPDATE lines SET key = CASE key WHEN 'a' THEN 'b' WHEN 'b' THEN 'a' ELSE key END"
    ),
    "a folder": lambda index: (index.unlink(), index.mkdir()),
    "read-only": lambda index: index.chmod(0o444),
}


@pytest.mark.parametrize("damage", SPOILED.values(), ids=SPOILED)
def test_a_spoiled_index_costs_time_and_nothing_else(abc, damage):
    damage(abc / "index.sqlite")
    records = Records(abc)
    assert {key: records.find(key).key for key in "abc"} == {key: key for key in "abc"}
    records.append(record("d"))
    assert keys(records) == "abcd"
    records.close()
    assert keys(Records(abc)) == "abcd"


def test_an_index_that_is_taken_away_during_a_run_is_not_missed(abc):
    records = Records(abc)
    spoil(abc, "DROP TABLE lines; DROP TABLE state")
    assert keys(records) == "abc"
    (abc / "index.sqlite").unlink()
    records.append(record("d"))
    assert keys(records) == keys(Records(abc)) == "abcd"


def test_the_index_follows_a_file_that_was_replaced_by_a_shorter_one(abc):
    path = abc / "records.jsonl"
    path.write_bytes(path.read_bytes().splitlines(keepends=True)[1])
    assert keys(Records(abc)) == "b"


def test_a_longer_file_in_the_place_of_the_indexed_one_is_noticed(abc):
    """A results folder comes back from another machine: the old index lies beside a file that went on without it."""
    records = Records(abc)
    other = Records(abc / "other")
    other.extend([record(key, -7.0) for key in ["long name of another", *"xyzc"]])
    records.path.write_bytes(other.path.read_bytes())
    assert records.find("c").outcome.energy == -7.0
    assert records.find("x") is not None
    assert records.find("a") is None


def test_a_file_of_the_same_length_in_its_place_is_noticed(abc):
    records = Records(abc)
    path = abc / "records.jsonl"
    path.write_bytes(path.read_bytes().replace(to_line(record("a")), to_line(record("z", -9.0))))
    assert records.find("a") is None
    assert records.find("z").outcome.energy == -9.0
    assert keys(records) == "zbc"


def test_an_index_in_memory_answers_the_same_and_makes_no_file(abc):
    (abc / "index.sqlite").unlink()
    records = Records(abc, only_read=True, index="memory")
    assert keys(records) == "abc"
    assert not (abc / "index.sqlite").exists()


def test_a_long_file_is_indexed_without_growing(tmp_path):
    """What the index takes is a small part of the file: no line is kept."""
    records = Records(tmp_path)
    records.extend([made(number) for number in range(0, 5000, 50)])
    assert records.find("nothing") is None
    assert (tmp_path / "index.sqlite").stat().st_size < records.path.stat().st_size / 20
