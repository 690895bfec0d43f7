"""Seeds and a grid -> a relaxed profile: `next_starts` is a pure function from the state of a scan to its next points.

A scan driven from one side lags behind itself (the chloride belt of the rod does), so every point is approached from
wherever a lower structure appears: a point that is new or improved proposes its structure to its neighbours, until
nothing improves (wavefront propagation, Qiu et al. 2020, doi:10.1063/5.0009232). Because the state follows from the
records, a restart is a replay.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from qcdriver import units
from qcdriver.errors import InputError
from qcdriver.relaxation.coordinates import driven
from qcdriver.schema import (
    Convergence,
    Coordinate,
    Failure,
    Level,
    Molecule,
    Relaxation,
    Relaxed,
    Target,
    TaskRecord,
    Verdict,
)
from qcdriver.stage import Job, Stage, alone
from qcdriver.structures.bonds import broken, metal_atoms

REACHED_WITHIN_DEG = 0.1
"""A point whose measured coordinate is further from its target than this is a failure, not a point."""


@dataclass(frozen=True)
class Seed:
    """A structure to start from, the key of its record, and the coordinate in its numbering of atoms with its value."""

    label: str
    key: str
    molecule: Molecule
    coordinate: Coordinate
    value_deg: float


@dataclass(frozen=True)
class Start:
    """A proposal: relax this structure at grid point `index`.

    `key`: the record the structure comes from; `came_from`: the grid point that proposes it, None if the seed does.
    """

    index: int
    seed: str
    key: str
    molecule: Molecule
    coordinate: Coordinate
    came_from: int | None


@dataclass(frozen=True)
class Point:
    """The lowest structure known at a grid value."""

    start: Start
    key: str
    relaxed: Relaxed

    @property
    def energy(self) -> float:
        """In hartree."""
        return self.relaxed.result.energy


@dataclass(frozen=True)
class ScanState:
    """The best of every grid point, and which were new or improved in the last round."""

    grid_deg: tuple[float, ...]
    best: Mapping[int, Point]
    fresh: frozenset[int]


def apart_deg(a_deg: float, b_deg: float) -> float:
    """Give the distance of two values of one coordinate in one numbering of atoms: 0 to 180 deg."""
    return abs((a_deg - b_deg + 180.0) % 360.0 - 180.0)


def first_starts(seeds: Sequence[Seed], grid_deg: Sequence[float]) -> list[Start]:
    """Place each seed on the grid value nearest to its own."""
    starts = []
    for seed in seeds:
        distance = [apart_deg(seed.value_deg, value) for value in grid_deg]
        index = distance.index(min(distance))
        starts.append(Start(index, seed.label, seed.key, seed.molecule, seed.coordinate, None))
    return starts


def next_starts(state: ScanState) -> list[Start]:
    """Propose every fresh point's structure to its neighbours on the grid, save the one it came from."""
    starts = []
    for index in sorted(state.fresh):
        point = state.best[index]
        starts += [
            Start(neighbour, point.start.seed, point.key, point.relaxed.molecule, point.start.coordinate, index)
            for neighbour in (index - 1, index + 1)
            if 0 <= neighbour < len(state.grid_deg) and neighbour != point.start.came_from
        ]
    return starts


def advanced(state: ScanState, points: Sequence[Point], improvement: float) -> ScanState:
    """Take over the points that are new, or lower than the best by more than `improvement` (hartree)."""
    best, fresh = dict(state.best), set[int]()
    for point in points:
        known = best.get(point.start.index)
        if known is None or point.energy < known.energy - improvement:
            best[point.start.index] = point
            fresh.add(point.start.index)
    return ScanState(state.grid_deg, best, frozenset(fresh))


def scan(
    seeds: Sequence[Seed],
    grid_deg: Sequence[float],
    level: Level,
    convergence: Convergence,
    improvement: float,
    hold_metal: bool = False,
) -> Stage:
    """Relax along the grid until no point improves.

    Parameters
    ----------
    grid_deg
        Values of the coordinate, rising.
    convergence, improvement
        Of each relaxation, and by how much (hartree) a point must beat the best to spread from there.
    hold_metal
        The metal atoms stay where driving put them; everything else relaxes. Without it, all but the coordinate does.

    Returns
    -------
    A verdict on every attempt; the kept ones are the profile, at most one for each grid value.
    """
    state = ScanState(tuple(grid_deg), {}, frozenset())
    starts = first_starts(seeds, grid_deg)
    attempts: list[tuple[Start, TaskRecord, str | None]] = []
    impossible: list[Verdict] = []
    found: list[Point] = []
    while starts:
        jobs: list[tuple[Start, Job]] = []
        for start in starts:
            try:
                jobs.append((start, _job(start, state.grid_deg, level, convergence, hold_metal)))
            except InputError as error:  # this structure cannot be driven there; another may
                label = attempt_label(start, state.grid_deg)
                impossible.append(Verdict(label=label, key="", kept=False, reason=str(error)))
        points = []
        records = yield [alone(job) for _, job in jobs]
        for (start, _), record in zip(jobs, records, strict=True):
            reason = _refusal(start, record, state.grid_deg[start.index])
            attempts.append((start, record, reason))
            if reason is None and isinstance(record.outcome, Relaxed):
                points.append(Point(start, record.key, record.outcome))
        found += points
        state = advanced(state, points, improvement)
        starts = next_starts(state)
    # What was lower by less than `improvement` spread no further, but it is the lower.
    return [*_verdicts(advanced(state, found, 0.0), attempts), *impossible]


def _job(start: Start, grid_deg: tuple[float, ...], level: Level, convergence: Convergence, hold_metal: bool) -> Job:
    value = grid_deg[start.index]
    task = Relaxation(
        molecule=driven(start.molecule, start.coordinate, value),
        level=level,
        convergence=convergence,
        frozen_atoms=metal_atoms(start.molecule) if hold_metal else (),
        targets=(Target(coordinate=start.coordinate, value_deg=value),),
    )
    return Job(attempt_label(start, grid_deg), task, (start.key,))


def attempt_label(start: Start, grid_deg: tuple[float, ...]) -> str:
    """Name an attempt: the grid value, and where its structure came from."""
    origin = start.seed if start.came_from is None else f"{start.seed} via {grid_deg[start.came_from]:g}"
    return f"{grid_deg[start.index]:g} deg from {origin}"


def _refusal(start: Start, record: TaskRecord, value_deg: float) -> str | None:
    if isinstance(record.outcome, Failure):
        return f"not converged: {record.outcome.message}"
    if isinstance(record.outcome, Relaxed):
        reached = record.outcome.reached_deg[0]
        if apart_deg(reached, value_deg) > REACHED_WITHIN_DEG:
            return f"reached {reached:.2f} deg instead of {value_deg:g}"
        damage = broken(start.molecule, record.outcome.molecule)
        return f"fell apart: {damage}" if damage else None
    return "no relaxation"


def _verdicts(state: ScanState, attempts: Sequence[tuple[Start, TaskRecord, str | None]]) -> list[Verdict]:
    verdicts = []
    for start, record, refusal in attempts:
        reason = refusal
        relaxed = record.outcome if isinstance(record.outcome, Relaxed) else None
        best = state.best.get(start.index)
        if reason is None and relaxed is not None and best is not None and best.key != record.key:
            above = (relaxed.result.energy - best.energy) * units.KCAL_MOL
            reason = f"{above:+.2f} kcal/mol against the structure from {best.start.seed}, which was kept"
        verdicts.append(
            Verdict(
                label=attempt_label(start, state.grid_deg),
                key=record.key,
                kept=reason is None,
                reason=reason,
                value_deg=relaxed.reached_deg[0] if relaxed else None,
            )
        )
    return verdicts
