"""The state of a scan -> its next points: a pure function, so that a restart is a replay.

A scan driven from one side lags behind itself (the chloride belt of the rod does), so every point is approached from
wherever a lower structure appears: a point that is new or improved proposes its structure to its neighbours, until
nothing improves (wavefront propagation, Qiu et al. 2020, doi:10.1063/5.0009232). It proposes it also back to the point
it came from, unless energies and slopes of the two say that they lie in one valley, where nothing new is to be found.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from qcdriver.models.coordinates import Coordinate
from qcdriver.models.molecule import Molecule
from qcdriver.models.outcomes import Relaxed
from qcdriver.workflow.scan.grid import Grid, Index, Step, Values
from qcdriver.workflow.scan.symmetry import all_carried


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

    `key`: the record the structure comes from; `came_from`: the point that proposes it, None if the seed does;
    `carried`: by symmetry.
    """

    index: Index
    seed: str
    key: str
    molecule: Molecule
    coordinates: tuple[Coordinate, ...]
    came_from: Index | None
    carried: bool = False


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
        steps = state.grid.steps(index)
        starts += [
            _proposal(state.grid, point, step)
            for step in steps
            if not _one_valley(state, point, step, improvement) and not _no_gain(point, step, steps, improvement)
        ]
    return starts


def _one_valley(state: ScanState, point: Point, step: Step, improvement: float) -> bool:
    """Tell whether a step leads the way back that a point came, and it followed smoothly from its neighbour there."""
    origin, came = state.best.get(step.to), point.start
    if step.to != came.came_from or step.direct == came.carried or origin is None or origin.key != came.key:
        return False
    kink = unsmooth(point.relaxed, origin.relaxed, step, there_sign=step.operation.signs[step.axis])
    return kink is not None and abs(kink) <= improvement


def _no_gain(point: Point, step: Step, steps: Sequence[Step], improvement: float) -> bool:
    """Tell whether symmetry only leads back to where a point is, or goes anyway, and not lower.

    At a mirror plane a structure goes to a neighbour as it is, and as its mirror image: the energies of the two differ
    by twice the slope times the step, to third order. Close to the plane, the image goes to the point itself.
    """
    back = step.to == point.start.index
    if step.direct or not (
        back or any(other.direct and other.to == step.to and other.axis == step.axis for other in steps)
    ):
        return False
    slopes = point.relaxed.slopes
    return bool(slopes) and 2 * slopes[step.axis] * step.by >= -improvement


def unsmooth(here: Relaxed, there: Relaxed, step: Step, here_sign: int = 1, there_sign: int = 1) -> float | None:
    """Give what the energy of a neighbour is off the one that the slopes at both ends foretell, hartree.

    The mean of the slopes (trapezoid rule) is right to third order of the step where both lie in one valley; the signs
    are those of both structures' coordinates in this point's. None where a slope is not known.
    """
    if not here.slopes or not there.slopes:
        return None
    foretold = (here_sign * here.slopes[step.axis] + there_sign * there.slopes[step.axis]) / 2 * step.by
    return there.result.energy - here.result.energy - foretold


def _proposal(grid: Grid, point: Point, step: Step) -> Start:
    """Carry a structure to a neighbour, or to the point that symmetry makes equal to it."""
    start, molecule, coordinates = point.start, point.relaxed.molecule, point.start.coordinates
    if not step.direct:
        # Where the structure lies, seen from the point it goes to: one step before it.
        before = list(grid.values(step.to))
        before[step.axis] -= step.operation.signs[step.axis] * step.by
        molecule = molecule.mirrored() if step.operation.mirrored else molecule
        coordinates = all_carried(coordinates, step.operation, molecule, before)
    return Start(step.to, start.seed, point.key, molecule, coordinates, start.index, carried=not step.direct)


def advanced(state: ScanState, points: Sequence[Point], improvement: float) -> ScanState:
    """Take over the points that are new, or lower than the best by more than `improvement` (hartree)."""
    best, fresh = dict(state.best), set[Index]()
    for point in points:
        known = best.get(point.start.index)
        if known is None or point.energy < known.energy - improvement:
            best[point.start.index] = point
            fresh.add(point.start.index)
    return ScanState(state.grid, best, frozenset(fresh))
