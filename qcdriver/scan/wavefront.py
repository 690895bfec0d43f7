"""The state of a scan -> its next points: a pure function, so that a restart is a replay.

A scan driven from one side lags behind itself (the chloride belt of the rod does), so every point is approached from
wherever a lower structure appears: a point that is new or improved proposes its structure to its neighbours, until
nothing improves (wavefront propagation, Qiu et al. 2020, doi:10.1063/5.0009232). It proposes it also back to the point
it came from, unless energies and slopes of the two say that they lie in one valley, where nothing new is to be found.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from qcdriver.scan.grid import Grid, Index, Step, Values
from qcdriver.scan.symmetry import all_carried
from qcdriver.schema import Coordinate, Molecule, Relaxed


@dataclass(frozen=True)
class Seed:
    """A structure to start from, the key of its record, the coordinates in its numbering of atoms, their values."""

    label: str
    key: str
    molecule: Molecule
    coordinates: tuple[Coordinate, ...]
    values: Values


@dataclass(frozen=True)
class Start:
    """A proposal: relax this structure at the point `index`.

    `key`: the record the structure comes from; `came_from`: the point that proposes it, None if the seed does.
    """

    index: Index
    seed: str
    key: str
    molecule: Molecule
    coordinates: tuple[Coordinate, ...]
    came_from: Index | None


@dataclass(frozen=True)
class Point:
    """The lowest structure known at a point of the grid."""

    start: Start
    key: str
    relaxed: Relaxed

    @property
    def energy(self) -> float:
        """In hartree."""
        return self.relaxed.result.energy


@dataclass(frozen=True)
class ScanState:
    """The best of every point, and which were new or improved in the last round."""

    grid: Grid
    best: Mapping[Index, Point]
    fresh: frozenset[Index]


def first_starts(seeds: Sequence[Seed], grid: Grid) -> list[Start]:
    """Place each seed on the point nearest to its own values."""
    return [
        Start(grid.nearest(seed.values), seed.label, seed.key, seed.molecule, seed.coordinates, None) for seed in seeds
    ]


def next_starts(state: ScanState, improvement: float, ceiling: float | None) -> list[Start]:
    """Propose every fresh point's structure to its neighbours.

    Parameters
    ----------
    improvement
        What counts as lower, hartree.
    ceiling
        Points that lie higher above the lowest (hartree) propose nothing; None: all do.
    """
    lowest = min((point.energy for point in state.best.values()), default=0.0)
    starts = []
    for index in sorted(state.fresh):
        point = state.best[index]
        if ceiling is not None and point.energy > lowest + ceiling:
            continue
        for step in state.grid.steps(index):
            home, _ = state.grid.home(step.to)
            if home == index or _one_valley(state, point, step, home, improvement):
                continue
            starts.append(_proposal(state.grid, point, step))
    return starts


def _one_valley(state: ScanState, point: Point, step: Step, neighbour: Index, improvement: float) -> bool:
    """Tell whether a point followed smoothly from the neighbour it came from."""
    origin = state.best.get(neighbour)
    if neighbour != point.start.came_from or origin is None or origin.key != point.start.key:
        return False
    kink = unsmooth(point.relaxed, origin.relaxed, step, state.grid.home(step.to)[1].signs[step.axis])
    return kink is not None and abs(kink) <= improvement


def unsmooth(here: Relaxed, there: Relaxed, step: Step, sign: int = 1) -> float | None:
    """Give what the energy of a neighbour is off the one that the slopes at both ends foretell, hartree.

    The mean of the slopes (trapezoid rule) is right to third order of the step where both lie in one valley; `sign` is
    that of the neighbour's coordinate in this point's. None where a slope is not known.
    """
    if not here.slopes or not there.slopes:
        return None
    foretold = (here.slopes[step.axis] + sign * there.slopes[step.axis]) / 2 * step.by
    return there.result.energy - here.result.energy - foretold


def _proposal(grid: Grid, point: Point, step: Step) -> Start:
    """Carry a structure to a neighbour, or to the point that symmetry makes equal to it."""
    home, operation = grid.home(step.to)
    start, molecule, coordinates = point.start, point.relaxed.molecule, point.start.coordinates
    values = grid.values(home)
    # Where the structure lies, seen from the point it goes to: one step before it.
    before = list(values)
    before[step.axis] -= operation.signs[step.axis] * step.by
    if operation.mirrored:
        molecule = molecule.mirrored()
    if home != step.to or step.round:
        coordinates = all_carried(coordinates, operation, molecule, before)
    return Start(home, start.seed, point.key, molecule, coordinates, start.index)


def advanced(state: ScanState, points: Sequence[Point], improvement: float) -> ScanState:
    """Take over the points that are new, or lower than the best by more than `improvement` (hartree)."""
    best, fresh = dict(state.best), set[Index]()
    for point in points:
        known = best.get(point.start.index)
        if known is None or point.energy < known.energy - improvement:
            best[point.start.index] = point
            fresh.add(point.start.index)
    return ScanState(state.grid, best, frozenset(fresh))
