"""Candidates that come from another run: their records come too, and a change of that run is noticed.

The records of the conformers, and all that these came from, are copied into the run that takes them: `records --why`,
the methods paragraph and the page reach back to the first input, also where only the later directory is at hand. What
was taken is written down in `taken.json`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from pydantic import ValidationError

from qcdriver.errors import InputError, ResourceError
from qcdriver.models.base import Frozen
from qcdriver.models.records import TaskRecord
from qcdriver.store import Records
from qcdriver.store.files import write_whole
from qcdriver.systems.base import TakenFrom
from qcdriver.workflow.open_run import Run

_FILE = "taken.json"


class _Taken(Frozen):
    """`taken.json`: the keys of the records that conformers were taken from, by label."""

    conformers: dict[str, str]


def adopt(run: Run) -> list[str]:
    """Copy the records that candidates were taken from into a run, with all that they came from.

    Returns
    -------
    What a person should know: which conformers are not those that this run took the last time.

    Raises
    ------
    InputError
        A run is to take from itself, or a record of the other one is damaged or gone.
    ResourceError
        The run directory cannot be written.
    """
    taken = {candidate.label: candidate.taken_from for candidate in run.candidates if candidate.taken_from}
    if not taken:
        return []
    for directory in {origin.directory for origin in taken.values()}:
        if os.path.realpath(directory) == os.path.realpath(run.directory):
            raise InputError(f"structure.run: {directory} is the directory of this very run; name another")
    run.records.extend(list(_missing(run.records, taken.values())))
    now = _Taken(conformers={label: origin.key for label, origin in taken.items()})
    before = _read(run.directory)
    if before != now:
        try:
            write_whole(run.directory / _FILE, json.dumps(now.model_dump()).encode(), durable=False)
        except OSError as error:
            raise ResourceError(f"{run.directory}: cannot be written ({error.strerror})") from None
    return list(_changes(before.conformers, now.conformers, taken)) if before else []


def _missing(here: Records, taken: Iterable[TakenFrom]) -> Iterator[TaskRecord]:
    """Give the records that are not here yet, parents before children."""
    seen: set[str] = set()
    for origin in taken:
        if here.find(origin.key) is None:
            there = Records(origin.directory, only_read=True)
            yield from reversed(
                [ancestor for ancestor in _ancestors(there, origin.key) if not _known(ancestor, here, seen)]
            )


def _known(record: TaskRecord, here: Records, seen: set[str]) -> bool:
    known = record.key in seen or here.find(record.key) is not None
    seen.add(record.key)
    return known


def _ancestors(there: Records, key: str) -> Iterator[TaskRecord]:
    todo = [key]
    while todo:
        record = there.find(todo.pop())
        if isinstance(record, TaskRecord):
            yield record
            todo += record.parents


def _changes(before: dict[str, str], now: dict[str, str], taken: dict[str, TakenFrom]) -> Iterator[str]:
    words = {
        "changed": [label for label in now if label in before and before[label] != now[label]],
        "new": [label for label in now if label not in before],
        "gone": [label for label in before if label not in now],
    }
    said = "; ".join(f"{word}: {', '.join(labels)}" for word, labels in words.items() if labels)
    if said:
        directory = next(iter(taken.values())).directory
        yield f"{directory} is not what this run took from it before ({said}); what follows from that is computed anew"


def _read(directory: Path) -> _Taken | None:
    try:
        return _Taken.model_validate(json.loads((directory / _FILE).read_bytes()))
    except (OSError, ValueError, ValidationError):
        return None
