"""Exports: other programs read what they get, and it means the same there."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from qcdriver.errors import InputError, MissingError
from qcdriver.models.outcomes import Failure, Result
from qcdriver.models.records import TaskRecord
from qcdriver.models.tasks import SinglePoint
from qcdriver.report.exports import export
from qcdriver.store import Records, Selection
from qcdriver.store.record_lines import parse_record
from qcdriver.units import ANGSTROM, EV

VERSION_1 = Path(__file__).parents[2] / "store" / "version1.jsonl"


@pytest.fixture
def records(tmp_path):
    """Give real records of every kind, and a point with a gradient."""
    (tmp_path / "records.jsonl").write_bytes(VERSION_1.read_bytes())
    store = Records(tmp_path)
    point = next(store.query(Selection(stage="dft")))
    assert isinstance(point.task, SinglePoint)
    gradient = np.arange(3.0 * len(point.task.molecule.symbols)).reshape(-1, 3) * 1e-3
    store.append(
        point.model_copy(
            update={
                "key": "with-gradient",
                "label": "36",  # looks like a number, which ASE does not take for a text
                "task": point.task.model_copy(update={"driver": "gradient"}),
                "outcome": point.outcome.model_copy(update={"gradient": gradient}),
            }
        )
    )
    return list(store.query(Selection()))


def lines(records: list[TaskRecord], form: str, tmp_path: Path) -> tuple[list[str], int]:
    path = tmp_path / f"out.{form}"
    done = export(records, form, path)
    return path.read_text().splitlines(), done.left_out


@pytest.fixture
def qcschema(records, tmp_path):
    written, left_out = lines(records, "qcschema", tmp_path)
    assert left_out == 1  # the geometry model, which has no energy
    return [json.loads(line) for line in written]


def test_qcelemental_accepts_every_record_of_both_schema_versions(records, qcschema):
    from qcelemental import models

    with_energy = [each for each in records if each.task.kind != "build"]
    for record, content in zip(with_energy, qcschema, strict=True):
        if isinstance(record.outcome, Failure):
            failed = models.v1.FailedOperation(**content)
            assert failed.error.error_type == record.outcome.error_type
            assert failed.error.extras["history"] == list(record.outcome.history)
            models.v1.AtomicInput(**failed.input_data)
            continue
        atomic = models.v1.AtomicResult(**content)
        assert atomic.properties.return_energy == record.result.energy
        assert (atomic.model.method, atomic.model.basis) == (
            record.task.level.model.method,
            record.task.level.model.basis,
        )
        assert list(atomic.molecule.symbols) == list(record.molecule.symbols)
        assert np.abs(atomic.molecule.geometry - record.molecule.geometry).max() < 1e-8
        assert atomic.molecule.fix_com
        assert atomic.molecule.fix_orientation
        assert atomic.extras["qcdriver"]["key"] == record.key
        assert atomic.convert_v(2).return_result == pytest.approx(atomic.return_result)


def test_qcelemental_accepts_version_2_as_well(records, tmp_path):
    from qcelemental import models

    written, left_out = lines(records, "qcschema2", tmp_path)
    assert left_out == 1
    with_energy = [each for each in records if each.task.kind != "build"]
    for record, line in zip(with_energy, written, strict=True):
        content = json.loads(line)
        if isinstance(record.outcome, Failure):
            failed = models.v2.FailedOperation(**content)
            assert failed.error.error_type == record.outcome.error_type
            models.v2.AtomicInput(**failed.input_data)
            continue
        atomic = models.v2.AtomicResult(**content)
        level = record.task.level
        specified = atomic.input_data.specification
        assert (specified.model.method, specified.model.basis) == (level.model.method, level.model.basis)
        assert specified.keywords == level.keywords
        assert atomic.properties.return_energy == record.result.energy
        assert np.abs(atomic.molecule.geometry - record.molecule.geometry).max() < 1e-8
        assert atomic.extras["qcdriver"]["key"] == record.key
        assert atomic.convert_v(1).return_result == pytest.approx(atomic.return_result)


def test_a_gradient_is_what_qcschema_returns_when_it_was_asked_for(records, qcschema):
    assert qcschema[-1]["driver"] == "gradient"
    assert qcschema[-1]["return_result"] == records[-1].result.gradient.ravel().tolist()
    assert qcschema[-1]["properties"]["return_energy"] == records[-1].result.energy


def test_an_ase_database_gives_back_geometries_energies_and_forces(records, tmp_path):
    from ase.db import connect

    path = tmp_path / "out.db"
    done = export(records, "ase", path)
    assert done.left_out == 1  # the failure, which has no geometry
    with_geometry = [each for each in records if each.molecule is not None]
    database = connect(path)
    assert len(database) == len(with_geometry)
    for record, found in zip(with_geometry, database.select(), strict=True):
        assert found.data["key"] == record.key
        assert found.data["label"] == record.label
        atoms = found.toatoms()
        assert atoms.positions == pytest.approx(record.molecule.geometry * ANGSTROM)
        if record.result is not None:
            assert atoms.get_potential_energy() == pytest.approx(record.result.energy * EV)
    assert len(list(database.select(stage="dft", method="PBE"))) == sum(each.stage == "dft" for each in records)
    (row,) = database.select(label=36)
    assert row.toatoms().get_forces() == pytest.approx(-records[-1].result.gradient * EV / ANGSTROM)


def test_extended_xyz_is_read_by_ase_with_label_and_energy(records, tmp_path):
    from ase.io import read

    path = tmp_path / "out.xyz"
    export(records, "xyz", path)
    frames = read(path, ":")
    with_geometry = [each for each in records if each.molecule is not None]
    for frame, record in zip(frames, with_geometry, strict=True):
        assert frame.info["key"] == record.key
        assert frame.positions == pytest.approx(record.molecule.geometry * ANGSTROM, abs=1e-7)
        if record.result is not None:
            assert frame.info["energy_hartree"] == pytest.approx(record.result.energy)
            assert frame.get_potential_energy() == pytest.approx(record.result.energy * EV)
    assert frames[-1].get_forces() == pytest.approx(-records[-1].result.gradient * EV / ANGSTROM, abs=1e-7)


def test_csv_has_a_row_for_every_record_and_json_all_of_it(records, tmp_path):
    rows, _ = lines(records, "csv", tmp_path)
    table = list(csv.DictReader(io.StringIO("\n".join(rows))))
    assert [row["key"] for row in table] == [each.key for each in records]
    assert sum(bool(row["error"]) for row in table) == 1
    assert table[-1]["molecular_charge"] == str(records[-1].molecule.molecular_charge)
    assert (table[-1]["method"], table[-1]["basis"]) == (records[-1].level.model.method, records[-1].level.model.basis)
    written, _ = lines(records, "json", tmp_path)
    assert [parse_record(line.encode(), "here") for line in written] == records


def test_parquet_has_the_columns_of_the_csv_with_their_types(records, tmp_path):
    import pandas

    done = export(records, "parquet", tmp_path / "out.parquet")
    assert done == (len(records), 0)
    table = pandas.read_parquet(tmp_path / "out.parquet")
    rows, _ = lines(records, "csv", tmp_path)
    assert list(table.columns) == rows[0].split(",")
    assert list(table["key"]) == [each.key for each in records]
    assert table["energy_hartree"].dtype == float
    assert table["energy_hartree"].isna().sum() == sum(each.result is None for each in records)
    assert table["molecular_charge"][len(records) - 1] == records[-1].molecule.molecular_charge
    assert (table["method"].iloc[-1], table["basis"].iloc[-1]) == (
        records[-1].level.model.method,
        records[-1].level.model.basis,
    )


def test_without_pyarrow_one_line_says_what_to_install(records, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingError, match=r"needs pyarrow: pip install 'qcdriver\[parquet\]'"):
        export(records, "parquet", tmp_path / "out.parquet")
    assert not list(tmp_path.glob("*parquet*"))


def test_no_file_is_written_over(records, tmp_path):
    path = tmp_path / "there.db"
    path.write_text("precious")
    for form in ("ase", "qcschema"):
        with pytest.raises(InputError, match="is there already"):
            export(records, form, path)
    assert path.read_text() == "precious"
    with pytest.raises(InputError, match="cannot be written"):
        export(records, "csv", tmp_path / "no" / "folder")
    with pytest.raises(InputError, match="needs a file"):
        export(records, "ase", None)


def test_the_command_filters_exports_and_says_what_it_left_out(records, tmp_path):
    def run(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "qcdriver.cli", "records", str(tmp_path), *words]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    failed = run("--failed", "--export", "json")
    assert [json.loads(line)["outcome"]["kind"] for line in failed.stdout.splitlines()] == ["failure"]
    assert len(run("--stage", "scan", "--export", "qcschema").stdout.splitlines()) == 1
    assert len(run("--method", "PBE", "--success", "--label", "36", "--export", "xyz").stdout.splitlines()) == 6
    every = run("--export", "qcschema", "-o", str(tmp_path / "out"))
    assert every.stdout == ""
    assert "1 of 8 records have nothing to export as qcschema" in every.stderr
    assert run("--export", "csv", "--check").returncode == 2
    assert "there are build, dft" in run("--stage", "none").stderr


def test_the_results_that_were_kept_are_still_read():
    kept = Path(__file__).parents[3] / "results" / "kept" / "hooh"
    records = list(Records(kept, only_read=True).query(Selection()))
    assert len(records) == 29
    assert all(each.outcome.kind != "failure" for each in records)
    assert {type(each.outcome) for each in records if each.stage == "dft"} == {Result}
