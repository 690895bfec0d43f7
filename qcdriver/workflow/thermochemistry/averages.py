"""Populations of conformers, and of the points of a scan -> means of gap and coordinates, and how often a belt is."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from qcdriver import engines
from qcdriver.models.molecule import Molecule
from qcdriver.models.records import TaskRecord
from qcdriver.systems.registry import recognise
from qcdriver.units import ANGSTROM, EV, KELVIN
from qcdriver.workflow.base import RunView
from qcdriver.workflow.scan.grid import Grid, Index
from qcdriver.workflow.scan.settings import ScanSettings
from qcdriver.workflow.scan.setup import scan_grid, seeds_of
from qcdriver.workflow.scan.stage import landscape
from qcdriver.workflow.thermochemistry.contributions import structure
from qcdriver.workflow.thermochemistry.findings import Average, ConformerFreeEnergy


@dataclass(frozen=True)
class Member:
    """One structure of a landscape: gap (eV), values of the scanned coordinates, one word on its belt."""

    gap_ev: float | None
    values: tuple[float, ...]
    belt: str | None


def average(
    members: Sequence[Member], shares: Sequence[float]
) -> tuple[float | None, tuple[float, ...], dict[str, float]]:
    """Return the mean gap, the mean of each coordinate, and the percentage of each belt.

    Parameters
    ----------
    shares
        Of the members, not negative; their sum does not matter. A gap that one member lacks has no mean, as has a
        coordinate that one has no value of.
    """
    whole = sum(shares)
    parts = [share / whole for share in shares]
    gaps = [member.gap_ev for member in members]
    known = [gap for gap in gaps if gap is not None]
    gap = sum(part * gap for part, gap in zip(parts, known, strict=True)) if len(known) == len(gaps) else None
    n_values = min(len(member.values) for member in members)
    values = tuple(
        sum(part * member.values[axis] for part, member in zip(parts, members, strict=True)) for axis in range(n_values)
    )
    belts: dict[str, float] = {}
    for part, member in zip(parts, members, strict=True):
        if member.belt is not None:
            belts[member.belt] = belts.get(member.belt, 0.0) + 100 * part
    return gap, values, dict(sorted(belts.items(), key=lambda item: -item[1]))


def averages(
    run: RunView,
    records: Mapping[str, TaskRecord],
    rows: Iterable[ConformerFreeEnergy],
    temperatures_k: Sequence[float],
) -> Iterator[Average]:
    """Give the averages over the conformers by their free energies, and over the points of the scan by their energies.

    Parameters
    ----------
    records
        Of the vibrations of the conformers, by label.
    rows
        Their populations.
    """
    scan = run.table(ScanSettings)
    names = (
        tuple(f"{coordinate.kind}_{'angstrom' if coordinate.is_length else 'deg'}" for coordinate in scan.coordinate)
        if scan
        else ()
    )
    members = {label: _conformer(scan, label, record) for label, record in records.items()}
    populations = {(row.conformer, row.temperature_k): row.population_percent for row in rows}
    level = engines.title(next(iter(records.values())).level)
    for temperature in temperatures_k:
        shares = [populations[label, temperature] for label in members]
        yield _average(False, level, temperature, names, list(members.values()), shares)
    found = landscape(run)
    if found is None or not found.points:
        return
    weights = grid_weights(found.grid)
    points = {index: point for index, point in found.points.items() if weights.get(index)}
    of_points = [_member(point.record, found.grid, found.grid.values(index)) for index, point in points.items()]
    lowest = min(point.energy for point in points.values())
    for temperature in temperatures_k:
        kt = temperature / KELVIN
        shares = [weights[index] * math.exp((lowest - point.energy) / kt) for index, point in points.items()]
        level = engines.title(next(iter(points.values())).record.level)
        yield _average(True, level, temperature, names, of_points, shares)


def grid_weights(grid: Grid) -> dict[Index, float]:
    """Return how much of the grid each unique point stands for: as in the trapezoidal rule, an end of an axis half.

    An axis that a period closes without a second end has no ends.
    """
    along = []
    for axis, period in zip(grid.axes, grid.periods, strict=True):
        step = axis[1] - axis[0]
        closed = period is not None and abs(len(axis) * step - period) < 1e-6 * step
        along.append([0.5 if not closed and place in (0, len(axis) - 1) else 1.0 for place in range(len(axis))])
    weights: dict[Index, float] = {}
    for index in itertools.product(*(range(len(axis)) for axis in grid.axes)):
        home, _ = grid.home(index)
        weights[home] = weights.get(home, 0.0) + math.prod(along[axis][place] for axis, place in enumerate(index))
    return weights


def _average(
    scanned: bool,
    level: str,
    temperature_k: float,
    names: tuple[str, ...],
    members: Sequence[Member],
    shares: Sequence[float],
) -> Average:
    gap, values, belts = average(members, shares)
    return Average(
        scan_points=scanned,
        level=level,
        temperature_k=temperature_k,
        n_structures=len(members),
        gap_ev=gap,
        coordinates=dict(zip(names, values, strict=False)),
        belts_percent=belts,
    )


def _conformer(scan: ScanSettings | None, label: str, record: TaskRecord) -> Member:
    """Put a conformer on the grid's coordinates, where symmetry brings it into the part that is computed."""
    if scan is None:
        return _member(record, None, ())
    grid = scan_grid(scan, structure(record))
    return _member(record, grid, seeds_of(scan, grid, label, record.key, structure(record))[0].values)


def _member(record: TaskRecord, grid: Grid | None, values: Sequence[float]) -> Member:
    result = record.result
    gap = result.gap * EV if result and result.gap is not None else None
    lengths = grid.lengths if grid else ()
    shown = tuple(value * ANGSTROM if length else value for value, length in zip(values, lengths, strict=True))
    return Member(gap, shown, _belt(structure(record)))


def _belt(molecule: Molecule) -> str | None:
    known = recognise(molecule)
    return known.family.point_note(molecule, known.found) if known else None
