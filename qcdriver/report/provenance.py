"""The records that a run's findings stand on -> who computed them, with what, where, how long."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from qcdriver import engines
from qcdriver.models.base import Frozen
from qcdriver.models.level import Level
from qcdriver.models.records import StageRecord, TaskRecord
from qcdriver.models.tasks import Build
from qcdriver.models.verdicts import Verdict
from qcdriver.store import Records
from qcdriver.workflow.open_run import Run


class LevelUsed(Frozen):
    """A level of theory, how many calculations were made at it, and for which stages."""

    title: str
    level: Level
    calculations: int
    cpu_s: float
    stages: tuple[str, ...]


class Provenance(Frozen):
    """Of all records: levels in the order of their use, versions, machines and times (UTC)."""

    levels: tuple[LevelUsed, ...]
    programs: tuple[str, ...]
    libraries: dict[str, tuple[str, ...]]
    hosts: tuple[str, ...]
    gpus: tuple[str, ...]
    first_utc: str | None
    last_utc: str | None
    cpu_s: float
    calculations: int


def used_records(run: Run) -> list[TaskRecord]:
    """List the records that the verdicts of a run's finished stages are on, and all that these came from, in order."""
    verdicts = (verdict for stage in run.stages for verdict in run.verdicts(type(stage)) or ())
    return _with_ancestors(run.records, verdicts)


def all_used(store: Records) -> list[TaskRecord]:
    """List the same of every stage that has finished in a run directory, whatever input asked for it."""
    stages = (record for record in store if isinstance(record, StageRecord))
    return _with_ancestors(store, (verdict for stage in stages for verdict in stage.verdicts))


def _with_ancestors(store: Records, verdicts: Iterable[Verdict]) -> list[TaskRecord]:
    todo = [verdict.key for verdict in verdicts if verdict.key]
    found: dict[str, TaskRecord] = {}
    while todo:
        key = todo.pop()
        record = store.find(key) if key not in found else None
        if isinstance(record, TaskRecord):
            found[key] = record
            todo += record.parents
    return sorted(found.values(), key=lambda record: record.provenance.started_utc if record.provenance else "")


def provenance(run: Run) -> Provenance:
    """Sum up where the numbers of a run come from."""
    records = used_records(run)
    known = [record.provenance for record in records if record.provenance]
    libraries: dict[str, dict[str, None]] = {}
    for one in known:
        for name, version in one.libraries.items():
            libraries.setdefault(name, {})[version] = None
    return Provenance(
        levels=tuple(levels_used(records)),
        programs=tuple(dict.fromkeys(f"{one.program} {one.program_version}" for one in known)),
        libraries={name: tuple(versions) for name, versions in libraries.items()},
        hosts=tuple(dict.fromkeys(one.host for one in known)),
        gpus=tuple(dict.fromkeys(one.gpu for one in known if one.gpu)),
        first_utc=min((one.started_utc for one in known), default=None),
        last_utc=max((one.started_utc for one in known), default=None),
        cpu_s=sum(one.cpu_s for one in known),
        calculations=len(records),
    )


def levels_used(records: Iterable[TaskRecord]) -> Iterator[LevelUsed]:
    """Give the levels of records in the order of their use."""
    by_level: dict[Level, list[TaskRecord]] = {}
    for record in records:
        if not isinstance(record.task, Build):
            by_level.setdefault(record.level, []).append(record)
    for level, made in by_level.items():
        yield LevelUsed(
            title=engines.title(level),
            level=level,
            calculations=len(made),
            cpu_s=sum(record.provenance.cpu_s for record in made if record.provenance),
            stages=tuple(dict.fromkeys(record.stage for record in made)),
        )
