"""The landscape of a scan, and the stationary points found from it -> networks of minima and saddles as findings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from qcdriver.findings import Dropped, Network, NetworkMinimum, NetworkSaddle
from qcdriver.landscape import Landscape
from qcdriver.network import Index, merge_tree
from qcdriver.records import Records
from qcdriver.schema import Build, Frequencies, TaskRecord, Verdict, Vibrations
from qcdriver.stationary import MINIMUM, NO_FAILURE, SADDLE, VIBRATIONS
from qcdriver.units import EV, KCAL_MOL


@dataclass(frozen=True)
class _Point:
    """A point of a network: its record, and that of its vibrations if it was verified."""

    label: str
    record: TaskRecord
    vibrations: TaskRecord | None = None

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
        return _Point(landscape.grid.shown(index), landscape.points[index].record)

    network = landscape.network
    minima = [point(each.index) for each in network.minima]
    over = [(point(each.index), minima[each.between[0]], minima[each.between[1]]) for each in network.passes]
    return _network(minima, over)


def refined_connections(verdicts: Sequence[Verdict], records: Records) -> Network | None:
    """Make the network of the stationary points that were verified; None when there is no minimum.

    A saddle at whose side a minimum was not verified is left out, as its barrier there is not known.
    """
    kept = {each.label: records.find(each.key) for each in verdicts if each.kept}
    found = {
        label: _Point(label.removeprefix(MINIMUM).removeprefix(SADDLE), record, vibrations)
        for label, record in kept.items()
        if isinstance(record, TaskRecord) and isinstance(vibrations := kept.get(label + VIBRATIONS), TaskRecord)
    }
    minima = {each.record.key: each for label, each in found.items() if label.startswith(MINIMUM)}
    saddles: list[_Over] = []
    for label, each in found.items():
        ends = (each.record.parents[0], each.record.parents[-1]) if label.startswith(SADDLE) else ()
        if len(ends) == 2 and all(end in minima for end in ends):
            saddles.append((each, minima[ends[0]], minima[ends[1]]))
    return _network(list(minima.values()), saddles)


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
                energy_hartree=each.energy,
                relative_energy_kcal_mol=(each.energy - points[0].energy) * KCAL_MOL,
                gap_ev=each.gap_ev,
                n_imaginary=each.n_imaginary,
                lowest_cm=each.lowest_cm,
            )
            for each in points
        ),
        saddles=tuple(
            NetworkSaddle(
                label=top.label,
                key=top.record.key,
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
