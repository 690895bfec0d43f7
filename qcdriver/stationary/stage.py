"""Asks for the rounds of a search for stationary points: minima, these verified, paths with saddles, these verified."""

from __future__ import annotations

from collections.abc import Sequence

from qcdriver.schema import Verdict
from qcdriver.stage import Job, Stage, alone
from qcdriver.stationary.climbs import climbed, judged_paths, path_search
from qcdriver.stationary.minima import duplicate, followed, judged_minima, merged, relaxation
from qcdriver.stationary.pushes import Settled, settled
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
    verdicts, relaxed = judged_minima(minima, records)
    found = merged(relaxed, search)
    lowest: list[Settled] = yield [settled(each, search) for each in found.values() if not each.same_as]
    if any(each.pushed_off_cm for each in lowest):
        found = followed(found, merged([each.minimum for each in lowest], search))
    verdicts += [duplicate(each) for each in found.values() if each.same_as]
    routes: list[tuple[Way, Job]] = []
    for way in ways:
        job = path_search(way, found, search)
        if isinstance(job, Verdict):
            verdicts.append(job)
        else:
            routes.append((way, job))
    climbs = yield [climbed(job, search) for _, job in routes]
    dropped, saddles = judged_paths([way for way, _ in routes], climbs, search)
    tops = [(SADDLE + each.way.place, each.key, each.top) for each in saddles]
    records = yield [alone(vibrations(*top, search)) for top in tops]
    for each in lowest:
        place = each.minimum.point.place
        if not found[place].same_as:
            verdicts += verified(MINIMUM + place, each.minimum.key, 0, each.vibrations, each.pushed_off_cm)
    for (label, key, _), record in zip(tops, records, strict=True):
        verdicts += verified(label, key, 1, record)
    return [*verdicts, *dropped]
