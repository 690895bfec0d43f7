"""Records: what was reported as written is there, whatever happened around it."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from specimens import VERSION_1, failed, made, of_version, on_tiny_disk, python, record, resealed, stage_record

from qcdriver.errors import InputError, ResourceError
from qcdriver.models.outcomes import Result
from qcdriver.models.records import TaskRecord
from qcdriver.store import Records, Selection
from qcdriver.store.migrations import SCHEMA_VERSION
from qcdriver.store.record_lines import LONGEST_LINE, to_line


def energies(records: Records) -> list[float]:
    return [each.outcome.energy for each in records]


def test_a_record_comes_back_bit_for_bit(tmp_path):
    records = Records(tmp_path)
    energy = -0.1 - 0.2
    records.append(record("a", energy))
    back = records.find("a")
    assert isinstance(back, TaskRecord)
    assert isinstance(back.outcome, Result)
    assert back.outcome.energy == energy
    assert back == back.model_validate_json(back.model_dump_json())


def test_another_process_finds_what_this_one_wrote(tmp_path):
    first, second = Records(tmp_path), Records(tmp_path)
    first.append(record("a"))
    assert second.find("a") is not None
    second.append(record("b"))
    assert first.find("b") is not None


def test_the_newest_success_of_a_key_counts_and_no_failure_hides_it(tmp_path):
    records = Records(tmp_path)
    records.append(failed("a", "first"))
    records.append(failed("a", "second"))
    assert [each.outcome.message for each in records] == ["second"]
    records.append(record("a", -1.0))
    records.append(record("a", -2.0))
    records.append(failed("a", "third"))
    assert energies(records) == [-2.0]


def test_the_order_does_not_ask_a_clock(tmp_path):
    """The clock goes back between two writes, and the files look older than what is in them."""
    records = Records(tmp_path)
    for year, energy in ((2030, -1.0), (1990, -2.0)):
        made_then = {"program_version": "0", "libraries": {}, "host": "", "python": "", "threads": 1}
        provenance = made_then | {"started_utc": f"{year}-01-01T00:00:00+00:00", "wall_s": -5.0, "cpu_s": 0.0}
        content = record("a", energy).model_dump(mode="json") | {"provenance": provenance}
        records.append(TaskRecord.model_validate(content))
        assert records.find("a").outcome.energy == energy
        for path in tmp_path.iterdir():
            os.utime(path, (10**9 - energy, 10**9 - energy))
    assert energies(records) == [-2.0]
    assert energies(Records(tmp_path)) == [-2.0]


def test_records_are_asked_for_by_stage_label_method_and_success(tmp_path):
    records = Records(tmp_path)
    records.extend([record("a", stage="scan"), record("b"), failed("c"), stage_record("d", "b")])
    ask = {
        "abc": Selection(),
        "a": Selection(stage="scan"),
        "b": Selection(label="*[bx]"),
        "c": Selection(success=False),
        "ab": Selection(success=True, method="gfn1-XTB"),
        "": Selection(method="GFN2-xTB"),
    }
    for keys, selection in ask.items():
        assert "".join(each.key for each in records.query(selection)) == keys
    with pytest.raises(InputError, match="no record of stage 'nmr'; there are dft, scan"):
        list(records.query(Selection(stage="nmr")))


def test_a_full_disk_is_one_line_and_loses_nothing(tmp_path):
    records = Records(tmp_path)
    records.append(record("a"))
    resource.setrlimit(resource.RLIMIT_FSIZE, (records.path.stat().st_size + 10, resource.RLIM_INFINITY))
    previous = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        with pytest.raises(ResourceError, match=r"cannot be written \(File too large\)"):
            records.append(record("b"))
    finally:
        signal.signal(signal.SIGXFSZ, previous)
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    records.append(record("c"))
    assert [each.key for each in records] == ["a", "c"]
    assert records.damaged_lines == 0  # the half that was written is taken back


def test_a_really_full_disk_keeps_what_was_reported_and_goes_on_when_there_is_room(tmp_path):
    said = on_tiny_disk(
        tmp_path,
        """
        from qcdriver.errors import ResourceError
        records, ballast = Records(directory), directory / "ballast"
        ballast.write_bytes(bytes(100_000))
        done, full = [], 0
        for number in range(1000):
            try:
                records.append(made(number))
                done.append(made(number).key)
            except ResourceError as error:
                full += "No space left on device" in str(error)
                ballast.unlink(missing_ok=True)
        try:
            TaskFiles(directory).write(made(1000))
        except ResourceError as error:
            full += "No space left on device" in str(error)
        for other in (Records(directory, only_read=True), Records(directory, only_read=True, index="memory")):
            assert [each.key for each in other] == done
            assert other.damaged_lines == 0
        print(len(done), full)
        """,
    )
    done, full = map(int, said.split())
    assert done > 20
    assert full == 1001 - done


def test_a_read_only_disk_is_read_and_nothing_else(tmp_path):
    said = on_tiny_disk(
        tmp_path,
        """
        import subprocess
        from qcdriver.errors import InputError, ResourceError
        records = Records(directory)
        records.append(record("a"))
        TaskFiles(directory).write(record("b"))
        records.close()
        subprocess.run(["mount", "-o", "remount,ro", str(directory)], check=True)
        before = sorted(map(str, directory.rglob("*")))
        print("".join(each.key for each in Records(directory, only_read=True)))
        for work in (lambda: Records(directory), lambda: TaskFiles(directory).write(record("c"))):
            try:
                work()
            except (InputError, ResourceError) as error:
                print(str(error).replace(str(directory), "there"))
        assert sorted(map(str, directory.rglob("*"))) == before
        """,
    ).splitlines()
    assert said[0] == "ab"
    assert len(said) == 3
    assert all("Read-only file system" in line for line in said[1:])


def test_a_folder_of_somebody_else_is_read():
    """Without write permission: as another user where this one is root."""
    with tempfile.TemporaryDirectory() as name:  # pytest's own folders let no other user pass
        directory = Path(name)
        Records(directory).append(record("a"))
        directory.chmod(0o555)
        child = os.fork()
        if not child:
            try:
                if os.geteuid() == 0:
                    os.setresuid(65534, 65534, 65534)
                keys = [each.key for each in Records(directory, only_read=True)]
                with pytest.raises(InputError, match="cannot be written"):
                    Records(directory / "run")
                os._exit(keys != ["a"])
            finally:
                os._exit(2)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        directory.chmod(0o755)


def test_a_folder_that_is_a_file_is_a_clear_line(tmp_path):
    (tmp_path / "run").write_text("")
    with pytest.raises(InputError, match="cannot be written"):
        Records(tmp_path / "run")


def test_what_is_no_run_is_a_clear_line(tmp_path):
    with pytest.raises(InputError, match="no run is here"):
        Records(tmp_path / "run", only_read=True)


@given(cut=st.integers(min_value=1, max_value=400))
@settings(deadline=None, max_examples=40)
def test_a_torn_last_line_costs_only_itself(tmp_path_factory, cut):
    directory = tmp_path_factory.mktemp("torn")
    records = Records(directory)
    records.append(record("whole"))
    size = records.path.stat().st_size
    records.append(record("torn"))
    records.close()
    os.truncate(records.path, size + cut)
    after = Records(directory)
    assert after.find("torn") is None
    after.append(record("next"))
    assert [each.key for each in after] == ["whole", "next"]
    assert after.damaged_lines == 1


GARBAGE = {
    "not UTF-8": b"\xff\xfe garbage",
    "no JSON": b"{'key': 1}",
    "JSON, but no record": b"[1, 2]",
    "an empty line": b"",
    "zeros, as a power cut leaves them": bytes(5000),
    "nested without end": b"[" * 100_000,
    "half a record": to_line(record("half"))[:300],
    "a record with zeros inside": resealed(to_line(record("zeros")).replace(b"GFN1", bytes(4)))[:-1],
    "a record with a missing number": resealed(to_line(record("none")).replace(b'"energy":-1.0,', b""))[:-1],
    "of a version that never was": of_version(to_line(record("old")), -3)[:-1],
    "a huge line": b"x" * (LONGEST_LINE + 10),
}


@pytest.mark.parametrize("garbage", GARBAGE.values(), ids=GARBAGE)
def test_garbage_in_the_middle_is_counted_and_stepped_over(tmp_path, garbage):
    records = Records(tmp_path)
    records.append(record("a"))
    with records.path.open("ab") as file:
        file.write(garbage + b"\n")
    records.append(record("b"))
    assert [each.key for each in records] == ["a", "b"]
    assert records.damaged_lines == 1
    assert [each.key for each in Records(tmp_path, only_read=True, index="memory")] == ["a", "b"]


def test_behind_a_damaged_line_stands_the_older_record_of_its_key(tmp_path):
    records = Records(tmp_path)
    records.extend([record("a", -1.0), record("b"), record("a", -2.0)])
    content = records.path.read_bytes()
    records.path.write_bytes(content.replace(b'"energy":-2.0', b'"energy":"no"'))
    assert records.find("a").outcome.energy == -1.0
    assert [each.key for each in records] == ["a", "b"]
    assert records.damaged_lines == 1


def test_a_newer_schema_is_refused_by_name(tmp_path):
    (tmp_path / "records.jsonl").write_bytes(of_version(to_line(record("a")), 99))
    for ask in (Records, lambda directory: Records(directory, True, "memory").find("a")):
        with pytest.raises(InputError, match=f"schema version 99; this program reads up to {SCHEMA_VERSION}"):
            ask(tmp_path)


def test_two_versions_of_the_program_write_one_file(tmp_path):
    """The newer reads both and goes on; the older refuses by name as soon as it meets the newer, and writes nothing."""
    (tmp_path / "records.jsonl").write_bytes(VERSION_1.read_bytes())
    newer = Records(tmp_path)
    old_keys = [each.key for each in newer]
    newer.append(record("a"))
    lines = VERSION_1.read_bytes().splitlines(keepends=True)
    with newer.path.open("ab") as file:  # an older one that was at work all the time
        file.write(lines[1].replace(b'"key":"e1078d01', b'"key":"00000000'))
    assert [each.key for each in newer] == [*old_keys, "a", "00000000842d0049c96bd98b571c8b5e"]
    before = newer.path.read_bytes()
    older = (
        "import sys; from pathlib import Path; from qcdriver.models.records import TaskRecord\n"
        "TaskRecord.model_fields['schema_version'].default = 1\n"
        "from qcdriver.store import Records; Records(Path(sys.argv[1]))"
    )
    refused = subprocess.run([sys.executable, "-c", older, tmp_path], capture_output=True, text=True, check=False)
    assert f"a record of schema version {SCHEMA_VERSION}; this program reads up to 1: update it" in refused.stderr
    assert newer.path.read_bytes() == before


def test_two_writers_at_once_lose_nothing(tmp_path):
    code = "records = Records(directory)\nfor number in range(60): records.append(record(f'{sys.argv[3]}-{number}'))"
    writers = [subprocess.Popen(python(code, tmp_path, name)) for name in "ab"]
    assert [writer.wait() for writer in writers] == [0, 0]
    records = Records(tmp_path)
    assert {each.key for each in records} == {f"{name}-{number}" for name in "ab" for number in range(60)}
    assert records.damaged_lines == 0


def test_a_line_that_is_being_written_is_never_taken_for_damage(tmp_path):
    Records(tmp_path).close()
    records = Records(tmp_path, only_read=True, index="memory")
    writer = python(
        """
        import os
        from qcdriver.store.record_lines import to_line
        line = to_line(record("a"))
        descriptor = os.open(directory / "records.jsonl", os.O_WRONLY | os.O_APPEND)
        for _ in range(5000):
            os.write(descriptor, line[:200])
            os.write(descriptor, line[200:])
        """,
        tmp_path,
    )
    running = subprocess.Popen(writer)
    while running.poll() is None:
        assert records.damaged_lines == 0
    assert running.returncode == 0
    assert energies(records) == [-1.0]


def test_ten_thousand_records_open_and_answer_at_once(tmp_path):
    """Generous bounds, for slow machines; `tests/benchmarks/records.py` prints the figures."""
    records = Records(tmp_path)
    records.extend([made(number) for number in range(10_000) if number % 10])
    started = time.process_time()
    assert len(list(records.query(Selection(label="*77??")))) == 90
    built = time.process_time() - started
    records.close()
    started = time.process_time()
    assert len(list(Records(tmp_path, only_read=True).query(Selection(label="*77??")))) == 90
    assert built < 5
    assert time.process_time() - started < 1
