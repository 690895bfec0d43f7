"""The landscape of a scan, and the stationary points found from it -> networks of minima and saddles as findings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from qcdriver.findings import Dropped, Network, NetworkMinimum, NetworkSaddle
from qcdriver.landscape.points import Landscape
from qcdriver.records import Records
from qcdriver.relaxation.coordinates import measured
from qcdriver.scan.network import Index, merge_tree
from qcdriver.schema import Build, Frequencies, Relaxation, TaskRecord, Verdict, Vibrations
from qcdriver.stationary import MINIMUM, NO_FAILURE, SADDLE, VIBRATIONS
from qcdriver.units import ANGSTROM, EV, KCAL_MOL


@dataclass(frozen=True)
class _Point:
    """A point of a network: its record, and that of its vibrations if it was verified, with what to know about it."""

    label: str
    record: TaskRecord
    reached: tuple[float, ...]
    vibrations: TaskRecord | None = None
    note: str | None = None

    @property
    def energy(self) -> float:
        assert self.record.result is not None
        return self.record.result.energy

    @property
    def gap_ev(self) -> float | None:
        assert self.record.result is not None
        return None if self.record.result.gap is None else self.record.result.gap * EV

    @property
    def frequencies(self) -> Frequencies | None:
        found = self.vibrations.outcome if self.vibrations else None
        return found if isinstance(found, Frequencies) else None

    @property
    def n_imaginary(self) -> int | None:
        return self.frequencies.n_imaginary if self.frequencies else None

    @property
    def lowest_cm(self) -> float | None:
        return self.frequencies.wavenumbers_cm[0] if self.frequencies else None

    @property
    def n_atoms_moved(self) -> int | None:
        task = self.vibrations.task if self.vibrations else None
        return len(task.atoms or task.molecule.symbols) if isinstance(task, Vibrations) else None


_Over = tuple[_Point, _Point, _Point]
"""A saddle and the two minima it connects."""


def grid_connections(landscape: Landscape) -> Network | None:
    """Make the network of the grid as it is: nothing relaxed further, no saddle verified; None of an empty one."""

    def point(index: Index) -> _Point:
        record = landscape.points[index].record
        return _Point(landscape.grid.shown(index), record, _reached(landscape, index, index, record))

    network = landscape.network
    minima = [point(each.index) for each in network.minima]
    over = [(point(each.index), minima[each.between[0]], minima[each.between[1]]) for each in network.passes]
    return _network(minima, over)


def refined_connections(landscape: Landscape, verdicts: Sequence[Verdict], records: Records) -> Network | None:
    """Make the network of the stationary points that were verified; None when there is no minimum.

    A saddle at whose side a minimum was not verified is left out, as its barrier there is not known.
    """
    kept = {each.label: records.find(each.key) for each in verdicts if each.kept}
    notes = {each.label: each.reason for each in verdicts}
    found: dict[str, _Point] = {}
    for label, (place, start) in _places(landscape).items():
        record, vibrations = kept.get(label), kept.get(label + VIBRATIONS)
        if isinstance(record, TaskRecord) and isinstance(vibrations, TaskRecord):
            reached = _reached(landscape, place, start, record)
            found[label] = _Point(landscape.grid.shown(place), record, reached, vibrations, notes[label])
    minima = {each.record.key: each for label, each in found.items() if label.startswith(MINIMUM)}
    saddles: list[_Over] = []
    for label, each in found.items():
        path = records.find(each.record.parents[0]) if label.startswith(SADDLE) else None
        ends = path.parents if isinstance(path, TaskRecord) else ()
        if ends and all(end in minima for end in ends):
            saddles.append((each, minima[ends[0]], minima[ends[-1]]))
    return _network(list(minima.values()), saddles)


def _places(landscape: Landscape) -> dict[str, tuple[Index, Index]]:
    """Give the label of each stationary point its place on the grid, and that of the minimum whose atoms it counts."""
    network, shown = landscape.network, landscape.grid.shown
    minima = {MINIMUM + shown(each.index): (each.index, each.index) for each in network.minima}
    return minima | {
        SADDLE + shown(each.index): (each.index, network.minima[each.between[0]].index) for each in network.passes
    }


def _reached(landscape: Landscape, place: Index, start: Index, record: TaskRecord) -> tuple[float, ...]:
    """Measure the coordinates of a point, of all values that symmetry makes equal those nearest to its place."""
    grid, task, molecule = landscape.grid, landscape.points[start].record.task, record.molecule
    assert isinstance(task, Relaxation)
    assert molecule is not None
    wanted = grid.values(place)
    values = tuple(
        measured(target.coordinate, molecule.geometry, near) for target, near in zip(task.targets, wanted, strict=True)
    )
    equal = [values, *(image for _, image in grid.images(values))]
    nearest = min(equal, key=lambda each: sum(abs(a - b) for a, b in zip(each, wanted, strict=True)))
    return tuple(value * ANGSTROM if length else value for value, length in zip(nearest, grid.lengths, strict=True))


def failed_points(verdicts: Sequence[Verdict]) -> list[Dropped]:
    """List what of the stationary points is missing: no number, or none that was verified."""
    return [each for each in _not_kept(verdicts) if not each.reason.startswith(NO_FAILURE)]


def merged_points(verdicts: Sequence[Verdict]) -> list[Dropped]:
    """List what turned out to be another stationary point, or none."""
    return [each for each in _not_kept(verdicts) if each.reason.startswith(NO_FAILURE)]


def _not_kept(verdicts: Sequence[Verdict]) -> list[Dropped]:
    return [
        Dropped(stage="stationary", label=each.label, reason=str(each.reason))
        for each in verdicts
        if not each.kept and not each.label.endswith(VIBRATIONS)
    ]


def _network(points: list[_Point], over: Sequence[_Over]) -> Network | None:
    """Put points in the order of their energies, and take these from the lowest."""
    if not points:
        return None
    points = sorted(points, key=lambda each: each.energy)
    over = sorted(over, key=lambda each: each[0].energy)
    task = points[0].record.task
    assert not isinstance(task, Build)
    number = {each.record.key: count for count, each in enumerate(points)}
    ways = ((number[one.record.key], number[other.record.key], top.energy) for top, one, other in over)
    return Network(
        level=task.level.title,
        refined=points[0].vibrations is not None,
        n_atoms_moved=points[0].n_atoms_moved,
        minima=tuple(
            NetworkMinimum(
                label=each.label,
                key=each.record.key,
                reached=each.reached,
                energy_hartree=each.energy,
                relative_energy_kcal_mol=(each.energy - points[0].energy) * KCAL_MOL,
                gap_ev=each.gap_ev,
                n_imaginary=each.n_imaginary,
                lowest_cm=each.lowest_cm,
                note=each.note,
            )
            for each in points
        ),
        saddles=tuple(
            NetworkSaddle(
                label=top.label,
                key=top.record.key,
                reached=top.reached,
                between=(one.label, other.label),
                energy_hartree=top.energy,
                relative_energy_kcal_mol=(top.energy - points[0].energy) * KCAL_MOL,
                barrier_kcal_mol=(top.energy - one.energy) * KCAL_MOL,
                reverse_barrier_kcal_mol=(top.energy - other.energy) * KCAL_MOL,
                gap_ev=top.gap_ev,
                n_imaginary=top.n_imaginary,
                lowest_cm=top.lowest_cm,
            )
            for top, one, other in over
        ),
        merges=merge_tree(len(points), ways),
    )
