"""An input -> the steps of its campaign: one array a round, in an order in which each comes after what it needs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Literal

from qcdriver.candidates import Candidate
from qcdriver.config.settings import Settings
from qcdriver.schema import Build, Frozen


class Step(Frozen):
    """One round of a stage as a job array.

    `width`: how many tasks at most. `work`: a task is a candidate's line, a job that the round's first task wrote down,
    or the whole stage. `resources`: the table of [resources] it takes. `after`: all steps that have to end before.
    """

    stage: str
    round: int = 0
    width: int
    work: Literal["candidate", "job", "stage"]
    resources: str
    after: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What a step is called by: STAGE.ROUND."""
        return f"{self.stage}.{self.round}"


def plan_steps(settings: Settings, candidates: Sequence[Candidate]) -> list[Step]:
    """List the steps.

    A scan is one job: its rounds are short and nobody knows how many there will be, so that an array a round would
    wait in the queue for each. It shares its cores out as a run on one machine does. So do the stationary points.
    """
    steps = _prescreen(settings, candidates)
    prescreen = tuple(each.name for each in steps)
    if settings.scan:
        steps.append(Step(stage="scan", width=1, work="stage", resources="scan", after=prescreen))
    if settings.stationary:
        steps.append(Step(stage="stationary", width=1, work="stage", resources="stationary", after=("scan.0",)))
    kept = settings.prescreen.max_kept
    if settings.interconversion:
        table = "interconversion"
        paths = 2 * kept - 1  # each to its mirror image, and to the next
        steps.append(Step(stage=table, width=paths, work="job", resources=table, after=prescreen))
    if settings.dft:
        points = _profile_points(settings)
        after = (*prescreen, "scan.0") if points else prescreen
        steps.append(Step(stage="dft", width=kept + points, work="job", resources="dft", after=after))
    if settings.mirror:
        # One more calculation of the kind that ranks, so it asks for the same.
        table = "dft" if settings.dft else "prescreen"
        after = tuple(each.name for each in steps if each.stage in ("prescreen", "scan", "dft"))
        steps.append(Step(stage="mirror", width=1, work="stage", resources=table, after=after))
    return steps


def _prescreen(settings: Settings, candidates: Sequence[Candidate]) -> list[Step]:
    """Plan its rounds: all candidates; the best, tightly; what moved away when set free, held."""
    starts = Counter(each.isomer for each in candidates)
    tight = sum(min(count, settings.prescreen.max_tight) for count in starts.values())
    if not settings.prescreen.keep_each_isomer:
        tight = min(tight, settings.prescreen.max_tight)
    held = len({each.isomer for each in candidates if _has_coordinate(each)})
    steps: list[Step] = []
    for number, width in enumerate((len(candidates), tight, held)):
        if width:
            work: Literal["job", "candidate"] = "job" if number else "candidate"
            after = tuple(each.name for each in steps)
            steps.append(
                Step(stage="prescreen", round=number, width=width, work=work, resources="prescreen", after=after)
            )
    return steps


def _has_coordinate(candidate: Candidate) -> bool:
    """Tell whether a coordinate makes it its isomer, which the prescreen may have to hold."""
    if isinstance(candidate.origin, Build):
        return candidate.origin.source == "au13ag12"
    return candidate.target is not None


def _profile_points(settings: Settings) -> int:
    """Count the points of the profile that get a single point, at most."""
    scan = settings.scan
    if scan is None or scan.dft_points == "none":
        return 0
    return 1 if scan.dft_points == "top" else len(scan.places or ()) or scan.n_points
