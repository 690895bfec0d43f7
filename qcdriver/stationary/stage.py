"""Asks for the rounds of a search for stationary points: relaxations, paths with their saddles, vibrations."""

from __future__ import annotations

from collections.abc import Sequence

from qcdriver.schema import Verdict
from qcdriver.stage import Job, Stage, alone
from qcdriver.stationary.climbs import climbed, judged_paths, path_search
from qcdriver.stationary.minima import judged_minima, relaxation
from qcdriver.stationary.search import MINIMUM, SADDLE, GridPoint, Search, Way
from qcdriver.stationary.verification import verified, vibrations


def stationary(minima: Sequence[GridPoint], ways: Sequence[Way], search: Search) -> Stage:
    """Find the minima and the saddles between them.

    Returns
    -------
    A verdict on every minimum, every saddle, and the vibrations of each; a duplicate names what it is the same as. The
    parent of a saddle's record is the path, and the parents of the path are the minima that it connects.
    """
    records = yield [alone(relaxation(each, search)) for each in minima]
    verdicts, found = judged_minima(minima, records, search)
    routes: list[tuple[Way, Job]] = []
    for way in ways:
        job = path_search(way, found, search)
        if isinstance(job, Verdict):
            verdicts.append(job)
        else:
            routes.append((way, job))
    climbs = yield [climbed(job, search) for _, job in routes]
    dropped, saddles = judged_paths([way for way, _ in routes], climbs, search)
    points = [(MINIMUM + each.point.place, each.key, each.relaxed, 0) for each in found.values() if not each.same_as]
    points += [(SADDLE + each.way.place, each.key, each.top, 1) for each in saddles]
    records = yield [alone(vibrations(label, key, molecule, search)) for label, key, molecule, _ in points]
    for (label, key, _, wanted), record in zip(points, records, strict=True):
        verdicts += verified(label, key, wanted, record)
    return [*verdicts, *dropped]
