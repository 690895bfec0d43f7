"""How a stage asks for work: it is a generator that gives rounds of lines, gets what they led to, ends with verdicts.

A line is a few jobs one after another, each made from the record of the one before; the lines of a round are
independent and may run side by side, on this machine or as the tasks of a job array. Because a stage does nothing but
ask, driving it over records that exist already is a replay, and costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from qcdriver.schema import Task, TaskRecord, Verdict

T = TypeVar("T")


@dataclass(frozen=True)
class Job:
    """A task, the label a person knows it by, and the keys of the records its geometry comes from."""

    label: str
    task: Task
    parents: tuple[str, ...] = ()


Line = Generator[Job, TaskRecord, T]
"""Gives a job, gets its record, and so on; returns what these led to."""

Stage = Generator[Sequence[Line[Any]], list[Any], list[Verdict]]
"""Gives the lines of a round, gets what each returned, in order; returns a verdict on all that was tried."""

RunRound = Callable[[Sequence[Line[Any]]], list[Any]]
"""Drives the lines of one round to their ends."""


def alone(job: Job) -> Line[TaskRecord]:
    """Make a line of one job; it returns the record."""
    return (yield job)


def follow(stage: Stage, run_round: RunRound) -> list[Verdict]:
    """Drive a stage to its end."""
    try:
        lines = next(stage)
        while True:
            lines = stage.send(run_round(lines))
    except StopIteration as end:
        verdicts: list[Verdict] = end.value
        return verdicts
