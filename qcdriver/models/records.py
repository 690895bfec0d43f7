"""Records: a task with its outcome, a stage with its verdicts; one JSON object a line on disk."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from qcdriver.models.base import Frozen
from qcdriver.models.level import Level
from qcdriver.models.molecule import Molecule
from qcdriver.models.outcomes import Band, Built, ExcitedStates, Frequencies, Outcome, Relaxed, Result
from qcdriver.models.tasks import Build, Task
from qcdriver.models.verdicts import Purpose, Verdict


class Provenance(Frozen):
    """Who computed a record, with what, where, how long; `peak_memory_mb` of its process up to its end.

    `gpu`: the models that the process saw, of a calculation on the GPU.
    """

    program: str = "qcdriver"
    program_version: str
    libraries: dict[str, str]
    host: str
    python: str
    threads: int
    device: str | None = None
    gpu: str | None = None
    started_utc: str
    wall_s: float
    cpu_s: float
    peak_memory_mb: float | None = None


class TaskRecord(Frozen):
    """One task and what came of it, whole in one line of `records.jsonl`; no provenance: its process died.

    `purpose`: what it was first computed for, None where an older program did not say. `parents`: keys of the records
    its geometry comes from; `input_sha256`: of the input file it was computed for.
    """

    schema_name: Literal["qcdriver_task"] = "qcdriver_task"
    schema_version: Literal[4] = 4
    key: str
    stage: str
    label: str
    purpose: Purpose | None = None
    task: Task
    outcome: Outcome
    provenance: Provenance | None
    parents: tuple[str, ...] = ()
    input_sha256: str | None = None

    @property
    def success(self) -> bool:
        """Whether there is a number."""
        return self.outcome.kind != "failure"

    @property
    def level(self) -> Level:
        """The level it was computed at; a model that was built has none."""
        assert not isinstance(self.task, Build)
        return self.task.level

    @property
    def molecule(self) -> Molecule | None:
        """Where it ended: the model built, the geometry relaxed or computed, the highest image; None if it failed."""
        if isinstance(self.outcome, Built | Relaxed):
            return self.outcome.molecule
        if isinstance(self.outcome, Band):
            return self.outcome.images[self.outcome.highest]
        if isinstance(self.outcome, Result | Frequencies | ExcitedStates) and not isinstance(self.task, Build):
            return self.task.molecule
        return None

    @property
    def result(self) -> Result | None:
        """The engine's result at `molecule`; None for a model and a failure."""
        if isinstance(self.outcome, Relaxed | Band | Frequencies | ExcitedStates):
            return self.outcome.result
        return self.outcome if isinstance(self.outcome, Result) else None


class StageRecord(Frozen):
    """What a stage made of its tasks: every candidate with its verdict, so that nothing is dropped silently.

    `key` hashes the settings the stage ran with and what it started from, so a later stage finds it on any machine.
    """

    schema_name: Literal["qcdriver_stage"] = "qcdriver_stage"
    schema_version: Literal[4] = 4
    key: str
    stage: str
    verdicts: tuple[Verdict, ...]
    program_version: str
    finished_utc: str


Record = Annotated[TaskRecord | StageRecord, Field(discriminator="schema_name")]
