"""Scan and DFT -> the profile or map at each level, whole: what symmetry spared stands beside what was computed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from qcdriver import engines, units
from qcdriver.models.level import Level
from qcdriver.models.molecule import Molecule
from qcdriver.models.outcomes import Relaxed, Result
from qcdriver.models.records import TaskRecord
from qcdriver.models.verdicts import Code, Purpose, Verdict
from qcdriver.store import Records
from qcdriver.systems.registry import recognise
from qcdriver.workflow.findings import Branch, BranchPoint, Dropped, MirrorCheck, Profile, ScanBreak, ScanPoint
from qcdriver.workflow.scan.grid import Grid, Index, Operation
from qcdriver.workflow.scan.landscape import Landscape, breaks
from qcdriver.workflow.scan.settings import ScanSettings

Located = Sequence[tuple[Verdict, TaskRecord]]
"""What was kept and lies on the coordinates, with its record."""


def scan_profile(
    settings: ScanSettings, landscape: Landscape, conformers: Mapping[str, TaskRecord] | None = None
) -> Profile | None:
    """Make the profile of what the scan relaxed; None when nothing was kept.

    Parameters
    ----------
    conformers
        The records of those that the scan may have started from, by their labels.
    """
    grid, points = landscape.grid, landscape.points
    if not points:
        return None
    lowest = min(point.energy for point in points.values())
    tolerance = settings.improvement_kcal_mol / units.KCAL_MOL
    level = _level(next(iter(points.values())).record)
    branches = list(_branches(landscape, conformers or {}, lowest)) if len(grid.axes) == 1 else []
    in_a_branch = {point.key for branch in branches for point in branch.points}
    if not in_a_branch >= {point.record.key for point in points.values()}:
        branches = []  # records before version 4 of their schema do not know their parents
    first = lowest_start(landscape, conformers or {}, level)
    found = []
    for index in grid:
        home, operation = grid.home(index)
        point = points.get(home)
        if point is None:
            continue
        reached = tuple(
            there + sign * (value - here)
            for there, sign, value, here in zip(
                grid.values(index), operation.signs, point.relaxed.reached, grid.values(home), strict=True
            )
        )
        sides = landscape.arrived.get(home, ()) if home == index else ()
        found.append(
            _point(point.verdict, point.record, point.relaxed.result, lowest, grid, reached).model_copy(
                update={
                    "target": shown_values(grid, grid.values(index)),
                    "slopes_kcal_mol": _slopes(grid, operation, point.relaxed),
                    "arrived_kcal_mol": tuple(
                        (_relative(below, lowest), _relative(above, lowest)) for below, above in sides
                    ),
                    "image_of": None if home == index else shown_values(grid, grid.values(home)),
                    "below_start_kcal_mol": _below(point.energy, first, tolerance),
                }
            )
        )
    return Profile(
        coordinates=_names(settings),
        level=engines.title(level),
        points=tuple(found),
        branches=tuple(branches),
        lowest_start=first[0] if first else None,
        breaks=tuple(
            ScanBreak(
                between=(_shown_place(grid, break_.between[0]), _shown_place(grid, break_.between[1])),
                off_kcal_mol=break_.off * units.KCAL_MOL,
                moved_angstrom=break_.moved_angstrom,
            )
            for break_ in breaks(landscape, tolerance)
        ),
    )


def lowest_start(landscape: Landscape, conformers: Mapping[str, TaskRecord], level: Level) -> tuple[str, float] | None:
    """Return label and energy (hartree) of the lowest conformer that a scan started from.

    None where their energies are not of the level of the scan, or none of them is known.
    """
    started = [
        (record.result.energy, label)
        for label, record in conformers.items()
        if record.key in landscape.branches and record.result and _level(record) == level
    ]
    return (min(started)[1], min(started)[0]) if started else None


def _below(energy: float, start: tuple[str, float] | None, tolerance: float) -> float | None:
    if start is None or start[1] - energy <= tolerance:
        return None
    return (start[1] - energy) * units.KCAL_MOL


def _branches(landscape: Landscape, conformers: Mapping[str, TaskRecord], lowest: float) -> Iterator[Branch]:
    """Make a branch of each conformer that is known, over the points that no symmetry spares."""
    grid = landscape.grid
    for label, record in conformers.items():
        if not (branch := landscape.branches.get(record.key)):
            continue
        yield Branch(
            conformer=label,
            key=record.key,
            points=tuple(
                BranchPoint(
                    key=point.record.key,
                    target=_shown_place(grid, index),
                    relative_energy_kcal_mol=(point.energy - lowest) * units.KCAL_MOL,
                    belt=_point_note(point.molecule),
                    lowest=landscape.points[index].record.key == point.record.key,
                )
                for index, point in sorted(branch.items())
            ),
        )


def _point_note(molecule: Molecule | None) -> str | None:
    known = None if molecule is None else recognise(molecule)
    return known.family.point_note(molecule, known.found) if known and molecule is not None else None


def _slopes(grid: Grid, operation: Operation, relaxed: Relaxed) -> tuple[float, ...]:
    """Give the slopes in kcal/mol per degree or Angstrom; none in records that do not know them."""
    per = [units.KCAL_MOL / (units.ANGSTROM if length else 1.0) for length in grid.lengths]
    known = zip(operation.signs, relaxed.slopes, per, strict=True) if relaxed.slopes else ()
    return tuple(sign * slope * factor for sign, slope, factor in known)


def dft_profile(settings: ScanSettings, grid: Grid, located: Located, targets: dict[str, Index]) -> Profile | None:
    """Make the profile of the single points; `targets`: the points of the scan by the keys of their records."""
    found = [(verdict, record, record.outcome) for verdict, record in located if isinstance(record.outcome, Result)]
    if not found:
        return None
    levels = [_level(record) for _, record, _ in found]
    assert all(level == levels[0] for level in levels), "energies of two levels in one profile"
    lowest = min(result.energy for _, _, result in found)
    points = []
    for verdict, record, result in found:
        point = _point(verdict, record, result, lowest, grid, verdict.reached or ())
        index = next((targets[parent] for parent in record.parents if parent in targets), None)
        target = None if index is None else _shown_place(grid, index)
        points.append(point.model_copy(update={"target": target}))
    points.sort(key=lambda point: point.reached)
    return Profile(coordinates=_names(settings), level=engines.title(levels[0]), points=tuple(points))


def _point(
    verdict: Verdict, record: TaskRecord, result: Result, lowest: float, grid: Grid, reached: Sequence[float]
) -> ScanPoint:
    return ScanPoint(
        label=verdict.label,
        key=verdict.key,
        target=None,
        reached=shown_values(grid, reached),
        energy_hartree=result.energy,
        relative_energy_kcal_mol=(result.energy - lowest) * units.KCAL_MOL,
        gap_ev=result.gap * units.EV if result.gap is not None else None,
        belt=_point_note(record.molecule),
        origin=verdict.origin,
        gap_of=result.orbitals_of,
    )


def scan_checks(verdicts: Sequence[Verdict], records: Records) -> list[MirrorCheck]:
    """List the points computed at the place of their mirror images, and what came out."""
    found = []
    for verdict in verdicts:
        record = records.find(verdict.key)
        if verdict.purpose is Purpose.SCAN_CHECK and isinstance(record, TaskRecord):
            found.append(
                MirrorCheck(
                    label=verdict.label,
                    key=verdict.key,
                    level=engines.title(_level(record)),
                    passed=verdict.kept,
                    verdict=verdict,
                )
            )
    return found


def holes(landscape: Landscape, verdicts: Sequence[Verdict]) -> list[Dropped]:
    """List the points of a finished scan at which no structure was kept, with the verdict on the last attempt."""
    grid, found = landscape.grid, []
    tried = {
        grid.nearest(verdict.place): verdict
        for verdict in verdicts
        if verdict.purpose is Purpose.SCAN_POINT and verdict.place
    }
    for index in grid.unique:
        if index in landscape.points:
            continue
        name = grid.shown(index)
        never = Verdict(label=name, key="", kept=False, code=Code.UNREACHED, place=grid.values(index))
        found.append(Dropped(stage="scan", label=name, verdict=tried.get(index, never)))
    return found


def shown_values(grid: Grid, values: Sequence[float]) -> tuple[float, ...]:
    """Give values in degrees and, of lengths, in Angstrom."""
    return tuple(
        value * units.ANGSTROM if length else value for value, length in zip(values, grid.lengths, strict=True)
    )


def _shown_place(grid: Grid, index: Index) -> tuple[float, ...]:
    return shown_values(grid, grid.values(index))


def _names(settings: ScanSettings) -> tuple[str, ...]:
    return tuple(
        f"{coordinate.kind}_{'angstrom' if coordinate.is_length else 'deg'}" for coordinate in settings.coordinate
    )


def _relative(energy: float | None, lowest: float) -> float | None:
    return None if energy is None else (energy - lowest) * units.KCAL_MOL


def _level(record: TaskRecord) -> Level:
    return record.task.level  # type: ignore[union-attr]  # no model is built on a profile
