"""Scan and DFT -> the profile or map at each level, whole: what symmetry spared stands beside what was computed."""

from __future__ import annotations

from collections.abc import Sequence

from qcdriver import units
from qcdriver.config.scan import ScanSettings
from qcdriver.findings import Dropped, MirrorCheck, Profile, ScanBreak, ScanPoint
from qcdriver.landscape.points import Landscape, breaks
from qcdriver.records import Records
from qcdriver.scan.grid import Grid, Index, Operation
from qcdriver.scan.stage import MIRROR_LABEL
from qcdriver.schema import Level, Relaxed, Result, TaskRecord, Verdict
from qcdriver.structures.rod import find_rod, measure_rod

Located = Sequence[tuple[Verdict, TaskRecord]]
"""What was kept and lies on the coordinates, with its record."""


def scan_profile(settings: ScanSettings, landscape: Landscape) -> Profile | None:
    """Make the profile of what the scan relaxed; None when nothing was kept."""
    grid, points = landscape.grid, landscape.points
    if not points:
        return None
    lowest = min(point.energy for point in points.values())
    tolerance = settings.improvement_kcal_mol / units.KCAL_MOL
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
                }
            )
        )
    return Profile(
        coordinates=_names(settings),
        level=_level(next(iter(points.values())).record).title,
        points=tuple(found),
        breaks=tuple(
            ScanBreak(
                between=(_shown_place(grid, each.between[0]), _shown_place(grid, each.between[1])),
                off_kcal_mol=each.off * units.KCAL_MOL,
                moved_angstrom=each.moved_angstrom,
            )
            for each in breaks(landscape, tolerance)
        ),
    )


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
    return Profile(coordinates=_names(settings), level=levels[0].title, points=tuple(points))


def _point(
    verdict: Verdict, record: TaskRecord, result: Result, lowest: float, grid: Grid, reached: Sequence[float]
) -> ScanPoint:
    molecule = record.molecule
    rod = molecule is not None and find_rod(molecule) is not None
    return ScanPoint(
        label=verdict.label,
        key=verdict.key,
        target=None,
        reached=shown_values(grid, reached),
        energy_hartree=result.energy,
        relative_energy_kcal_mol=(result.energy - lowest) * units.KCAL_MOL,
        gap_ev=result.gap * units.EV if result.gap is not None else None,
        belt=measure_rod(molecule).belt if rod and molecule is not None else None,
    )


def scan_checks(verdicts: Sequence[Verdict], records: Records) -> list[MirrorCheck]:
    """List the points computed at the place of their mirror images, and what came out."""
    found = []
    for verdict in verdicts:
        record = records.find(verdict.key)
        if verdict.label.startswith(MIRROR_LABEL) and isinstance(record, TaskRecord):
            found.append(
                MirrorCheck(
                    label=verdict.label,
                    key=verdict.key,
                    level=_level(record).title,
                    passed=verdict.kept,
                    finding=str(verdict.reason),
                )
            )
    return found


def holes(landscape: Landscape, verdicts: Sequence[Verdict]) -> list[Dropped]:
    """List the points of a finished scan at which no structure was kept, with the last reason why not."""
    found = []
    for index in landscape.grid.unique:
        if index in landscape.points:
            continue
        name = landscape.grid.shown(index)
        tried = [each for each in verdicts if each.label.startswith(f"{name} from ")]
        reason = tried[-1].reason if tried else "no neighbour has a structure to start from"
        found.append(Dropped(stage="scan", label=name, reason=str(reason)))
    return found


def shown_values(grid: Grid, values: Sequence[float]) -> tuple[float, ...]:
    """Give values in degrees and, of lengths, in Angstrom."""
    return tuple(
        value * units.ANGSTROM if length else value for value, length in zip(values, grid.lengths, strict=True)
    )


def _shown_place(grid: Grid, index: Index) -> tuple[float, ...]:
    return shown_values(grid, grid.values(index))


def _names(settings: ScanSettings) -> tuple[str, ...]:
    return tuple(f"{each.kind}_{'angstrom' if each.is_length else 'deg'}" for each in settings.coordinate)


def _relative(energy: float | None, lowest: float) -> float | None:
    return None if energy is None else (energy - lowest) * units.KCAL_MOL


def _level(record: TaskRecord) -> Level:
    return record.task.level  # type: ignore[union-attr]  # no model is built on a profile
