"""Trace the geometry of a record back to the input, through the records it came from."""

from __future__ import annotations

from collections.abc import Callable

from qcdriver.models.base import Frozen
from qcdriver.models.level import Level
from qcdriver.models.outcomes import Failure
from qcdriver.models.records import TaskRecord
from qcdriver.models.tasks import Build
from qcdriver.store.records import Records


class Ancestor(Frozen):
    """One record on the way back; `generation` 0 is the one asked for. Without a `record` it is not in the file."""

    generation: int
    key: str
    record: TaskRecord | None

    def told(self, title: Callable[[Level], str]) -> list[str]:
        """Return lines for a person; `title` names a level."""
        margin = "    " * self.generation
        if self.record is None:
            return [f"{margin}{self.key}: this record is not here (damaged, or left behind)"]
        return [f"{margin}{line}" for line in _in_words(self.record, title)]


def lineage(records: Records, prefix: str) -> list[Ancestor]:
    """Return the record whose key begins with a prefix, and all that its geometry came from, parents after children.

    Raises
    ------
    InputError
        No key begins so, or more than one.
    """
    first = records.find_task(prefix)
    found: list[Ancestor] = []
    seen: set[str] = set()
    todo = [(0, first.key)]
    while todo:
        generation, key = todo.pop()
        if key in seen:
            continue
        seen.add(key)
        record = records.find(key)
        task_record = record if isinstance(record, TaskRecord) else None
        found.append(Ancestor(generation=generation, key=key, record=task_record))
        if task_record is not None:
            todo += [(generation + 1, parent) for parent in reversed(task_record.parents)]
    return found


def _in_words(record: TaskRecord, title: Callable[[Level], str]) -> list[str]:
    task = record.task
    level = "geometry model" if isinstance(task, Build) else f"{title(task.level)} {task.level.engine_version}"
    return [
        f"{record.stage} {record.label}: {level}, {_number(record)}",
        f"  key {record.key}",
        f"  by {_made(record)}",
        f"  geometry: {_origin(record)}",
        f"  input sha256: {record.input_sha256 or 'not recorded'}",
    ]


def _number(record: TaskRecord) -> str:
    if isinstance(record.outcome, Failure):
        return f"FAILED: {record.outcome.message}"
    if record.result is not None:
        return f"E = {record.result.energy:.8f} hartree"
    return record.molecule.formula if record.molecule else record.outcome.kind


def _made(record: TaskRecord) -> str:
    made = record.provenance
    if made is None:
        return "a process that died"
    libraries = ", ".join(f"{name} {version}" for name, version in made.libraries.items())
    spent = f"{made.wall_s:.1f} s on {made.threads} thread(s) of {made.host} ({made.device or 'cpu'})"
    return f"{made.program} {made.program_version} ({libraries}), {made.started_utc}, {spent}"


def _origin(record: TaskRecord) -> str:
    task = record.task
    if isinstance(task, Build):
        return f"built: {task.source}, start {task.start}, seed {task.seed}"
    if record.parents:
        return "of the record below" if len(record.parents) == 1 else f"of the {len(record.parents)} records below"
    # Version 1 named neither parents nor input.
    return "not recorded" if record.input_sha256 is None else "as the input gives it"
