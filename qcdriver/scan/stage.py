"""Seeds and a grid -> a relaxed profile or map: asks for the rounds that the wavefront proposes, judges what came."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from qcdriver import units
from qcdriver.errors import InputError
from qcdriver.relaxation.driving import driven
from qcdriver.scan.grid import Grid, Index, apart
from qcdriver.scan.symmetry import all_carried
from qcdriver.scan.wavefront import Point, ScanState, Seed, Start, advanced, first_starts, next_starts
from qcdriver.schema import Convergence, Failure, Level, Relaxation, Relaxed, TaskRecord, Verdict, held
from qcdriver.stage import Job, Stage, alone
from qcdriver.structures.bonds import broken, metal_atoms

REACHED_WITHIN = 0.1
"""Degrees. A point whose measured coordinate is further from its target than this is a failure, not a point."""
REACHED_WITHIN_BOHR = 0.002
MIRROR_LABEL = "mirror image of "
MIRRORED_WITHIN = 1e-5
"""Hartree: the energy of a point computed at the place of its mirror image must agree to this."""


@dataclass(frozen=True)
class How:
    """How a point is relaxed: level, convergence, and whether the metal atoms stay where driving put them."""

    level: Level
    convergence: Convergence
    hold_metal: bool = False


@dataclass(frozen=True)
class _Attempt:
    start: Start
    record: TaskRecord
    refusal: str | None


def scan(
    seeds: Sequence[Seed],
    grid: Grid,
    how: How,
    improvement: float,
    ceiling: float | None = None,
) -> Stage:
    """Relax over the grid until no point improves, then one point more at the place of its mirror image, as a check.

    Parameters
    ----------
    improvement, ceiling
        By how much a point must beat the best to spread from there, and how far above the lowest it may lie for that;
        hartree.

    Returns
    -------
    A verdict on every attempt; the kept ones are the profile, at most one for each unique point, and lie where
    `reached` says. The check is kept if it agrees, and has no `reached`.
    """
    state = ScanState(grid, {}, frozenset())
    starts = first_starts(seeds, grid)
    attempts: list[_Attempt] = []
    impossible: list[Verdict] = []
    while starts:
        jobs: list[tuple[Start, Job]] = []
        for start in starts:
            label = attempt_label(start, grid)
            try:
                jobs.append((start, _job(start, grid.values(start.index), label, how)))
            except InputError as error:  # this structure cannot be driven there; another may
                impossible.append(Verdict(label=label, key="", kept=False, reason=str(error)))
        records = yield [alone(job) for _, job in jobs]
        round_ = [_judged(start, record, grid) for (start, _), record in zip(jobs, records, strict=True)]
        attempts += round_
        state = advanced(state, _points(round_), improvement)
        starts = next_starts(state, improvement, ceiling)
    # What was lower by less than `improvement` spread no further, but it is the lower.
    state = advanced(state, _points(attempts), 0.0)
    verdicts = [*_verdicts(state, attempts), *impossible]
    if check := _mirrored_start(state):
        point, place, start = check
        label = f"{MIRROR_LABEL}{grid.shown(point.start.index)}, at {grid.shown(place)}"
        (record,) = yield [alone(_job(start, grid.values(place), label, how))]
        verdicts.append(_mirror_verdict(label, point, record))
    return verdicts


def _job(start: Start, values: Sequence[float], label: str, how: How) -> Job:
    targets = tuple(held(coordinate, value) for coordinate, value in zip(start.coordinates, values, strict=True))
    task = Relaxation(
        molecule=driven(start.molecule, targets),
        level=how.level,
        convergence=how.convergence,
        frozen_atoms=metal_atoms(start.molecule) if how.hold_metal else (),
        targets=targets,
    )
    return Job(label, task, (start.key,))


def attempt_label(start: Start, grid: Grid) -> str:
    """Name an attempt: the point, and where its structure came from."""
    way = "" if start.came_from is None else f" via {'an image of ' * start.carried}{grid.shown(start.came_from)}"
    return f"{grid.shown(start.index)} from {start.seed}{way}"


def _points(attempts: Sequence[_Attempt]) -> list[Point]:
    return [
        Point(each.start, each.record.key, each.record.outcome)
        for each in attempts
        if each.refusal is None and isinstance(each.record.outcome, Relaxed)
    ]


def _judged(start: Start, record: TaskRecord, grid: Grid) -> _Attempt:
    return _Attempt(start, record, _refusal(start, record, grid))


def _refusal(start: Start, record: TaskRecord, grid: Grid) -> str | None:
    if isinstance(record.outcome, Failure):
        return f"not converged: {record.outcome.message}"
    if not isinstance(record.outcome, Relaxed):
        return "no relaxation"
    values = grid.values(start.index)
    for reached, value, length in zip(record.outcome.reached, values, grid.lengths, strict=True):
        if apart(reached, value, None if length else 360.0) > (REACHED_WITHIN_BOHR if length else REACHED_WITHIN):
            return f"reached {reached:.2f} instead of {value:g} ({grid.shown(start.index)})"
    assert isinstance(record.task, Relaxation)
    # A driven distance breaks or makes a bond by itself: then it is so already where driving put the atoms.
    damage = broken(start.molecule, record.outcome.molecule) and broken(record.task.molecule, record.outcome.molecule)
    return f"fell apart: {damage}" if damage else None


def _verdicts(state: ScanState, attempts: Sequence[_Attempt]) -> list[Verdict]:
    verdicts = []
    for each in attempts:
        reason = each.refusal
        relaxed = each.record.outcome if isinstance(each.record.outcome, Relaxed) else None
        best = state.best.get(each.start.index)
        if reason is None and relaxed is not None and best is not None and best.key != each.record.key:
            above = (relaxed.result.energy - best.energy) * units.KCAL_MOL
            reason = f"{above:+.2f} kcal/mol against the structure from {best.start.seed}, which was kept"
        verdicts.append(
            Verdict(
                label=attempt_label(each.start, state.grid),
                key=each.record.key,
                kept=reason is None,
                reason=reason,
                reached=relaxed.reached if relaxed else None,
            )
        )
    return verdicts


def _mirrored_start(state: ScanState) -> tuple[Point, Index, Start] | None:
    """Choose a point of those that symmetry spared, the middle one, and carry its twin's structure there."""
    grid = state.grid
    spared = [index for index in grid if grid.home(index)[0] != index and grid.home(index)[0] in state.best]
    if not spared:
        return None
    place = spared[len(spared) // 2]
    home, operation = grid.home(place)
    point = state.best[home]
    molecule = point.relaxed.molecule.mirrored() if operation.mirrored else point.relaxed.molecule
    coordinates = all_carried(point.start.coordinates, operation, molecule, grid.values(place))
    return point, place, Start(place, point.start.seed, point.key, molecule, coordinates, home)


def _mirror_verdict(label: str, point: Point, record: TaskRecord) -> Verdict:
    if not isinstance(record.outcome, Relaxed):
        reason = record.outcome.message if isinstance(record.outcome, Failure) else "no relaxation"
        return Verdict(label=label, key=record.key, kept=False, reason=reason)
    off = record.outcome.result.energy - point.energy
    finding = f"computed, its energy differs by {off:.1e} hartree"
    return Verdict(label=label, key=record.key, kept=abs(off) <= MIRRORED_WITHIN, reason=finding)
