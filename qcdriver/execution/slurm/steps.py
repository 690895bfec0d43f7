"""The steps of a campaign: one job array a round of a stage, in an order in which each comes after what it needs."""

from __future__ import annotations

from typing import Any, Literal

from qcdriver.models.base import Frozen
from qcdriver.workflow.base import Stage
from qcdriver.workflow.open_run import Run


class Step(Frozen):
    """One round of a stage as a job array.

    `width`: how many tasks at most. `work`: a task is a line of the stage's first round (a candidate's), a job that the
    round's first task wrote down, or the whole stage. `resources`: the table of [resources] it takes. `after`: all
    steps that have to end before.
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


def plan_steps(run: Run) -> list[Step]:
    """List the steps of a run.

    A stage without job arrays is one job: its rounds are short and nobody knows how many there will be, so that an
    array a round would wait in the queue for each. It shares its cores out as a run on one machine does.
    """
    steps: list[Step] = []
    for stage in run.stages:
        steps += _steps_of(stage, run, steps)
    return steps


def _steps_of(stage: Stage[Any], run: Run, before: list[Step]) -> list[Step]:
    names = {earlier.name for earlier in stage.waits_for(run)}
    after = tuple(step.name for step in before if step.stage in names)
    resources = stage.resources_of(run).name
    arrays = stage.job_arrays(run)
    if not arrays:
        return [Step(stage=stage.name, width=1, work="stage", resources=resources, after=after)]
    steps: list[Step] = []
    for number, array in enumerate(arrays):
        steps.append(
            Step(
                stage=stage.name,
                round=number,
                width=array.width,
                work="candidate" if array.work == "line" else "job",
                resources=resources,
                after=(*after, *(step.name for step in steps)),
            )
        )
    return steps
