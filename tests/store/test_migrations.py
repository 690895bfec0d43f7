"""Old records are read for ever; their lines stay as they were written."""

from __future__ import annotations

import json
import re

import pytest
from specimens import VERSION_1, record

from qcdriver.models.records import StageRecord, TaskRecord
from qcdriver.models.verdicts import Verdict
from qcdriver.report.sentences import sentence
from qcdriver.store import Records
from qcdriver.store.migrations import MIGRATIONS, SCHEMA_VERSION, migrate
from qcdriver.store.record_lines import parse_record


def test_every_step_up_to_this_version_is_there():
    assert sorted(MIGRATIONS) == list(range(1, SCHEMA_VERSION))
    assert StageRecord.model_fields["schema_version"].default == SCHEMA_VERSION


def test_records_of_version_1_are_read_whole(tmp_path):
    """Every number of the old line is in the record; what version 1 did not keep is unknown."""
    path = tmp_path / "records.jsonl"
    path.write_bytes(VERSION_1.read_bytes())
    records = list(Records(tmp_path))
    assert len(records) == 10
    for line, found in zip(VERSION_1.read_text().splitlines(), records, strict=True):
        now = json.loads(found.model_dump_json())
        assert now.pop("schema_version") == SCHEMA_VERSION
        if isinstance(found, TaskRecord):
            assert (now.pop("parents"), now.pop("input_sha256")) == ([], None)
            assert now.pop("purpose") is not None
        assert holds(now, {**json.loads(line), "schema_version": 0})
    assert path.read_bytes() == VERSION_1.read_bytes()


def holds(now: object, before: object) -> bool:
    """Tell whether everything of `before` is in `now`, which may have new fields that are unknown."""
    if isinstance(before, dict) and isinstance(now, dict):
        return all(holds(*renamed(now, name, value)) for name, value in before.items() if name != "schema_version")
    if isinstance(before, list) and isinstance(now, list):
        return len(now) == len(before) and all(map(holds, now, before))
    return now == before


def renamed(now: dict[str, object], name: str, value: object) -> tuple[object, object]:
    """Give a field's value now and before; what later versions call otherwise, by its name there."""
    if name == "reached_deg":
        return now.get("reached"), value
    if name == "value_deg" and "kept" in now:  # of a verdict; that of a target has kept its name
        return now.get("reached"), None if value is None else [value]
    if name == "reason" and "kept" in now:
        return sentence(Verdict.model_validate(now)), value
    return now.get(name), value


def test_an_invented_version_0_passes_through_every_step(monkeypatch, tmp_path):
    """As if version 0 had called the key `hash`: one step more, and its records are found by it."""
    line = re.sub('"key":', '"hash":', record("a").model_dump_json()).replace('_version":4', '_version":0')
    path = tmp_path / "records.jsonl"
    path.write_text(line + "\n")
    assert Records(tmp_path).damaged_lines == 1

    def from_0(content):
        return {**{name: value for name, value in content.items() if name != "hash"}, "key": content["hash"]}

    monkeypatch.setitem(MIGRATIONS, 0, from_0)
    assert parse_record(line.encode(), "") == record("a")
    (tmp_path / "index.sqlite").unlink()
    records = Records(tmp_path)
    records.append(record("b"))
    assert [each.key for each in records] == ["a", "b"]
    assert path.read_text().startswith(line)


@pytest.mark.parametrize("version", [-1, 0, None, "2", True, 1.5])
def test_a_version_that_never_was_is_no_record(version):
    with pytest.raises(ValueError, match="version"):
        migrate({"schema_version": version}, "")
