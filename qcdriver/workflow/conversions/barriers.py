"""A run -> the barriers from one isomer to another that it has computed, each way that it has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from qcdriver import engines
from qcdriver.models.outcomes import Band
from qcdriver.units import KCAL_MOL
from qcdriver.workflow.base import RunView
from qcdriver.workflow.conversions.findings import Kind
from qcdriver.workflow.interconversion import Interconversion
from qcdriver.workflow.prescreen.stage import Prescreen, survivors_for_isomers
from qcdriver.workflow.scan.landscape import Landscape
from qcdriver.workflow.scan.network import Index, lowest_path
from qcdriver.workflow.scan.settings import ScanSettings
from qcdriver.workflow.scan.setup import seeds_of
from qcdriver.workflow.scan.stage import landscape
from qcdriver.workflow.single_points import SinglePoints
from qcdriver.workflow.thermochemistry.contributions import energy
from qcdriver.workflow.thermochemistry.passages import Crossing, StationaryPoint, isomers_at, verified_network
from qcdriver.workflow.thermochemistry.settings import ThermochemistrySettings


@dataclass(frozen=True)
class Barrier:
    """From one isomer to another; `free`: of the free energy at the temperature that was asked for."""

    kind: Kind
    level: str
    free: bool
    kcal_mol: float


def barriers(run: RunView, start: str, end: str, temperature_k: float) -> Iterator[Barrier]:
    """Give the barriers from one isomer to another that a run knows: verified ones, of paths, of the scan."""
    yield from _over_saddles(run, start, end, temperature_k)
    yield from _along_paths(run, start, end)
    yield from _along_scan(run, start, end)


def _over_saddles(run: RunView, start: str, end: str, temperature_k: float) -> Iterator[Barrier]:
    """Give the free barrier over the lowest chain of verified saddles."""
    network = verified_network(run)
    if not network.crossings:
        return
    isomers = isomers_at(run, network)
    treatment = (run.table(ThermochemistrySettings) or ThermochemistrySettings()).treatment
    ends = {
        isomer: [minimum for minimum in network.minima if isomer in isomers[minimum.label]] for isomer in (start, end)
    }
    if not ends[start] or not ends[end] or ends[start][0] is ends[end][0]:
        return
    first = ends[start][0]

    def height(crossing: Crossing) -> float:
        return crossing.saddle.gibbs(temperature_k, treatment)

    connected: list[list[StationaryPoint]] = [[minimum] for minimum in network.minima]
    for crossing in sorted(network.crossings, key=height):
        parts = [part for part in connected if any(side in part for side in crossing.sides)]
        joined = [atom for part in parts for atom in part]
        connected = [part for part in connected if part not in parts] + [joined]
        if first in joined and ends[end][0] in joined:
            barrier = (height(crossing) - first.gibbs(temperature_k, treatment)) * KCAL_MOL
            yield Barrier("saddles", engines.title(first.vibrations.level), free=True, kcal_mol=barrier)
            return


def _along_paths(run: RunView, start: str, end: str) -> Iterator[Barrier]:
    """Give the lowest of the paths between conformers of the two isomers."""
    isomers = {verdict.key: verdict.isomer or verdict.label for verdict in run.verdicts(Prescreen) or ()}
    found = []
    for verdict in run.verdicts(Interconversion) or ():
        record = run.record(verdict.key)
        ends = tuple(isomers.get(key) for key in record.parents)
        if verdict.kept and isinstance(record.outcome, Band) and ends in ((start, end), (end, start)):
            energies = record.outcome.energies
            from_start = energies[0] if ends == (start, end) else energies[-1]
            found.append(((max(energies) - from_start) * KCAL_MOL, record))
    if found:
        lowest, record = min(found, key=lambda pair: pair[0])
        yield Barrier("path", engines.title(record.level), free=False, kcal_mol=lowest)


def _along_scan(run: RunView, start: str, end: str) -> Iterator[Barrier]:
    """Give the height of the lowest way over the scan's grid, and the same by single points where there are some."""
    settings, found = run.table(ScanSettings), landscape(run)
    if settings is None or found is None or not found.points:
        return
    places = {
        isomer: [
            found.grid.nearest(seed.values)
            for seed in seeds_of(settings, found.grid, verdict.label, verdict.key, molecule)
        ]
        for verdict, molecule in survivors_for_isomers(run)
        if (isomer := verdict.isomer or verdict.label) in (start, end)
    }
    way = _lowest_way(found, places.get(start, []), places.get(end, []))
    if way is None:
        return
    points = [found.points[found.grid.home(index)[0]] for index in way]
    top = max(points, key=lambda point: point.energy)
    level = engines.title(top.record.level)
    yield Barrier("grid", level, free=False, kcal_mol=(top.energy - points[0].energy) * KCAL_MOL)
    single = {
        parent: record
        for verdict in run.verdicts(SinglePoints) or ()
        if verdict.kept
        for record in [run.record(verdict.key)]
        for parent in record.parents
    }
    at_top, at_start = single.get(top.record.key), single.get(points[0].record.key)
    if at_start is None:
        best = {verdict.isomer or verdict.label: verdict.key for verdict, _ in survivors_for_isomers(run)}
        at_start = single.get(best[start])
    if at_top is not None and at_start is not None:
        barrier = (energy(at_top) - energy(at_start)) * KCAL_MOL
        yield Barrier("single points", engines.title(at_top.level), free=False, kcal_mol=barrier)


def _lowest_way(found: Landscape, starts: Sequence[Index], ends: Sequence[Index]) -> tuple[Index, ...] | None:
    """Return the way whose highest point is lowest, between any two places of the isomers; None: there is none."""
    energies: Mapping[Index, float] = {
        index: found.points[home].energy for index in found.grid if (home := found.grid.home(index)[0]) in found.points
    }
    ways = [
        way
        for one in starts
        for other in ends
        if one in energies and other in energies
        if (way := lowest_path(energies, found.grid.around, one, other))
    ]
    return min(ways, key=lambda way: max(energies[index] for index in way), default=None)
