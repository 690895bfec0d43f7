"""Seeds and a grid -> a relaxed profile or map: asks for the rounds that the wavefront proposes, judges what came."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from qcdriver.errors import InputError
from qcdriver.geometry.bonds import broken, metal_atoms
from qcdriver.models.coordinates import held
from qcdriver.models.level import Convergence, Level
from qcdriver.models.outcomes import Relaxed
from qcdriver.models.records import TaskRecord
from qcdriver.models.tasks import Relaxation
from qcdriver.models.verdicts import Above, Code, Difference, Error, Missed, Note, Purpose, Verdict, failure
from qcdriver.optimize.driving import driven
from qcdriver.workflow.base import Job, Rounds, alone
from qcdriver.workflow.scan.grid import Grid, Index, apart
from qcdriver.workflow.scan.symmetry import all_carried
from qcdriver.workflow.scan.wavefront import Point, ScanState, Seed, Start, advanced, first_starts, next_starts

REACHED_WITHIN = 0.1
"""Degrees. A point whose measured coordinate is further from its target than this is a failure, not a point."""
REACHED_WITHIN_BOHR = 0.002
MIRRORED_WITHIN = 1e-5
"""Hartree: the energy of a point computed at the place of its mirror image must agree to this."""


@dataclass(frozen=True)
class RelaxationSettings:
    """How a point is relaxed: level, convergence, and whether the metal atoms stay where driving put them."""

    level: Level
    convergence: Convergence
    hold_metal: bool = False
    metal_bonds_to_lose: float | None = None
    """As `broken` takes it."""


@dataclass(frozen=True)
class _Attempt:
    start: Start
    record: TaskRecord
    refusal: Note | None


def scan(
    seeds: Sequence[Seed],
    grid: Grid,
    how: RelaxationSettings,
    improvement: float,
    ceiling: float | None = None,
) -> Rounds:
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
                jobs.append((start, _job(start, grid.values(start.index), label, Purpose.SCAN_POINT, how)))
            except InputError as error:  # this structure cannot be driven there; another may
                impossible.append(_impossible(start, grid, error))
        records = yield [alone(job) for _, job in jobs]
        round_ = [_judged(start, record, grid, how) for (start, _), record in zip(jobs, records, strict=True)]
        attempts += round_
        state = advanced(state, _points(round_), improvement)
        starts = next_starts(state, improvement, ceiling)
    # What was lower by less than `improvement` spread no further, but it is the lower.
    state = advanced(state, _points(attempts), 0.0)
    verdicts = [*_verdicts(state, attempts), *impossible]
    if check := _mirrored_start(state):
        point, place, start = check
        label = f"mirror image of {grid.shown(point.start.index)}, at {grid.shown(place)}"
        (record,) = yield [alone(_job(start, grid.values(place), label, Purpose.SCAN_CHECK, how))]
        verdicts.append(_check_verdict(label, grid, place, point, record))
    return verdicts


def _job(start: Start, values: Sequence[float], label: str, purpose: Purpose, how: RelaxationSettings) -> Job:
    targets = tuple(held(coordinate, value) for coordinate, value in zip(start.coordinates, values, strict=True))
    task = Relaxation(
        molecule=driven(start.molecule, targets),
        level=how.level,
        convergence=how.convergence,
        frozen_atoms=metal_atoms(start.molecule) if how.hold_metal else (),
        targets=targets,
    )
    return Job(label, task, purpose, (start.key,))


def attempt_label(start: Start, grid: Grid) -> str:
    """Name an attempt: the point, and where its structure came from."""
    return f"{grid.shown(start.index)} from {origin_of(start, grid)}"


def origin_of(start: Start, grid: Grid) -> str:
    """Name what a structure came from: its seed, and the neighbour that proposed it."""
    if start.came_from is None:
        return start.seed
    return f"{start.seed} via {'an image of ' * start.carried}{grid.shown(start.came_from)}"


def _impossible(start: Start, grid: Grid, error: InputError) -> Verdict:
    return Verdict(
        label=attempt_label(start, grid),
        key="",
        kept=False,
        code=Code.NOT_DRIVABLE,
        facts=Error(type=type(error).__name__, message=str(error)),
        purpose=Purpose.SCAN_POINT,
        place=grid.values(start.index),
        origin=origin_of(start, grid),
    )


def _points(attempts: Sequence[_Attempt]) -> list[Point]:
    return [
        Point(attempt.start, attempt.record.key, attempt.record.outcome)
        for attempt in attempts
        if attempt.refusal is None and isinstance(attempt.record.outcome, Relaxed)
    ]


def _judged(start: Start, record: TaskRecord, grid: Grid, how: RelaxationSettings) -> _Attempt:
    return _Attempt(start, record, _refusal(start, record, grid, how))


def _refusal(start: Start, record: TaskRecord, grid: Grid, how: RelaxationSettings) -> Note | None:
    if not isinstance(record.outcome, Relaxed):
        return failure(record.outcome)
    values = grid.values(start.index)
    for reached, value, length in zip(record.outcome.reached, values, grid.lengths, strict=True):
        if apart(reached, value, None if length else 360.0) > (REACHED_WITHIN_BOHR if length else REACHED_WITHIN):
            missed = Missed(target=value, reached=reached, point=grid.shown(start.index))
            return Note(code=Code.MISSED_TARGET, facts=missed)
    assert isinstance(record.task, Relaxation)
    # A driven distance breaks or makes a bond by itself: then it is so already where driving put the atoms.
    relaxed, to_lose = record.outcome.molecule, how.metal_bonds_to_lose
    damage = broken(start.molecule, relaxed, to_lose) and broken(record.task.molecule, relaxed, to_lose)
    return Note(code=Code.FELL_APART, facts=damage) if damage else None


def _verdicts(state: ScanState, attempts: Sequence[_Attempt]) -> list[Verdict]:
    verdicts = []
    for attempt in attempts:
        refusal = attempt.refusal
        relaxed = attempt.record.outcome if isinstance(attempt.record.outcome, Relaxed) else None
        best = state.best.get(attempt.start.index)
        if refusal is None and relaxed is not None and best is not None and best.key != attempt.record.key:
            above = Above(hartree=relaxed.result.energy - best.energy, against=best.start.seed)
            refusal = Note(code=Code.HIGHER_THAN_KEPT, facts=above)
        verdicts.append(
            Verdict(
                label=attempt_label(attempt.start, state.grid),
                key=attempt.record.key,
                kept=refusal is None,
                code=refusal.code if refusal else Code.KEPT,
                facts=refusal.facts if refusal else None,
                purpose=Purpose.SCAN_POINT,
                place=state.grid.values(attempt.start.index),
                reached=relaxed.reached if relaxed else None,
                origin=origin_of(attempt.start, state.grid),
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


def _check_verdict(label: str, grid: Grid, place: Index, point: Point, record: TaskRecord) -> Verdict:
    agrees = False
    if isinstance(record.outcome, Relaxed):
        off = record.outcome.result.energy - point.energy
        agrees = abs(off) <= MIRRORED_WITHIN
        difference = Difference(hartree=off, tolerance=MIRRORED_WITHIN, against=grid.shown(point.start.index))
        found = Note(code=Code.ENERGY_AGREES if agrees else Code.ENERGY_DIFFERS, facts=difference)
    else:
        found = failure(record.outcome)
    return Verdict(
        label=label,
        key=record.key,
        kept=agrees,
        code=found.code,
        facts=found.facts,
        purpose=Purpose.SCAN_CHECK,
        place=grid.values(place),
    )
