"""Records -> rows: a table for a person, CSV for a spreadsheet."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from typing import TextIO

from rich import box
from rich.table import Table

from qcdriver import engines
from qcdriver.models.base import Frozen
from qcdriver.models.outcomes import Failure
from qcdriver.models.records import TaskRecord
from qcdriver.models.tasks import Build
from qcdriver.units import EV


class Row(Frozen):
    """One record at a glance; energies in hartree, `gap_ev` in eV, `wall_s` in seconds."""

    stage: str
    label: str
    kind: str
    level: str | None
    energy_hartree: float | None
    gap_ev: float | None
    error: str | None
    wall_s: float | None
    key: str
    molecular_charge: int | None = None
    molecular_multiplicity: int | None = None
    method: str | None = None
    basis: str | None = None
    solvent: str | None = None


def row(record: TaskRecord) -> Row:
    """Give the row of a record."""
    outcome, task, result = record.outcome, record.task, record.result
    level = None if isinstance(task, Build) else task.level
    molecule = record.molecule or getattr(task, "molecule", None)
    solvent = level.keywords.get("solvent") if level else None
    return Row(
        stage=record.stage,
        label=record.label,
        kind=task.kind,
        level=engines.title(level) if level else None,
        energy_hartree=result.energy if result else None,
        gap_ev=result.gap * EV if result and result.gap is not None else None,
        error=outcome.message if isinstance(outcome, Failure) else None,
        wall_s=record.provenance.wall_s if record.provenance else None,
        key=record.key,
        molecular_charge=molecule.molecular_charge if molecule else None,
        molecular_multiplicity=molecule.molecular_multiplicity if molecule else None,
        method=level.model.method if level else None,
        basis=level.model.basis if level else None,
        solvent=str(solvent) if solvent is not None else None,
    )


def table(records: Iterable[TaskRecord]) -> Table:
    """Tabulate records for a person."""
    shown = Table(box=box.SIMPLE_HEAD)
    for heading in ("stage", "label", "level"):
        shown.add_column(heading, overflow="fold")
    for heading in ("hartree", "gap eV", "wall s"):
        shown.add_column(heading, justify="right", no_wrap=True)
    shown.add_column("key")
    for cells in map(row, records):
        energy = cells.error or ("" if cells.energy_hartree is None else f"{cells.energy_hartree:.6f}")
        gap = "" if cells.gap_ev is None else f"{cells.gap_ev:.3f}"
        wall = "" if cells.wall_s is None else f"{cells.wall_s:.1f}"
        shown.add_row(cells.stage, cells.label, cells.level or cells.kind, energy, gap, wall, cells.key[:8])
    return shown


def write_csv(records: Iterable[TaskRecord], file: TextIO) -> int:
    """Write one row a record, with the names of `Row` as the header; give how many records."""
    writer = csv.DictWriter(file, fieldnames=list(Row.model_fields), lineterminator="\n")
    writer.writeheader()
    written = 0
    for written, record in enumerate(records, start=1):  # noqa: B007
        writer.writerow(row(record).model_dump())
    return written
