"""A record that was edited by hand is never believed, and never a traceback: its checksum, its key or physics tells."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from typing import get_args

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from specimens import HYDROGEN, LEVEL, VERSION_1, key_of, of_version, resealed, sound, stage_record

from qcdriver.errors import InputError
from qcdriver.models.level import Convergence
from qcdriver.models.molecule import Molecule
from qcdriver.models.outcomes import Failure, Relaxed, Result
from qcdriver.models.records import TaskRecord
from qcdriver.models.tasks import Relaxation, SinglePoint, Task
from qcdriver.store import Records, soundness, task_key
from qcdriver.store.damage import check, repair
from qcdriver.store.record_lines import has_checksum, parse_record, to_line
from qcdriver.store.soundness import flaw_of

WATER = Molecule(symbols=("O", "H", "H"), geometry=[[0, 0, 0.25], [0, 1.45, -0.95], [0, -1.45, -0.95]])
RESULT = Result(
    energy=-5.0703,
    gradient=[[0, 0, 0.002], [0, 0.001, -0.001], [0, -0.001, -0.001]],
    homo=-0.45,
    lumo=0.10,
    gap=0.55,
    dipole=[0, 0, -0.9],
    mulliken_charges=[-0.56, 0.28, 0.28],
)


def finished(task, outcome, label):
    return TaskRecord(
        key=task_key(task), stage="prescreen", label=label, task=task, outcome=outcome, provenance=None, parents=()
    )


POINT = finished(SinglePoint(molecule=WATER, level=LEVEL, driver="gradient"), RESULT, "water")
RELAXED = finished(
    Relaxation(molecule=WATER, level=LEVEL, convergence=Convergence(max_force=1e-3, energy_change=1e-6, max_steps=100)),
    Relaxed(
        molecule=WATER.moved(WATER.geometry + 0.01),
        result=RESULT,
        energies=(-5.06, -5.0703),
        n_gradients=3,
        max_force=1e-4,
    ),
    "water, relaxed",
)
FAILED = finished(SinglePoint(molecule=HYDROGEN, level=LEVEL), Failure(error_type="EngineError", message="no"), "H2")

Edit = Callable[[dict], None]
"""Changes the members of a record in place."""


def put(path: str, value: object) -> Edit:
    def edit(members):
        *way, last = path.split(".")
        for name in way:
            members = members[int(name) if name.isdecimal() else name]
        members[int(last) if last.isdecimal() else last] = value

    return edit


def drop(path: str) -> Edit:
    def edit(members):
        *way, last = path.split(".")
        for name in way:
            members = members[name]
        del members[last]

    return edit


# A record, a change of its members, and what is wrong with it then: nothing, where only a checksum can find the change.
EDITS: dict[str, tuple[TaskRecord, Edit, str]] = {
    "another key": (POINT, put("key", "0" * 32), "its key is not that of its task"),
    "a key that is a number": (POINT, put("key", 7), "no valid record: .*key"),
    "an atom moved in the task": (POINT, put("task.molecule.geometry.1.1", 1.46), "its key is not that of its task"),
    "another element": (POINT, put("task.molecule.symbols", ["S", "H", "H"]), "its key is not that of its task"),
    "no element": (POINT, put("task.molecule.symbols", ["Xx", "H", "H"]), "not an element symbol"),
    "another charge": (POINT, put("task.molecule.molecular_charge", 2), "its key is not that of its task"),
    "a spin that does not fit": (POINT, put("task.molecule.molecular_multiplicity", 2), "multiplicity 2 does not fit"),
    "another method": (POINT, put("task.level.model.method", "GFN2-xTB"), "its key is not that of its task"),
    "another version of the engine": (POINT, put("task.level.engine_version", "99"), "its key is not that of its task"),
    "an energy of the wrong sign": (POINT, put("outcome.energy", 507.03), "an energy of 507"),
    "an energy far too low": (POINT, put("outcome.energy", -1e9), "an energy of -1e"),
    "an energy that is not finite": (POINT, put("outcome.energy", float("nan")), "no valid record: .*energy"),
    "an energy as large as a float can be": (POINT, put("outcome.energy", 2.257e307), "an energy of 2.257e"),
    "an energy beyond a float": (POINT, put("outcome.energy", 10**400), "no valid record"),
    "an energy in words": (POINT, put("outcome.energy", "low"), "no valid record: .*energy"),
    "no energy": (POINT, drop("outcome.energy"), "no valid record: .*energy"),
    "a gradient that lacks an atom": (POINT, put("outcome.gradient", [[0, 0, 0]] * 2), "gradient has shape"),
    "a ragged gradient": (POINT, put("outcome.gradient", [[0, 0], [1]]), "no valid record"),
    "a gradient of words": (POINT, put("outcome.gradient", [["a"]]), "no valid record"),
    "a gradient that is an object": (POINT, put("outcome.gradient", {}), "no valid record"),
    "a gradient that is not finite": (POINT, put("outcome.gradient.0.0", float("inf")), "not finite"),
    "a dipole in a plane": (POINT, put("outcome.dipole", [0, 0]), "dipole has shape"),
    "charges that do not add up": (POINT, put("outcome.mulliken_charges.0", 0.56), "atomic charges add up to"),
    "a gap that does not fit the orbitals": (POINT, put("outcome.gap", 0.45), "a gap of 0.45"),
    "an outcome of another kind": (
        RELAXED,
        put("outcome", json.loads(RESULT.model_dump_json())),
        "cannot have an outcome of kind result",
    ),
    "a failure in its place, and half of it": (POINT, put("outcome", {"kind": "failure"}), "no valid record"),
    "another molecule relaxed": (RELAXED, put("outcome.molecule.symbols", ["S", "H", "H"]), "other atoms"),
    "an atom more": (RELAXED, put("outcome.molecule.symbols", ["O", "H", "H", "He"]), "geometry has shape"),
    "one of two copies of an energy": (RELAXED, put("outcome.result.energy", -5.0713), "for one geometry"),
    "an energy on the way": (RELAXED, put("outcome.energies.0", 506.0), "an energy of 506"),
    "a value of a coordinate that nobody held": (RELAXED, put("outcome.reached", [1.0]), "1 values and 0 slopes"),
    "an empty list of energies": (RELAXED, put("outcome.energies", []), ""),
    "a failure that names nothing": (FAILED, put("outcome.error_type", None), "no valid record"),
    "the key of a failure": (FAILED, put("key", "f" * 32), "its key is not that of its task"),
    "an unknown member": (POINT, put("comment", "checked by hand"), "no valid record: .*comment"),
    "no task": (POINT, drop("task"), "no valid record|no task"),
    "a task of an unknown kind": (POINT, put("task.kind", "guess"), "no valid record|is not that"),
    "a list in the place of the task": (POINT, put("task", []), "no valid record"),
    "a stage that is a list": (POINT, put("stage", []), "no valid record"),
    "parents that are none": (POINT, put("parents", 3), "no valid record"),
}


def edited(record: TaskRecord, edit: Edit) -> bytes:
    """Give the line of an edited record with the checksum that it had."""
    line = to_line(record).rstrip()
    members = json.loads(line)
    checksum = members.pop("checksum")
    edit(members)
    members["checksum"] = checksum
    return json.dumps(members, separators=(",", ":")).encode() + b"\n"


def unchecked(line: bytes) -> bytes:
    """Give a line as version 3 wrote it: without a checksum."""
    return of_version(re.sub(rb',"checksum":"[0-9a-f]{16}"\}$', b"}", line.rstrip()) + b"\n", 3)


def run_with(directory, line: bytes):
    """Make a run of two sound records with the line between them."""
    Records(directory).close()
    path = directory / "records.jsonl"
    path.write_bytes(to_line(sound("before")) + line + to_line(sound("after")))
    return path


def assert_not_believed(directory, line: bytes, reason: str) -> None:
    path = run_with(directory, line)
    found = check(directory)
    assert not found.is_whole
    (damaged,) = found.damaged_lines
    assert damaged.line == 2
    assert re.search(reason, damaged.reason), damaged.reason
    assert found.index_difference is None
    repair(directory)
    assert check(directory).is_whole
    assert path.read_bytes() == to_line(sound("before")) + to_line(sound("after"))
    assert (directory / "records.damaged").read_bytes() == line


@pytest.mark.parametrize(("record", "edit", "_reason"), EDITS.values(), ids=EDITS)
def test_a_line_that_was_edited_is_damaged_and_nobody_reads_it(tmp_path, record, edit, _reason):
    line = edited(record, edit)
    assert line != to_line(record)
    path = run_with(tmp_path, line)
    keys = {key_of("before"), key_of("after")}
    for records in (Records(tmp_path, only_read=True, index="memory"), Records(tmp_path)):
        assert {each.key for each in records} == keys
        assert records.find(record.key) is None
        records.close()
    path.unlink()
    (tmp_path / "index.sqlite").unlink()
    assert_not_believed(tmp_path, line, "its checksum does not fit its content")


@pytest.mark.parametrize(("record", "edit", "reason"), EDITS.values(), ids=EDITS)
@pytest.mark.parametrize("seal", [resealed, unchecked], ids=["with a right checksum", "without a checksum"])
def test_what_cannot_be_is_found_without_a_checksum_too(tmp_path, record, edit, reason, seal):
    line = seal(edited(record, edit))
    if reason:
        assert_not_believed(tmp_path, line, reason)
    else:
        run_with(tmp_path, line)
        assert check(tmp_path).is_whole


BYTES: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "a digit": (lambda line: line.replace(b"-5.0703", b"-5.0713"), "checksum does not fit"),
    "its checksum": (lambda line: re.sub(rb'("checksum":")....', rb"\g<1>0000", line), "checksum does not fit"),
    "no checksum": (lambda line: re.sub(rb',"checksum":"\w+"', b"", line), "no checksum at its end"),
    "an older version": (lambda line: of_version(line, 3), "checksum does not fit"),
    "an older version, no checksum": (
        lambda line: unchecked(line).replace(b'"prescreen"', b"[]", 1),
        "no valid record",
    ),
    "a version in words": (lambda line: line.replace(b'_version":4', b'_version":"four"'), "no schema version"),
    "a version that is true": (lambda line: line.replace(b'_version":4', b'_version":true'), "no schema version"),
    "a member twice": (lambda line: line.replace(b'"stage":', b'"stage":"x","stage":', 1), "checksum does not fit"),
    "spaces": (lambda line: line.replace(b",", b", "), "no checksum at its end|does not fit"),
    "half of it": (lambda line: line[: len(line) // 2] + b"\n", "not JSON|no checksum"),
    "two on one line": (lambda line: line.rstrip() + line, "not JSON|checksum"),
    "zeros": (lambda line: line.replace(b"GFN1", bytes(4)), "checksum does not fit"),
    "half of a surrogate pair": (lambda line: line.replace(b'"water"', b'"\\ud800"'), "checksum does not fit"),
    "the same, checksum right": (lambda line: resealed(line.replace(b'"water"', b'"\\ud800"')), "no valid record"),
    "Latin-1": (lambda line: line.replace(b'"water"', b'"w\xe4ter"'), "checksum does not fit"),
    "the same Latin-1, checksum right": (lambda line: resealed(line.replace(b'"water"', b'"w\xe4ter"')), "."),
    "a byte order mark": (lambda line: b"\xef\xbb\xbf" + line, "checksum does not fit"),
    "a number of ten thousand digits": (
        lambda line: resealed(line.replace(b"-5.0703", b"1" * 10_000)),
        "no valid record|not JSON|integer string",
    ),
    "nested lists": (lambda line: resealed(line.replace(b"-5.0703", b"[" * 5000 + b"]" * 5000)), "."),
}


@pytest.mark.parametrize(("change", "reason"), BYTES.values(), ids=BYTES)
def test_bytes_that_were_changed_are_found(tmp_path, change, reason):
    line = change(to_line(POINT))
    assert line != to_line(POINT)
    assert_not_believed(tmp_path, line, reason)


def test_windows_line_ends_change_nothing_for_the_check_nor_for_the_index(tmp_path):
    records = Records(tmp_path)
    records.extend([POINT, RELAXED, stage_record("s", POINT.key)])
    records.close()
    path = tmp_path / "records.jsonl"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    found = check(tmp_path)
    assert found.is_whole
    assert found.n_calculations == 2
    for records in (Records(tmp_path), Records(tmp_path, only_read=True, index="memory")):
        assert records.damaged_lines == 0
        assert records.find(POINT.key) == POINT
        assert len(list(records)) == 3
    old = tmp_path / "old"
    old.mkdir()
    (old / "records.jsonl").write_bytes(VERSION_1.read_bytes().replace(b"\n", b"\r\n"))
    assert check(old).damaged_lines == ()
    assert len(list(Records(old))) == check(old).n_keys == 10


def test_lines_from_before_there_were_checksums_are_read_and_counted(tmp_path):
    shutil.copy(VERSION_1, tmp_path / "records.jsonl")
    records = Records(tmp_path)
    records.append(POINT)
    found = check(tmp_path)
    assert found.damaged_lines == ()
    assert found.n_without_checksum == 10
    assert "  no checksum: 10 lines, written by an older version of this program" in found.lines_for_person()
    assert has_checksum(records.path.read_bytes().splitlines(keepends=True)[-1])


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE lines SET label = 'another' WHERE label = 'water'",
        "UPDATE lines SET success = 0 WHERE label = 'water'",
        "UPDATE lines SET method = 'pbe' WHERE label = 'water'",
        "UPDATE lines SET key = NULL WHERE label = 'water'",
        "UPDATE lines SET length = length - 1 WHERE label = 'water'",
        "DELETE FROM lines WHERE label = 'water'",
        "INSERT INTO lines VALUES (100000, 10, 'x', 'dft', 'x', 'pbe', 1)",
    ],
)
def test_an_index_that_says_otherwise_is_found_and_made_anew(tmp_path, change):
    records = Records(tmp_path)
    records.extend([RELAXED, POINT])
    assert len(list(records)) == 2
    records.close()
    assert check(tmp_path).is_whole
    with sqlite3.connect(tmp_path / "index.sqlite") as index:
        index.execute(change)
    index.close()
    found = check(tmp_path)
    assert not found.is_whole
    assert found.index_difference in (len(to_line(RELAXED)), 100000)
    assert "index.sqlite does not describe the line at byte" in "\n".join(found.lines_for_person())
    repair(tmp_path)
    assert check(tmp_path).is_whole
    assert [each.key for each in Records(tmp_path)] == [RELAXED.key, POINT.key]


def test_a_task_file_that_was_edited_is_damaged(tmp_path):
    Records(tmp_path).close()
    (tmp_path / "tasks").mkdir()
    (tmp_path / "tasks" / f"{POINT.key}.json").write_bytes(resealed(edited(POINT, put("outcome.energy", 507.03))))
    (tmp_path / "tasks" / f"{FAILED.key}.failed.json").write_bytes(to_line(FAILED).replace(b'"no"', b'"yes"'))
    assert len(check(tmp_path).damaged_files) == 2


def test_what_a_terminal_would_act_on_is_escaped(tmp_path):
    Records(tmp_path).append(stage_record("s", "\x1b[2Jgone\n"))
    assert r"record \x1b[2Jgone\n, named by" in "\n".join(check(tmp_path).lines_for_person())


def test_the_command_names_the_line_and_never_shows_a_traceback(tmp_path):
    lines = [resealed(edited(record, edit)) for record, edit, reason in EDITS.values() if reason]
    lines += [change(to_line(POINT)) for change, _ in BYTES.values()]
    (tmp_path / "records.jsonl").write_bytes(b"".join(lines))
    command = [sys.executable, "-m", "qcdriver.cli", "records", str(tmp_path), "--check"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 1
    assert ran.stderr == ""
    assert ran.stdout.count("  damaged: line") == len(lines)


def test_the_kept_results_are_sound():
    for path in (VERSION_1.parents[2] / "results" / "kept").rglob("records.jsonl"):
        assert check(path.parent).is_whole, path


WORDS = st.sampled_from([None, True, -1, 0, 3, 1e308, 10**400, "", "x", "\u00e9", [], {}, [[1, 2], [3]], ["O"], [None]])


def mutated(draw, line: bytes) -> bytes:
    """Change a line somewhere: some of its bytes, or a member of its JSON."""
    if draw(st.booleans()):
        start = draw(st.integers(0, len(line) - 2))
        end = min(start + draw(st.integers(0, 40)), len(line) - 1)
        return line[:start] + draw(st.binary(max_size=8)).replace(b"\n", b"") + line[end:]
    members = json.loads(line)
    at = members
    while True:
        names = list(at) if isinstance(at, dict) else list(range(len(at)))
        name = draw(st.sampled_from(names))
        if not isinstance(at[name], dict | list) or not at[name] or draw(st.integers(0, 3)) == 0:
            break
        at = at[name]
    at[name] = draw(WORDS)
    return json.dumps(members, separators=(",", ":")).encode() + b"\n"


def judge(line: bytes) -> TaskRecord | None:
    try:
        record = parse_record(line, "here")
    except (ValueError, InputError):
        return None
    return record if flaw_of(record) is None else None


def no_mutation_is_believed(data) -> None:
    record = data.draw(st.sampled_from([POINT, RELAXED, FAILED]))
    line = mutated(data.draw, to_line(record))
    assert judge(line) in (None, record)
    judge(resealed(line))
    if b'"schema_version":4' in line:
        judge(unchecked(line))


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_no_mutation_is_believed_or_breaks_the_reader(data):
    no_mutation_is_believed(data)


@pytest.mark.slow
@settings(max_examples=5000, deadline=5000, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_no_mutation_of_five_thousand_is_believed_or_breaks_the_reader(data):
    no_mutation_is_believed(data)


@settings(max_examples=100, deadline=None)
@example(energy=0.0, label='"\\')
@given(energy=st.floats(-70, 70), label=st.text(st.characters(exclude_categories=["Cs"]), max_size=20))
def test_every_record_is_read_back_from_its_line(energy, label):
    record = POINT.model_copy(update={"label": label, "outcome": RESULT.model_copy(update={"energy": energy})})
    line = to_line(record)
    assert line.count(b"\n") == 1
    assert parse_record(line, "here") == record
    assert np.array_equal(parse_record(line, "here").outcome.gradient, RESULT.gradient)


def test_every_kind_of_task_has_a_kind_of_outcome():
    (tasks, _) = get_args(Task)
    assert set(soundness._OUTCOMES) == set(get_args(tasks))
