"""Records: what was reported as written is there, whatever happened around it."""

from __future__ import annotations

import json
import os
import resource
import signal
import sqlite3
import subprocess
import sys
import textwrap

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qcdriver.errors import InputError, ResourceError
from qcdriver.records import Records, parse_record, task_key
from qcdriver.schema import Failure, Level, Model, Molecule, Result, SinglePoint, TaskRecord

LEVEL = Level(engine="xtb", engine_version="22.1", model=Model(method="GFN1-xTB"))
HYDROGEN = Molecule(symbols=("H", "H"), geometry=[[0, 0, 0], [0, 0, 1.4]])


def record(key: str, energy: float = -1.0) -> TaskRecord:
    return TaskRecord(
        key=key,
        stage="dft",
        label=f"label of {key}",
        task=SinglePoint(molecule=HYDROGEN, level=LEVEL),
        outcome=Result(energy=energy),
        provenance=None,
    )


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


def test_the_newest_record_of_a_key_counts(tmp_path):
    records = Records(tmp_path)
    records.append(record("a", -1.0))
    records.append(record("a", -2.0))
    assert [each.outcome.energy for each in records] == [-2.0]


def test_the_index_is_rebuilt_when_it_is_lost_or_garbage(tmp_path):
    records = Records(tmp_path)
    for key in "abc":
        records.append(record(key))
    keys = [each.key for each in records]
    records.close()
    index = tmp_path / "index.sqlite"
    for spoil in (index.unlink, lambda: index.write_bytes(b"not a database, not at all" * 100)):
        spoil()
        rebuilt = Records(tmp_path)
        assert [each.key for each in rebuilt] == keys
        rebuilt.close()


def test_an_index_of_another_layout_is_built_anew(tmp_path):
    records = Records(tmp_path)
    records.append(record("a"))
    records.close()
    old = sqlite3.connect(tmp_path / "index.sqlite")
    old.executescript("DROP TABLE state; CREATE TABLE state (read INTEGER); PRAGMA user_version = 1;")
    old.close()
    assert [each.key for each in Records(tmp_path)] == ["a"]


def test_the_index_follows_a_file_that_was_replaced_by_a_shorter_one(tmp_path):
    records = Records(tmp_path)
    for key in "abc":
        records.append(record(key))
    lines = records.path.read_bytes().splitlines(keepends=True)
    records.close()
    records.path.write_bytes(lines[1])
    assert [each.key for each in Records(tmp_path)] == ["b"]


def test_a_longer_file_in_the_place_of_the_indexed_one_is_noticed(tmp_path):
    """A results folder comes back from another machine: the old index lies beside a file that went on without it."""
    records = Records(tmp_path)
    for key in "abc":
        records.append(record(key))
    assert records.find("c") is not None
    other = Records(tmp_path / "other")
    for key in ["long name of another", *"xyzc"]:
        other.append(record(key, -7.0))
    records.path.write_bytes(other.path.read_bytes())
    found = records.find("c")
    assert found is not None
    assert found.outcome.energy == -7.0
    assert records.find("x") is not None
    assert records.find("a") is None


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


def test_a_line_of_garbage_is_counted_and_stepped_over(tmp_path):
    records = Records(tmp_path)
    records.append(record("a"))
    with records.path.open("ab") as file:
        file.write(b"\xff\xfe garbage\n[1, 2]\n{}\n")
    records.append(record("b"))
    assert [each.key for each in records] == ["a", "b"]
    assert records.damaged_lines == 3


def test_a_newer_schema_is_refused_by_name(tmp_path):
    newer = json.loads(record("a").model_dump_json()) | {"schema_version": 99}
    with pytest.raises(InputError, match="schema version 99"):
        parse_record(json.dumps(newer).encode(), "there")
    (tmp_path / "records.jsonl").write_text(json.dumps(newer) + "\n")
    with pytest.raises(InputError, match="schema version 99"):
        Records(tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_an_unwritable_folder_is_a_clear_line(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(InputError, match="cannot be written"):
        Records(tmp_path / "run")


def test_a_folder_that_is_a_file_is_a_clear_line(tmp_path):
    (tmp_path / "run").write_text("")
    with pytest.raises(InputError, match="cannot be written"):
        Records(tmp_path / "run")


def test_two_writers_at_once_lose_nothing(tmp_path):
    code = textwrap.dedent("""
        import sys; from pathlib import Path
        sys.path.insert(0, sys.argv[3])
        from test_records import record
        from qcdriver.records import Records
        records = Records(Path(sys.argv[1]))
        for number in range(60):
            records.append(record(f"{sys.argv[2]}-{number}"))
    """)
    here = os.path.dirname(__file__)  # noqa: PTH120
    writers = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path), name, here]) for name in "ab"]
    assert [writer.wait() for writer in writers] == [0, 0]
    records = Records(tmp_path)
    assert {each.key for each in records} == {f"{name}-{number}" for name in "ab" for number in range(60)}
    assert records.damaged_lines == 0


def test_no_record_reported_as_written_is_lost_to_a_kill(tmp_path):
    code = textwrap.dedent("""
        import sys; from pathlib import Path
        sys.path.insert(0, sys.argv[2])
        from test_records import record
        from qcdriver.records import Records
        records = Records(Path(sys.argv[1]))
        number = sum(1 for _ in records)
        print("ready", flush=True)
        while True:
            number += 1
            records.append(record(str(number)))
            print(number, flush=True)
    """)
    here = os.path.dirname(__file__)  # noqa: PTH120
    reported = set()
    rng = np.random.default_rng(1)
    for _ in range(8):
        child = subprocess.Popen([sys.executable, "-c", code, str(tmp_path), here], stdout=subprocess.PIPE, text=True)
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        try:
            child.wait(timeout=rng.uniform(0.01, 0.2))
        except subprocess.TimeoutExpired:
            child.send_signal(signal.SIGKILL)
        reported |= {line.strip() for line in child.stdout.read().splitlines(keepends=True) if line.endswith("\n")}
        child.wait()
    keys = [each.key for each in Records(tmp_path)]
    assert len(keys) == len(set(keys))
    assert reported <= set(keys)
    assert len(reported) > 8


def test_the_key_hashes_what_determines_the_number_and_nothing_else():
    point = SinglePoint(molecule=HYDROGEN, level=LEVEL)
    noise = HYDROGEN.moved(HYDROGEN.geometry + 1e-11)
    assert task_key(SinglePoint(molecule=noise, level=LEVEL)) == task_key(point)
    others = [
        point.model_copy(update={"molecule": HYDROGEN.moved(HYDROGEN.geometry * 1.001)}),
        point.model_copy(update={"molecule": HYDROGEN.model_copy(update={"molecular_charge": 2})}),
        point.model_copy(update={"molecule": HYDROGEN.model_copy(update={"molecular_multiplicity": 3})}),
        point.model_copy(update={"driver": "gradient"}),
    ]
    changes = [
        {"engine": "tblite"},
        {"engine_version": "22.2"},
        {"model": Model(method="GFN2-xTB")},
        {"model": Model(method="GFN1-xTB", basis="x")},
        {"keywords": {"accuracy": 0.1}},
    ]
    others += [point.model_copy(update={"level": LEVEL.model_copy(update=change)}) for change in changes]
    assert len({task_key(each) for each in [point, *others]}) == len(others) + 1


def test_a_failure_is_a_record_without_success():
    failed = record("a").model_copy(update={"outcome": Failure(error_type="ConvergenceError", message="no")})
    assert not failed.success
