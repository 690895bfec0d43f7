"""Records -> what other programs read: JSON lines, CSV, extended XYZ; and a table for a person."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, TextIO

from rich import box
from rich.table import Table

from qcdriver.schema import Build, Built, Failure, Frozen, Molecule, Relaxed, Result, TaskRecord
from qcdriver.units import ANGSTROM, EV

if TYPE_CHECKING:
    from ase import Atoms


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


def row(record: TaskRecord) -> Row:
    """Give the row of a record."""
    outcome, task = record.outcome, record.task
    result = outcome.result if isinstance(outcome, Relaxed) else outcome if isinstance(outcome, Result) else None
    return Row(
        stage=record.stage,
        label=record.label,
        kind=task.kind,
        level=None if isinstance(task, Build) else task.level.title,
        energy_hartree=result.energy if result else None,
        gap_ev=result.gap * EV if result and result.gap is not None else None,
        error=outcome.message if isinstance(outcome, Failure) else None,
        wall_s=record.provenance.wall_s if record.provenance else None,
        key=record.key,
    )


def geometry(record: TaskRecord) -> Molecule | None:
    """Give the geometry a record ends with; None when a task failed before it had one."""
    if isinstance(record.outcome, Relaxed | Built):
        return record.outcome.molecule
    return record.task.molecule if isinstance(record.outcome, Result) and not isinstance(record.task, Build) else None


def table(records: Iterable[TaskRecord]) -> Table:
    """Tabulate records for a person."""
    shown = Table(box=box.SIMPLE_HEAD)
    for heading in ("stage", "label", "level"):
        shown.add_column(heading, overflow="fold")
    for heading in ("hartree", "gap eV", "wall s"):
        shown.add_column(heading, justify="right", no_wrap=True)
    shown.add_column("key")
    for each in map(row, records):
        energy = each.error or ("" if each.energy_hartree is None else f"{each.energy_hartree:.6f}")
        gap = "" if each.gap_ev is None else f"{each.gap_ev:.3f}"
        wall = "" if each.wall_s is None else f"{each.wall_s:.1f}"
        shown.add_row(each.stage, each.label, each.level or each.kind, energy, gap, wall, each.key[:8])
    return shown


def write_csv(records: Iterable[TaskRecord], file: TextIO) -> None:
    """Write one row a record, with the names of `Row` as the header."""
    writer = csv.DictWriter(file, fieldnames=list(Row.model_fields), lineterminator="\n")
    writer.writeheader()
    writer.writerows(row(record).model_dump() for record in records)


def write_xyz(records: Iterable[TaskRecord], file: TextIO) -> None:
    """Write the geometry of every record that has one: extended XYZ, Angstrom, with label, level and energy."""
    from ase.io import write

    for atoms in _frames(records):
        write(file, atoms, format="extxyz")


def _frames(records: Iterable[TaskRecord]) -> Iterator[Atoms]:
    from ase import Atoms

    for record in records:
        molecule = geometry(record)
        if molecule is None:
            continue
        atoms = Atoms(molecule.symbols, positions=molecule.geometry * ANGSTROM)
        atoms.info.update(charge=molecule.molecular_charge, multiplicity=molecule.molecular_multiplicity)
        shown = row(record)
        atoms.info.update(stage=shown.stage, label=shown.label, key=shown.key)
        if shown.energy_hartree is not None:
            atoms.info.update(level=shown.level, energy_hartree=shown.energy_hartree)
        yield atoms
