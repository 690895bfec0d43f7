"""Lines over records: what a stage would do next follows from what was done, and costs nothing to find out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from qcdriver.errors import IncompleteError
from qcdriver.models.records import TaskRecord
from qcdriver.store import Records, task_key
from qcdriver.workflow.base import Line


class Replay:
    """Drives the lines of a round over records that exist; computes nothing. A failure counts as it is recorded."""

    def __init__(self, records: Records, what: str) -> None:
        self.records, self.what = records, what

    def __call__(self, lines: Sequence[Line[Any]]) -> list[Any]:
        """Drive lines to their ends.

        Raises
        ------
        IncompleteError
            Records are missing; all lines were tried, so that the message counts them.
        """
        returned, missing = [], 0
        for line in lines:
            try:
                job = next(line)
                while isinstance(record := self.records.find(task_key(job.task)), TaskRecord):
                    job = line.send(record)
                missing += 1
            except StopIteration as end:
                returned.append(end.value)
        if missing:
            raise IncompleteError(
                f"{missing} of {len(lines)} of {self.what} have no record yet (lost, or still running); "
                "qcdriver submit sends the missing ones again"
            )
        return returned
