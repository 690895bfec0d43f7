"""Task files: many write at once without a lock, everybody sees them, and one merges."""

from __future__ import annotations

import os
import subprocess

import pytest
from specimens import failed, made, of_version, python, record, stage_record

from qcdriver.errors import InputError
from qcdriver.store import Records, Selection, TaskFiles
from qcdriver.store.migrations import SCHEMA_VERSION


def reader(directory) -> Records:
    return Records(directory, only_read=True, index="memory")


def lines(directory) -> int:
    return (directory / "records.jsonl").read_bytes().count(b"\n")


def test_a_task_file_is_read_before_and_after_it_is_merged(tmp_path):
    driver = Records(tmp_path)
    files = TaskFiles(tmp_path)
    files.write(record("a", -1.5))
    files.write(stage_record("s", "a"))
    for records in (driver, reader(tmp_path), Records(tmp_path, only_read=True)):
        assert records.find("a") == record("a", -1.5)
        assert {each.key for each in records} == {"a", "s"}
        assert [each.key for each in records.query(Selection(stage="dft"))] == ["a"]
    assert lines(tmp_path) == 0
    assert driver.merge() == 2
    assert lines(tmp_path) == 2
    assert not list((tmp_path / "tasks").rglob("*.json"))
    for records in (driver, reader(tmp_path)):
        assert records.find("a") == record("a", -1.5)
        assert [each.key for each in records] == ["a", "s"]


def test_opening_a_run_to_write_merges(tmp_path):
    TaskFiles(tmp_path).write(record("a"))
    Records(tmp_path)
    assert lines(tmp_path) == 1


def test_an_array_task_reads_before_anything_was_merged_and_makes_nothing(tmp_path):
    TaskFiles(tmp_path).write(record("a"))
    before = sorted(tmp_path.rglob("*"))
    assert reader(tmp_path).find("a") is not None
    assert reader(tmp_path).find("b") is None
    assert sorted(tmp_path.rglob("*")) == before


def test_a_second_try_that_fails_hides_no_success(tmp_path):
    files = TaskFiles(tmp_path)
    files.write(failed("a", "first"))
    assert reader(tmp_path).find("a").outcome.message == "first"
    files.write(record("a"))
    files.write(failed("a", "late"))
    assert reader(tmp_path).find("a").success
    assert Records(tmp_path).find("a").success


def test_a_new_failure_stands_before_an_old_one_and_a_success_in_the_file_before_both(tmp_path):
    records = Records(tmp_path)
    records.append(failed("a", "old"))
    TaskFiles(tmp_path).write(failed("a", "new"))
    assert records.find("a").outcome.message == "new"
    records.append(record("a"))
    assert records.find("a").success


def test_a_merge_that_died_between_writing_and_removing_doubles_nothing(tmp_path):
    """All that a kill can leave: the line is there already, the file not gone, under its own name or the merge's."""
    records = Records(tmp_path)
    for where in ("a.json", "merging/a.0123456789abcdef.json"):
        records.append(record("a"))
        TaskFiles(tmp_path).write(record("a"))
        target = tmp_path / "tasks" / where
        target.parent.mkdir(exist_ok=True)
        (tmp_path / "tasks" / "a.json").rename(target)
        before = lines(tmp_path)
        assert [each.key for each in reader(tmp_path)] == ["a"]
        assert records.merge() == 0
        assert lines(tmp_path) == before
        assert not target.exists()


def test_a_file_that_is_being_written_is_no_record_and_stays(tmp_path):
    files = TaskFiles(tmp_path)
    files.write(record("a"))
    part = tmp_path / "tasks" / ".b.0.part"
    part.write_bytes(record("b").model_dump_json().encode()[:100])
    assert [each.key for each in reader(tmp_path)] == ["a"]
    Records(tmp_path)
    assert part.exists()


def test_a_damaged_task_file_is_left_where_it_is(tmp_path):
    folder = tmp_path / "tasks"
    TaskFiles(tmp_path).write(record("a"))
    (folder / "b.json").write_bytes(b"\0" * 100)
    (folder / "c.json").write_bytes((folder / "a.json").read_bytes())  # holds another key
    assert [each.key for each in reader(tmp_path)] == ["a"]
    assert Records(tmp_path).merge() == 0
    assert [each.key for each in Records(tmp_path)] == ["a"]
    assert len(list(folder.rglob("*.json"))) == 2


def test_a_newer_task_file_is_refused_by_name_and_stays(tmp_path):
    TaskFiles(tmp_path).write(record("a"))
    path = tmp_path / "tasks" / "a.json"
    path.write_bytes(of_version(path.read_bytes(), SCHEMA_VERSION + 1))
    newer = f"schema version {SCHEMA_VERSION + 1}"
    with pytest.raises(InputError, match=newer):
        Records(tmp_path)
    with pytest.raises(InputError, match=newer):
        reader(tmp_path).find("a")
    assert len(list((tmp_path / "tasks").rglob("a*.json"))) == 1


def test_the_order_of_merging_does_not_ask_a_clock(tmp_path):
    files = TaskFiles(tmp_path)
    for year, key in enumerate("cab"):
        files.write(record(key))
        os.utime(tmp_path / "tasks" / f"{key}.json", (10**9 - year * 10**7,) * 2)
    assert [each.key for each in Records(tmp_path)] == ["a", "b", "c"]


def test_many_writers_two_merges_and_a_reader_at_once_lose_and_double_nothing(tmp_path):
    Records(tmp_path).close()
    write = python("for n in range(int(sys.argv[3]), int(sys.argv[4])): TaskFiles(directory).write(made(n))", tmp_path)
    merge = python("records = Records(directory)\nwhile True: records.merge()", tmp_path)
    mergers = [subprocess.Popen(merge) for _ in range(2)]
    writers = [subprocess.Popen([*write, str(first), str(first + 60)]) for first in (1, 61, 121)]
    seen: set[str] = set()
    while any(writer.poll() is None for writer in writers):
        keys = [each.key for each in reader(tmp_path)]
        assert len(keys) == len(set(keys))
        assert seen <= set(keys)  # nothing that was there once is away for an instant
        seen = set(keys)
    for merger in mergers:
        assert merger.poll() is None
        merger.kill()
        merger.wait()
    wanted = {made(number).key: made(number) for number in range(1, 181)}
    assert {each.key: each for each in Records(tmp_path)} == wanted
