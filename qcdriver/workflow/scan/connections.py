"""The landscape of a scan as a network of minima and the passes between them, as findings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from qcdriver import engines
from qcdriver.geometry.coordinates import measured
from qcdriver.models.outcomes import Frequencies
from qcdriver.models.records import TaskRecord
from qcdriver.models.tasks import Relaxation, Vibrations
from qcdriver.models.verdicts import Verdict
from qcdriver.units import ANGSTROM, EV, KCAL_MOL
from qcdriver.workflow.findings import Network, NetworkMinimum, NetworkSaddle
from qcdriver.workflow.scan.landscape import Landscape
from qcdriver.workflow.scan.network import Index, merge_tree


@dataclass(frozen=True)
class NetworkPoint:
    """A point of a network: its record, and its verdict and the record of its vibrations if it was verified.

    `at_end`: it lies at an end of the scan, beyond which nothing is known.
    """

    label: str
    record: TaskRecord
    reached: tuple[float, ...]
    vibrations: TaskRecord | None = None
    verdict: Verdict | None = None
    at_end: bool = False

    @property
    def energy(self) -> float:
        """Energy, hartree."""
        assert self.record.result is not None
        return self.record.result.energy

    @property
    def gap_ev(self) -> float | None:
        """HOMO-LUMO gap, eV."""
        assert self.record.result is not None
        return None if self.record.result.gap is None else self.record.result.gap * EV

    @property
    def frequencies(self) -> Frequencies | None:
        """Its vibrations, if it was verified."""
        found = self.vibrations.outcome if self.vibrations else None
        return found if isinstance(found, Frequencies) else None

    @property
    def n_imaginary(self) -> int | None:
        """How many wavenumbers are imaginary."""
        return self.frequencies.n_imaginary if self.frequencies else None

    @property
    def lowest_cm(self) -> float | None:
        """The lowest wavenumber, 1/cm, negative if imaginary."""
        return self.frequencies.wavenumbers_cm[0] if self.frequencies else None

    @property
    def n_atoms_moved(self) -> int | None:
        """How many atoms the vibrations moved."""
        task = self.vibrations.task if self.vibrations else None
        return len(task.atoms or task.molecule.symbols) if isinstance(task, Vibrations) else None


Connection = tuple[NetworkPoint, NetworkPoint, NetworkPoint]
"""A saddle and the two minima it connects."""


def grid_connections(landscape: Landscape) -> Network | None:
    """Make the network of the grid as it is: nothing relaxed further, no saddle verified; None of an empty one."""

    def point(index: Index) -> NetworkPoint:
        record = landscape.points[index].record
        reached = reached_near(landscape, index, index, record)
        return NetworkPoint(landscape.grid.shown(index), record, reached, at_end=landscape.grid.at_end(index))

    network = landscape.network
    minima = [point(minimum.index) for minimum in network.minima]
    over = [(point(pass_.index), minima[pass_.between[0]], minima[pass_.between[1]]) for pass_ in network.passes]
    return network_of(minima, over)


def reached_near(landscape: Landscape, place: Index, start: Index, record: TaskRecord) -> tuple[float, ...]:
    """Measure the coordinates of a point, of all values that symmetry makes equal those nearest to its place."""
    grid, task, molecule = landscape.grid, landscape.points[start].record.task, record.molecule
    assert isinstance(task, Relaxation)
    assert molecule is not None
    wanted = grid.values(place)
    values = tuple(
        measured(target.coordinate, molecule.geometry, near) for target, near in zip(task.targets, wanted, strict=True)
    )
    equal = [values, *(image for _, image in grid.images(values))]
    nearest = min(equal, key=lambda place: sum(abs(a - b) for a, b in zip(place, wanted, strict=True)))
    return tuple(value * ANGSTROM if length else value for value, length in zip(nearest, grid.lengths, strict=True))


def network_of(points: list[NetworkPoint], over: Sequence[Connection]) -> Network | None:
    """Put points in the order of their energies, and take these from the lowest."""
    if not points:
        return None
    points = sorted(points, key=lambda point: point.energy)
    over = sorted(over, key=lambda pair: pair[0].energy)
    number = {point.record.key: count for count, point in enumerate(points)}
    ways = ((number[one.record.key], number[other.record.key], top.energy) for top, one, other in over)
    return Network(
        level=engines.title(points[0].record.level),
        refined=points[0].vibrations is not None,
        n_atoms_moved=points[0].n_atoms_moved,
        minima=tuple(
            NetworkMinimum(
                label=point.label,
                key=point.record.key,
                reached=point.reached,
                energy_hartree=point.energy,
                relative_energy_kcal_mol=(point.energy - points[0].energy) * KCAL_MOL,
                gap_ev=point.gap_ev,
                n_imaginary=point.n_imaginary,
                lowest_cm=point.lowest_cm,
                verdict=point.verdict,
                at_end=point.at_end,
            )
            for point in points
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
