"""Asks for the rounds of a search for stationary points: minima, these verified, paths with saddles, these verified."""

from __future__ import annotations

from collections.abc import Sequence

from qcdriver.models.verdicts import Verdict
from qcdriver.workflow.base import Job, Rounds, alone
from qcdriver.workflow.stationary.minima import duplicate, followed, judged_minima, merged, relaxation
from qcdriver.workflow.stationary.push_off import VerifiedMinimum, verify_minimum
from qcdriver.workflow.stationary.saddles import climbed, judged_paths, path_search
from qcdriver.workflow.stationary.settings import MINIMUM, SADDLE, GridPoint, PassRoute, Search
from qcdriver.workflow.stationary.verification import verified, vibrations


def stationary(minima: Sequence[GridPoint], ways: Sequence[PassRoute], search: Search) -> Rounds:
    """Find the minima and the saddles between them.

    Returns
    -------
    A verdict on every minimum, every saddle, and the vibrations of each; a duplicate names what it is the same as. The
    parent of a saddle's record is the path, and the parents of the path are the minima that it connects.
    """
    records = yield [alone(relaxation(minimum, search)) for minimum in minima]
    verdicts, relaxed = judged_minima(minima, records, search)
    found = merged(relaxed, search)
    lowest: list[VerifiedMinimum] = yield [
        verify_minimum(merged_minimum, search) for merged_minimum in found.values() if not merged_minimum.same_as
    ]
    if any(checked.pushed_off_cm for checked in lowest):
        found = followed(found, merged([checked.minimum for checked in lowest], search))
    verdicts += [duplicate(merged_minimum) for merged_minimum in found.values() if merged_minimum.same_as]
    routes: list[tuple[PassRoute, Job]] = []
    for way in ways:
        job = path_search(way, found, search)
        if isinstance(job, Verdict):
            verdicts.append(job)
        else:
            routes.append((way, job))
    climbs = yield [climbed(job, search) for _, job in routes]
    dropped, saddles = judged_paths([way for way, _ in routes], climbs, search)
    tops = [(SADDLE + saddle.way.place, saddle.key, saddle.top) for saddle in saddles]
    records = yield [alone(vibrations(*top, search)) for top in tops]
    for checked in lowest:
        point = checked.minimum.point
        if not found[point.place].same_as:
            verdicts += verified(
                MINIMUM + point.place, checked.minimum.key, point.values, 0, checked.vibrations, checked.pushed_off_cm
            )
    for saddle, (label, key, _), record in zip(saddles, tops, records, strict=True):
        verdicts += verified(label, key, saddle.way.values, 1, record)
    return [*verdicts, *dropped]
