"""From any number back to the input."""

from __future__ import annotations

import pytest
from specimens import HYDROGEN, VERSION_1, record

from qcdriver.engines import title
from qcdriver.errors import InputError
from qcdriver.models.outcomes import Built
from qcdriver.models.records import Provenance
from qcdriver.models.tasks import Build
from qcdriver.store import Records, TaskFiles
from qcdriver.store.lineage import lineage

MODEL = record("c0ffee", stage="build").model_copy(
    update={
        "task": Build(source="au13ag12", settings={}, start=2, seed=7, program_version="0.1.0"),
        "outcome": Built(molecule=HYDROGEN),
        "provenance": Provenance(
            program_version="0.1.0",
            libraries={"numpy": "2.4.6"},
            host="node017",
            python="3.11",
            threads=1,
            started_utc="2026-01-01T00:00:00+00:00",
            wall_s=1.5,
            cpu_s=1.0,
        ),
    }
)


@pytest.fixture
def run(tmp_path):
    """A model, two relaxations of it, a point of the profile that came from both, and its DFT."""
    records = Records(tmp_path)
    records.extend(
        [
            MODEL,
            record("a1", parents=("c0ffee",), stage="prescreen"),
            record("a2", parents=("c0ffee",), stage="prescreen"),
            record("b1", parents=("a1", "a2"), stage="scan"),
        ]
    )
    TaskFiles(tmp_path).write(record("d1", parents=("b1",)))  # of an array task, not merged
    return Records(tmp_path, only_read=True)


def told(records: Records, prefix: str) -> str:
    return "\n".join(line for each in lineage(records, prefix) for line in each.told(title))


def test_a_record_is_walked_back_to_the_model_each_ancestor_once(run):
    found = lineage(run, "d1")
    assert [(each.generation, each.key) for each in found] == [
        (0, "d1"),
        (1, "b1"),
        (2, "a1"),
        (3, "c0ffee"),
        (2, "a2"),
    ]


def test_what_a_person_wants_to_know_is_told(run):
    text = told(run, "d1")
    for part in (
        "dft label of d1: GFN1-xTB (xtb) 22.1, E = -1.00000000 hartree",
        "geometry: of the record below",
        "geometry: of the 2 records below",
        "geometry: built: au13ag12, start 2, seed 7",
        "qcdriver 0.1.0 (numpy 2.4.6), 2026-01-01T00:00:00+00:00, 1.5 s on 1 thread(s) of node017 (cpu)",
        f"input sha256: {'0' * 64}",
    ):
        assert part in text


def test_the_beginning_of_a_key_is_enough_when_it_is_one_key(run):
    assert lineage(run, "c0f")[0].key == "c0ffee"
    with pytest.raises(InputError, match="2 keys begin with a: a1, a2"):
        lineage(run, "a")
    with pytest.raises(InputError, match="no calculation has a key that begins with 'x'"):
        lineage(run, "x")


def test_a_parent_that_is_not_there_is_told(tmp_path):
    records = Records(tmp_path)
    records.append(record("a", parents=("gone",)))
    assert "gone: this record is not here" in told(records, "a")


def test_version_1_did_not_record_where_a_geometry_came_from(tmp_path):
    (tmp_path / "records.jsonl").write_bytes(VERSION_1.read_bytes())
    text = told(Records(tmp_path), "e1078d01")
    assert "geometry: not recorded" in text
    assert "input sha256: not recorded" in text
