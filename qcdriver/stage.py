"""What every stage is given: a way to have tasks computed, or found where they are computed already."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from qcdriver.schema import Task, TaskRecord

Job = tuple[str, Task]
"""A task and the label a person knows it by."""

Runner = Callable[[Sequence[Job]], list[TaskRecord]]
"""Gives the record of each job, in order. Jobs of one call are independent and may run side by side."""
