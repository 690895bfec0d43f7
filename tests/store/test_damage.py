"""Damage is told with what is still good, repaired only on request, and never dropped."""

from __future__ import annotations

import re
import subprocess
import sys
import time

import pytest
from specimens import key_of, of_version, on_tiny_disk, python, resealed, sound, stage_record

from qcdriver.errors import InputError
from qcdriver.store import Records, TaskFiles
from qcdriver.store.damage import check, repair
from qcdriver.store.migrations import SCHEMA_VERSION
from qcdriver.store.record_lines import LONGEST_LINE, to_line

BAD = {
    b"\xff\xfe\n": "not UTF-8",
    b"\0\0\0\n": "not JSON",
    b"\n": "not JSON",
    b"[1]\n": "no qcdriver record",
    b"[" * 50_000 + b"\n": "nested too deep",
    resealed(to_line(sound("n")).replace(b"-1.0", b'"no"')): "no valid record: .*energy",
    of_version(to_line(sound("v")), 0): "version 0 is not one of",
    b"x" * (LONGEST_LINE + 1) + b"\n": "longer than 64 MiB",
}
TORN = b'{"schema_name":"qcdriver_task","schema_ver'


def good(directory) -> list[str]:
    return [each.key for each in Records(directory, only_read=True)]


@pytest.fixture
def damaged(tmp_path):
    """Good and bad lines in turn, and a torn end."""
    records = Records(tmp_path)
    for number, line in enumerate(BAD):
        records.append(sound(f"good {number}"))
        with records.path.open("ab") as file:
            file.write(line)
    with records.path.open("ab") as file:
        file.write(TORN)
    records.close()
    return tmp_path


def test_a_whole_run_is_whole(tmp_path):
    records = Records(tmp_path)
    records.extend([sound("a"), sound("b", parents=(key_of("a"),)), stage_record("s", key_of("b"))])
    TaskFiles(tmp_path).write(sound("c"))
    found = check(tmp_path)
    assert found.is_whole
    assert (found.n_lines, found.n_calculations, found.n_stages, found.n_waiting, found.n_keys) == (3, 3, 1, 1, 4)


def test_every_kind_of_damage_is_told_with_its_place_and_what_is_good(damaged):
    found = check(damaged)
    assert not found.is_whole
    assert found.n_calculations == len(BAD)
    assert [each.line for each in found.damaged_lines] == [*range(2, 2 * len(BAD) + 1, 2), 2 * len(BAD) + 1]
    content = (damaged / "records.jsonl").read_bytes()
    for each, line in zip(found.damaged_lines, [*BAD, TORN], strict=True):
        assert content[each.offset : each.offset + each.length] == line
    for each, reason in zip(found.damaged_lines, [*BAD.values(), "torn"], strict=True):
        assert re.search(reason, each.reason)
    told = "\n".join(found.lines_for_person())
    assert "line 2, bytes" in told
    assert f"{len(BAD)} calculations and 0 stages are good" in told


def test_checking_changes_nothing(damaged):
    before = {path: path.stat().st_mtime_ns for path in damaged.rglob("*")}
    check(damaged)
    assert {path: path.stat().st_mtime_ns for path in damaged.rglob("*")} == before


def test_a_repair_moves_damaged_lines_aside_byte_for_byte_and_keeps_the_rest(damaged):
    records = Records(damaged, only_read=True)
    before = list(records)
    repair(damaged)
    assert check(damaged).is_whole
    assert list(records) == list(Records(damaged)) == before
    assert (damaged / "records.damaged").read_bytes() == b"".join(BAD) + TORN + b"\n"
    file = (damaged / "records.jsonl").stat()
    repair(damaged)  # nothing is left to do
    assert (damaged / "records.jsonl").stat().st_ino == file.st_ino


def test_a_damaged_task_file_is_told_and_moved_aside(tmp_path):
    records = Records(tmp_path)
    records.append(sound("a"))
    (tmp_path / "tasks").mkdir()
    (tmp_path / "tasks" / "b.json").write_bytes(b"garbage")
    (tmp_path / "tasks" / ".c.0.part").write_bytes(b"half")
    found = check(tmp_path)
    assert [path.split("/")[-1] for path in found.damaged_files] == ["b.json"]
    assert found.n_unfinished == 1
    repair(tmp_path)
    assert check(tmp_path).is_whole
    assert (tmp_path / "tasks" / "damaged" / "b.json").read_bytes() == b"garbage"


def test_a_record_that_others_name_and_nobody_has_is_missed(tmp_path):
    records = Records(tmp_path)
    records.extend([sound("a", parents=("gone",)), stage_record("s", key_of("a"), "lost")])
    assert {each.key for each in check(tmp_path).missing} == {"gone", "lost"}
    assert not check(tmp_path).is_whole


@pytest.mark.parametrize("left", [0, 2])
def test_lines_that_are_cut_off_are_missed_while_the_index_knows_them(tmp_path, left):
    """Nobody names the last records of a run that was stopped; of an emptied file nothing is damaged."""
    records = Records(tmp_path)
    records.extend([sound(name) for name in "abc"])
    assert len(list(records)) == 3
    records.close()
    assert check(tmp_path).is_whole
    lines = (tmp_path / "records.jsonl").read_bytes().splitlines(keepends=True)
    (tmp_path / "records.jsonl").write_bytes(b"".join(lines[:left]))
    found = check(tmp_path)
    assert [gone.key for gone in found.missing] == [key_of(name) for name in "abc"[left:]]
    assert "named by index.sqlite, where it stands at byte" in found.lines_for_person()[1]
    assert not found.is_whole
    repair(tmp_path)
    assert check(tmp_path).is_whole


def test_a_newer_record_is_no_damage_but_refused_by_name(tmp_path):
    line = of_version(to_line(sound("a")), SCHEMA_VERSION + 1)
    (tmp_path / "records.jsonl").write_bytes(line)
    for work in (check, repair):
        with pytest.raises(InputError, match=f"schema version {SCHEMA_VERSION + 1}"):
            work(tmp_path)
    assert (tmp_path / "records.jsonl").read_bytes() == line


def test_a_repair_without_room_changes_nothing(tmp_path):
    said = on_tiny_disk(
        tmp_path,
        """
        from qcdriver.errors import ResourceError
        from qcdriver.store.damage import repair
        Records(directory).extend([record(str(number)) for number in range(200)])
        path = directory / "records.jsonl"
        with path.open("ab") as file:
            file.write(b"garbage" * 1000)
        before = path.read_bytes()
        try:
            repair(directory)
        except ResourceError as error:
            print("No space left on device" in str(error), path.read_bytes() == before)
            print([path.name for path in directory.iterdir() if path.name.startswith(".")])
        """,
    )
    assert said.split() == ["True", "True", "[]"]


def test_a_repair_beside_a_writer_loses_nothing(tmp_path):
    Records(tmp_path).close()
    code = "records = Records(directory)\nfor number in range(60): records.append(sound(str(number)))"
    writer = subprocess.Popen(python(code, tmp_path))
    for _ in range(20):
        with (tmp_path / "records.jsonl").open("ab") as file:
            file.write(b"garbage\n")
        repair(tmp_path)
        time.sleep(0.01)
    assert writer.wait() == 0
    assert good(tmp_path) == [key_of(str(number)) for number in range(60)]
    assert (tmp_path / "records.damaged").read_text().split() == ["garbage"] * 20


def test_the_command_tells_repairs_and_exits_by_what_is_left(damaged):
    def run(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "qcdriver.cli", "records", str(damaged), *words]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    checked = run("--check")
    assert checked.returncode == 1
    assert checked.stdout.count("  damaged: line") == len(BAD) + 1
    assert not (damaged / "records.damaged").exists()
    repaired = run("--repair")
    assert repaired.returncode == 0, repaired.stdout
    assert f"moved aside: {len(BAD) + 1} line(s) and 0 task file(s)" in repaired.stdout
    assert run("--check").stdout.endswith("whole\n")
