"""One input and its run directory: what was computed, and what each stage decided."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from qcdriver.errors import InputError
from qcdriver.models.base import Frozen
from qcdriver.models.molecule import Molecule
from qcdriver.models.outcomes import Built
from qcdriver.models.records import StageRecord, TaskRecord
from qcdriver.models.verdicts import Verdict
from qcdriver.store import Records
from qcdriver.systems.base import Candidate
from qcdriver.systems.registry import geometry_of
from qcdriver.workflow.base import Plan, Stage
from qcdriver.workflow.prescreen.stage import candidates_of
from qcdriver.workflow.registry import stages
from qcdriver.workflow.tables import Input
from qcdriver.workflow.variants import run_name

S = TypeVar("S", bound=Frozen)


@dataclass(frozen=True)
class Run:
    """One input and its run directory; what was computed lives in `records`. It is the `RunView` of its stages."""

    input: Input
    candidates: Sequence[Candidate]
    records: Records
    directory: Path
    input_path: Path

    @property
    def stages(self) -> tuple[Stage[Any], ...]:
        """The stages that the input asks for, in order."""
        return tuple(stage for stage in stages() if self.table(stage.Settings) is not None)

    def stage(self, name: str) -> Stage[Any]:
        """Return a stage of the input by its name.

        Raises
        ------
        InputError
            The input does not ask for it.
        """
        for stage in self.stages:
            if stage.name == name:
                return stage
        raise InputError(f"the input has {' and '.join(f'[{stage.name}]' for stage in self.stages)}")

    @cached_property
    def molecule(self) -> Molecule:
        """The geometry of the first candidate, from the records where it was built already."""
        first = self.candidates[0]
        record = self.records.find(first.key)
        if isinstance(record, TaskRecord) and isinstance(record.outcome, Built):
            return record.outcome.molecule
        return geometry_of(first)

    def table(self, settings: type[S]) -> S | None:
        """Return the table of the input that has these settings; None where the input has none."""
        return self.input.table(settings)

    @cached_property
    def _plans(self) -> dict[str, Plan]:
        return {}

    def plan(self, stage: type[Stage[Any]]) -> Plan:
        """Return the plan of a stage; it is made once a run.

        Raises
        ------
        InputError, MissingError
            As `Stage.plan`.
        """
        if stage.name not in self._plans:
            self._plans[stage.name] = stage().plan(self)
        return self._plans[stage.name]

    def verdicts(self, stage: type[Stage[Any]]) -> tuple[Verdict, ...] | None:
        """Return what a stage decided; None if it has not run with this input, or has no table."""
        if self.table(stage.Settings) is None:
            return None
        record = self.records.find(stage().key(self))
        return record.verdicts if isinstance(record, StageRecord) else None

    def require(self, stage: type[Stage[Any]]) -> tuple[Verdict, ...]:
        """Return what a stage decided.

        Raises
        ------
        InputError
            It has not finished with this input.
        """
        verdicts = self.verdicts(stage)
        if verdicts is None:
            raise InputError(
                f"{self.directory}: [{stage.name}] has not finished with this input; run it first (--only {stage.name})"
            )
        return verdicts

    def record(self, key: str) -> TaskRecord:
        """Return the record of a task.

        Raises
        ------
        InputError
            It is damaged or gone.
        """
        record = self.records.find(key)
        if not isinstance(record, TaskRecord):
            raise InputError(f"{self.records.path}: record {key} is damaged or gone; qcdriver run computes it again")
        return record

    def finished(self) -> list[str]:
        """Name the stages that have their verdicts."""
        return [stage.name for stage in self.stages if self.verdicts(type(stage)) is not None]


def open_run(settings: Input, input_path: Path, results: Path, only_read: bool = False) -> Run:
    """Open, or make, the run directory of an input: `results` / the input's name, of a variant / its label.

    Raises
    ------
    InputError
        The directory cannot be written, or a structure file is broken.
    """
    directory = results / run_name(input_path)
    records = Records(directory, only_read)
    found = candidates_of(settings, input_path.parent)
    return Run(settled(settings, found), found, records, directory, input_path)


def settled(settings: Input, found: Sequence[Candidate]) -> Input:
    """Replace settings that leave a choice to the program by what each stage chooses.

    Raises
    ------
    InputError
        As `Stage.settle`.
    """
    for stage in stages():
        table = settings.table(stage.Settings)
        if table is not None:
            chosen = stage.settle(table, settings, lambda: geometry_of(found[0]))
            settings = settings if chosen is table else settings.model_copy(update={stage.name: chosen})
    return settings
