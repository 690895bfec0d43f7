"""Records, notes and the queue -> the state of every task of a campaign.

The records decide what is done: a note only says which records a task left, and whether another try may help. A task
that is in no queue and has left no note is lost; its node died, or its time was up before anything could be said.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

from qcdriver.execution.slurm.campaign import Campaign
from qcdriver.execution.slurm.notes import TaskEnding
from qcdriver.execution.slurm.pieces import Entry
from qcdriver.execution.slurm.queue import Living
from qcdriver.execution.slurm.steps import Step

State = Literal["done", "running", "pending", "failed", "lost", "unsent", "unknown"]
"""`unknown`: sent, and the queue cannot be asked what became of it."""


@dataclass(frozen=True)
class TaskState:
    """One task of a step; `again`: to be sent by the next submit; `message`: of the reason, as in its note."""

    index: int
    label: str
    state: State
    reason: str | None = None
    again: bool = False
    message: str | None = None


@dataclass(frozen=True)
class StepState:
    """All tasks of a step; their number is an upper bound until `exact`."""

    step: Step
    exact: bool
    tasks: list[TaskState]

    def those(self, state: State) -> list[TaskState]:
        """Give the tasks in one state."""
        return [task for task in self.tasks if task.state == state]

    @property
    def to_send(self) -> list[int]:
        """Indices that the next submit sends."""
        return [task.index for task in self.tasks if task.again]


def survey(
    campaign: Campaign,
    recorded: Collection[str],
    finished: Collection[str],
    living: Sequence[Living],
) -> list[StepState]:
    """Find out the state of every task.

    Parameters
    ----------
    recorded
        The keys of all records.
    finished
        The stages that have their verdicts.
    living
        What the queue holds of this run directory.
    """
    states = []
    for step in campaign.steps:
        here = {job.index: job for job in living if (job.campaign, job.step) == (campaign.key, step.name)}
        states.append(_StepSurvey(campaign, step, here).state(recorded, step.stage in finished))
    _conclude(campaign.steps, states, finished)
    return states


class _StepSurvey:
    """What is known of one step."""

    def __init__(self, campaign: Campaign, step: Step, living: dict[int, Living]) -> None:
        self.campaign, self.step, self.living = campaign, step, living
        self.listed: list[Entry] | None = campaign.jobs(step) if step.work == "job" else None
        self.notes = campaign.notes.endings(step)
        sent = campaign.notes.sent(step)
        self.sent = {shipment.offset + id_ for shipment in sent for id_ in shipment.ids}

    def state(self, recorded: Collection[str], finished: bool) -> StepState:
        if finished and not self.notes and not self.living and not self.sent:  # a run on one machine did it
            width = 0 if self.step.work == "job" and self.listed is None else self._width()
            return StepState(self.step, True, [TaskState(k, self._label(k), "done") for k in range(width)])
        exact = self.step.work != "job" or self.listed is not None
        tasks = [self._task(index, recorded, finished) for index in range(self._width())]
        return StepState(self.step, exact, tasks)

    def _width(self) -> int:
        return self.step.width if self.listed is None else len(self.listed)

    def _label(self, index: int) -> str:
        if self.step.work == "candidate":
            return self.campaign.content.labels[index]
        return self.listed[index].label if self.listed else ""

    def _task(self, index: int, recorded: Collection[str], finished: bool) -> TaskState:
        label = self._label(index)
        if alive := self.living.get(index):
            return TaskState(index, label, "pending" if alive.waits else "running", alive.why)
        note = self.notes.get(index)
        if note is None or not self._is_of_this_job(note, index):
            return TaskState(index, label, "lost" if index in self.sent else "unsent", again=True)
        if note.exit_code:
            reason = note.reason or f"exit code {note.exit_code}"
            return TaskState(index, label, "failed", reason, again=True, message=note.message)
        if self.step.work == "stage" and not finished:
            return TaskState(index, label, "unsent", "what it starts from has changed", again=True)
        if gone := [calculation for calculation in note.calculations if calculation.key not in recorded]:
            return TaskState(index, label, "lost", f"the record of {gone[0].label} is gone", again=True)
        if self.step.work == "stage":  # what failed in it has its verdict, and the stage went on
            return TaskState(index, label, "done")
        if note.calculations and (last := note.calculations[-1]).failure:
            return TaskState(index, label, "failed", last.failure, last.again)
        return TaskState(index, label, "done")

    def _is_of_this_job(self, note: TaskEnding, index: int) -> bool:
        """Tell whether a note is about the job that has this index now."""
        if self.step.work != "job" or note.exit_code:
            return True
        return self.listed is not None and self.listed[index].key in {
            calculation.key for calculation in note.calculations
        }


def _conclude(steps: Sequence[Step], states: list[StepState], finished: Collection[str]) -> None:
    """Have a last task run again where all of a stage's are done and nobody has drawn its conclusion."""
    for stage in {step.stage for step in steps} - set(finished):
        of_stage = [number for number, step in enumerate(steps) if step.stage == stage]
        tasks = [task for number in of_stage for task in states[number].tasks]
        last = max((number for number in of_stage if states[number].tasks), default=None)
        if last is None or any(task.again or task.state in ("running", "pending") for task in tasks):
            continue
        state = states[last]
        first = state.tasks[0]
        again = TaskState(first.index, first.label, first.state, "the stage has no verdicts yet", again=True)
        states[last] = StepState(state.step, state.exact, [again, *state.tasks[1:]])
