"""Records -> ASE's atoms (Angstrom, eV): extended XYZ, or an ASE database. A record without a geometry is left out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from qcdriver.models.molecule import Molecule
from qcdriver.models.records import TaskRecord
from qcdriver.models.tasks import Build
from qcdriver.report.exports.rows import row
from qcdriver.units import ANGSTROM, EV

if TYPE_CHECKING:
    from ase import Atoms


def write_xyz(records: Iterable[TaskRecord], file: TextIO) -> int:
    """Write the geometry of every record that has one; give how many.

    Energy (eV), forces (eV/Angstrom) and charges (e) are results of a calculator, as ASE reads them; label, level and
    the energy in hartree stand beside.
    """
    from ase.calculators.singlepoint import SinglePointCalculator
    from ase.io import write

    written = 0
    for record, molecule in _with_geometry(records):
        atoms = _atoms(molecule)
        atoms.info.update(charge=molecule.molecular_charge, multiplicity=molecule.molecular_multiplicity)
        if results := _results(record):
            atoms.calc = SinglePointCalculator(atoms, **results)
        shown = row(record)
        atoms.info.update(stage=shown.stage, label=shown.label, key=shown.key)
        if shown.energy_hartree is not None:
            atoms.info.update(level=shown.level, energy_hartree=shown.energy_hartree)
        write(file, atoms, format="extxyz")
        written += 1
    return written


def write_ase(records: Iterable[TaskRecord], path: Path) -> int:
    """Write an ASE database of every record that has a geometry; give how many.

    Energy, forces and charges are a calculator's results in ASE's units; stage, label, method, basis, engine, charge
    and multiplicity can be selected by; `data` has the key and the label as it is.
    """
    from ase.calculators.singlepoint import SinglePointCalculator
    from ase.db import connect

    written = 0
    with connect(path, type="db", append=False) as database:
        for record, molecule in _with_geometry(records):
            atoms = _atoms(molecule)
            results = _results(record)
            if results:
                atoms.calc = SinglePointCalculator(atoms, **results)
            data = {"key": record.key, "label": record.label, "parents": list(record.parents)}
            database.write(atoms, key_value_pairs=_selectable(record, molecule), data=data)
            written += 1
    return written


def _with_geometry(records: Iterable[TaskRecord]) -> Iterator[tuple[TaskRecord, Molecule]]:
    for record in records:
        if record.molecule is not None:
            yield record, record.molecule


def _atoms(molecule: Molecule) -> Atoms:
    from ase import Atoms

    return Atoms(molecule.symbols, positions=molecule.geometry * ANGSTROM)


def _results(record: TaskRecord) -> dict[str, object]:
    """Give what a record says of its geometry, in eV, eV/Angstrom and e."""
    result = record.result
    if result is None:
        return {}
    results: dict[str, object] = {"energy": result.energy * EV}
    if result.gradient is not None:
        results["forces"] = -result.gradient * (EV / ANGSTROM)
    if result.mulliken_charges is not None:
        results["charges"] = result.mulliken_charges
    return results


def _selectable(record: TaskRecord, molecule: Molecule) -> dict[str, str | int | float]:
    pairs: dict[str, str | None] = {"stage": record.stage, "label": record.label, "kind": record.task.kind}
    if not isinstance(record.task, Build):
        level = record.task.level
        pairs |= {"engine": level.engine, "method": level.model.method, "basis": level.model.basis}
    found: dict[str, str | int | float] = {
        "molecular_charge": molecule.molecular_charge,
        "molecular_multiplicity": molecule.molecular_multiplicity,
    }
    for name, text in pairs.items():
        value = None if text is None else _as_ase_wants(text)
        if value is not None:
            found[name] = value
    return found


def _as_ase_wants(text: str) -> str | int | float | None:
    """Give a text, or the number it looks like, because ASE refuses such texts; None for what is no number either."""
    try:
        number = float(text)
    except ValueError:
        return int(text == "True") if text in ("True", "False") else text
    if not isfinite(number):
        return None
    return int(number) if number.is_integer() else number
