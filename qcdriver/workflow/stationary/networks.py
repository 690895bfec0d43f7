"""Verified stationary points as a network of minima and saddles; and those that were not verified, with the reason."""

from __future__ import annotations

from collections.abc import Sequence

from qcdriver.models.records import TaskRecord
from qcdriver.models.tasks import Vibrations
from qcdriver.models.verdicts import Purpose, Verdict
from qcdriver.store import Records
from qcdriver.workflow.findings import Dropped, Network
from qcdriver.workflow.scan.connections import Connection, NetworkPoint, network_of, reached_near
from qcdriver.workflow.scan.landscape import Landscape
from qcdriver.workflow.scan.network import Index
from qcdriver.workflow.stationary.settings import NO_FAILURE


def refined_connections(landscape: Landscape, verdicts: Sequence[Verdict], records: Records) -> Network | None:
    """Make the network of the stationary points that were verified; None when there is no minimum.

    A saddle at whose side a minimum was not verified is left out, as its barrier there is not known.
    """
    network, grid = landscape.network, landscape.grid
    kept = [
        (verdict, record)
        for verdict in verdicts
        if verdict.kept and isinstance(record := records.find(verdict.key), TaskRecord)
    ]
    vibrations = {record.task.molecule: record for _, record in kept if isinstance(record.task, Vibrations)}
    stationary = {
        (verdict.purpose, grid.nearest(verdict.place)): (verdict, record) for verdict, record in kept if verdict.place
    }

    def point(purpose: Purpose, place: Index, start: Index) -> NetworkPoint | None:
        """Find a point; `start` is the place of the minimum in whose numbering of atoms it is."""
        verdict, record = stationary.get((purpose, place), (None, None))
        if record is None or record.molecule not in vibrations:
            return None
        reached = reached_near(landscape, place, start, record)
        return NetworkPoint(grid.shown(place), record, reached, vibrations[record.molecule], verdict)

    found = (point(Purpose.MINIMUM, minimum.index, minimum.index) for minimum in network.minima)
    minima = {grid_point.record.key: grid_point for grid_point in found if grid_point}
    saddles: list[Connection] = []
    for pass_ in network.passes:
        top = point(Purpose.SADDLE, pass_.index, network.minima[pass_.between[0]].index)
        path = records.find(top.record.parents[0]) if top else None
        ends = path.parents if isinstance(path, TaskRecord) else ()
        if top and ends and all(end in minima for end in ends):
            saddles.append((top, minima[ends[0]], minima[ends[-1]]))
    return network_of(list(minima.values()), saddles)


def failed_points(verdicts: Sequence[Verdict]) -> list[Dropped]:
    """List what of the stationary points is missing: no number, or none that was verified."""
    return [dropped for dropped in _not_kept(verdicts) if dropped.verdict.code not in NO_FAILURE]


def merged_points(verdicts: Sequence[Verdict]) -> list[Dropped]:
    """List what turned out to be another stationary point, or none."""
    return [dropped for dropped in _not_kept(verdicts) if dropped.verdict.code in NO_FAILURE]


def _not_kept(verdicts: Sequence[Verdict]) -> list[Dropped]:
    return [
        Dropped(stage="stationary", label=verdict.label, verdict=verdict)
        for verdict in verdicts
        if not verdict.kept and verdict.purpose is not Purpose.VIBRATIONS
    ]
