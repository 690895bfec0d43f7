"""The records of a scan -> its points on the grid: what lies where, from which side it was reached, where it breaks.

A profile is honest if it says what it is made of. A point was proposed from below and from above, and the two may end
in different structures (hysteresis); between neighbours the energy must follow from the slopes at both, or a structure
has changed in between.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from qcdriver.geometry.alignment import align
from qcdriver.models.coordinates import held
from qcdriver.models.molecule import Molecule
from qcdriver.models.outcomes import Relaxed
from qcdriver.models.records import TaskRecord
from qcdriver.models.tasks import Relaxation
from qcdriver.models.verdicts import Code, Verdict
from qcdriver.optimize.driving import driven
from qcdriver.store import Records
from qcdriver.units import ANGSTROM, KCAL_MOL
from qcdriver.workflow.scan.grid import Grid, Index, Operation, Step
from qcdriver.workflow.scan.network import GridNetwork
from qcdriver.workflow.scan.settings import ScanSettings
from qcdriver.workflow.scan.unfolding import unfolded_network
from qcdriver.workflow.scan.wavefront import unsmooth


@dataclass(frozen=True)
class ScannedPoint:
    """A point of a scan that was kept: its verdict and its record."""

    verdict: Verdict
    record: TaskRecord
    relaxed: Relaxed

    @property
    def energy(self) -> float:
        """In hartree."""
        return self.relaxed.result.energy

    @property
    def molecule(self) -> Molecule:
        """The relaxed structure."""
        return self.relaxed.molecule


@dataclass(frozen=True)
class Break:
    """Two neighbours that no smooth valley connects; or one point twice, where none leads from it to its own image.

    `off`: what the energy of the second is off the one that the slopes foretell, hartree; `moved_angstrom`: the largest
    distance of an atom of the first, driven to the second, from its place there; None if only a rod's other end is the
    image.
    """

    between: tuple[Index, Index]
    off: float
    moved_angstrom: float | None


@dataclass(frozen=True)
class Landscape:
    """The unique points of a grid that have a structure, and from where they were reached.

    `arrived`: of each point the lowest energies (hartree) of the structures that came from neighbours with lower and
    with higher values of each coordinate; None where none came, or the seed did. `branches`: by the key of the seed's
    record, the lowest structure at each point that descends from that seed, whether it was kept or not.
    """

    grid: Grid
    points: Mapping[Index, ScannedPoint]
    arrived: Mapping[Index, tuple[tuple[float | None, float | None], ...]]
    branches: Mapping[str, Mapping[Index, ScannedPoint]] = field(default_factory=dict)

    @cached_property
    def network(self) -> GridNetwork:
        """Minima and passes of the grid as it is, nothing refined; ripples below the scan's own noise are left out."""
        energies = {index: point.energy for index, point in self.points.items()}
        return unfolded_network(self.grid, energies, ripple=RIPPLE / KCAL_MOL)


RIPPLE = 0.2
"""kcal/mol. A basin of the grid shallower than this is none: relaxations of one structure end as far apart."""


OWN_IMAGE_ANGSTROM = 0.1
"""A structure as near as this to its image is symmetric, and what slope it has left is that of its residual forces."""


def read_landscape(grid: Grid, verdicts: Sequence[Verdict], records: Records) -> Landscape:
    """Put what a scan kept on its grid."""
    points: dict[Index, ScannedPoint] = {}
    arrived: dict[Index, list[list[float | None]]] = {}
    branches: dict[str, dict[Index, ScannedPoint]] = {}
    for verdict in verdicts:
        record = records.find(verdict.key)
        if verdict.reached is None or not isinstance(record, TaskRecord) or not isinstance(record.outcome, Relaxed):
            continue
        index = _index(grid, record)
        point = ScannedPoint(verdict, record, record.outcome)
        if verdict.kept:
            points[index] = point
        if verdict.kept or verdict.code is Code.HIGHER_THAN_KEPT:
            branch = branches.setdefault(_seed_of(record, records), {})
            if index not in branch or point.energy < branch[index].energy:
                branch[index] = point
        if came := _came_from(grid, index, record, records):
            energy = record.outcome.result.energy
            sides = arrived.setdefault(index, [[None, None] for _ in grid.axes])
            axis, side = came
            known = sides[axis][side]
            sides[axis][side] = energy if known is None else min(known, energy)
    sides_of = {index: tuple((below, above) for below, above in sides) for index, sides in arrived.items()}
    return Landscape(grid, points, sides_of, branches)


def _seed_of(record: TaskRecord, records: Records) -> str:
    """Follow the parents of a scanned structure to the key of the record that its seed has; its own if it has none."""
    key = record.key
    while record.parents:
        key = record.parents[0]
        parent = records.find(key)
        if not isinstance(parent, TaskRecord) or parent.stage != record.stage:
            break
        record = parent
    return key


def _index(grid: Grid, record: TaskRecord) -> Index:
    assert isinstance(record.task, Relaxation)
    return grid.nearest(tuple(target.value for target in record.task.targets))


def _came_from(grid: Grid, index: Index, record: TaskRecord, records: Records) -> tuple[int, int] | None:
    """Give the coordinate along which a structure came, and 0 from lower values, 1 from higher; None from a seed."""
    parent = records.find(record.parents[0]) if record.parents else None
    if not isinstance(parent, TaskRecord) or not isinstance(parent.task, Relaxation):
        return None
    if len(parent.task.targets) != len(grid.axes) or parent.stage != record.stage:
        return None
    origin = _index(grid, parent)
    for step in sorted(grid.steps(index), key=lambda one: not one.direct):
        if step.to == origin:
            return step.axis, int(step.by > 0)
    return None


def breaks(landscape: Landscape, tolerance: float) -> list[Break]:
    """Find where the energy (hartree) does not follow from the slopes within the tolerance.

    Between neighbours; and at points that are their own images by symmetry, a mirror plane say, where the slope must
    vanish: one that does not foretells another energy at the next point than that has.
    """
    grid, found = landscape.grid, []
    for index, point in landscape.points.items():
        for step in grid.steps(index):
            other = landscape.points.get(step.to)
            if step.by < 0 or not step.direct or other is None:
                continue
            off = _off(grid, index, point, other, step)
            if off is not None and abs(off) > tolerance:
                found.append(Break((index, step.to), off, _moved_angstrom(grid, step.to, point, other)))
        for axis, slope in enumerate(point.relaxed.slopes):
            image, off = grid.turning(index, axis), slope * grid.spacing(axis)
            if image is None or abs(off) <= tolerance:
                continue
            moved = _moved_to_image_angstrom(point, image)
            if moved is None or moved > OWN_IMAGE_ANGSTROM:
                found.append(Break((index, index), off, moved))
    return found


def _off(grid: Grid, index: Index, point: ScannedPoint, other: ScannedPoint, step: Step) -> float | None:
    """Give what is least off, of a point that is its own image in either hand: one of the two leads to the other."""
    here, there = ((1, -1) if grid.turning(end, step.axis) else (1,) for end in (index, step.to))
    offs = [unsmooth(point.relaxed, other.relaxed, step, a, b) for a in here for b in there]
    return min((off for off in offs if off is not None), key=abs, default=None)


def _moved_to_image_angstrom(point: ScannedPoint, image: Operation) -> float | None:
    if not image.mirrored:  # the same structure from the other end of a rod: laid on itself, no atom seems to move
        return None
    return align(point.molecule, point.molecule.mirrored()).largest_angstrom


def _moved_angstrom(grid: Grid, to: Index, point: ScannedPoint, other: ScannedPoint) -> float:
    assert isinstance(point.record.task, Relaxation)
    coordinates = [target.coordinate for target in point.record.task.targets]
    targets = [held(coordinate, value) for coordinate, value in zip(coordinates, grid.values(to), strict=True)]
    return align(driven(point.molecule, targets), other.molecule).largest_angstrom


def chosen_for_dft(settings: ScanSettings, landscape: Landscape) -> list[ScannedPoint]:
    """List the points that the input wants DFT at, in the order of the grid."""
    points = landscape.points
    if not points or settings.dft_points == "none":
        return []
    lowest = min(point.energy for point in points.values())
    wanted = set(points)
    if settings.dft_points == "top":
        wanted = {max(points, key=lambda index: points[index].energy)}
    elif settings.dft_points == "stationary":
        network = landscape.network
        wanted = {minimum.index for minimum in network.minima} | {pass_.index for pass_ in network.passes}
    elif settings.places:
        wanted = {landscape.grid.home(landscape.grid.nearest(place))[0] for place in _places(settings)}
    limit = settings.dft_within_kcal_mol
    return [
        points[index]
        for index in sorted(wanted & set(points))
        if limit is None or (points[index].energy - lowest) * KCAL_MOL <= limit
    ]


def _places(settings: ScanSettings) -> list[tuple[float, ...]]:
    """Give the chosen places in degrees and bohr."""
    lengths = [coordinate.is_length for coordinate in settings.coordinate]
    return [
        tuple(value / ANGSTROM if length else value for value, length in zip(place, lengths, strict=True))
        for place in settings.places or ()
    ]
