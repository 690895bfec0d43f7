"""What a stage is, and what it sees of a run.

A stage says all that is particular to it in one class: its table in the input, what its result follows from, what it
will compute, the rounds of calculations it asks for, and what it found. Everything else (keys, resume, job arrays,
status, summary, tables) loops over `registry.STAGES`.

Work is asked for in rounds of lines. A line is a few calculations one after another, each made from the record of the
one before; the lines of a round are independent and may run side by side, on this machine or as the tasks of a job
array. Because a stage only asks, driving it over records that exist already is a replay, and costs nothing.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal, Protocol, TypeVar

from qcdriver import engines
from qcdriver.engines import Device, Needs
from qcdriver.models.base import Frozen
from qcdriver.models.level import Level, Resources
from qcdriver.models.molecule import Molecule
from qcdriver.models.records import TaskRecord
from qcdriver.models.tasks import Task
from qcdriver.models.verdicts import Purpose, Verdict
from qcdriver.store import Records, content_key

if TYPE_CHECKING:
    from pydantic import JsonValue

    from qcdriver.systems.base import Candidate
    from qcdriver.workflow.findings import Findings
    from qcdriver.workflow.tables import Input

T = TypeVar("T")
S = TypeVar("S", bound=Frozen)


@dataclass(frozen=True)
class Job:
    """A task and the label a person knows it by.

    Attributes
    ----------
    purpose
        What it is for; None where a campaign that an older program submitted does not say.
    parents
        Keys of the records its geometry comes from.
    independent_start
        Whether an SCF must begin with its own guess, not with the orbitals of a neighbour: what checks another number
        would check little if it began with that one's orbitals.
    """

    label: str
    task: Task
    purpose: Purpose | None
    parents: tuple[str, ...] = ()
    independent_start: bool = False


Line = Generator[Job, TaskRecord, T]
"""Yields a job, receives its record, and so on; returns what these led to."""

Rounds = Generator[Sequence[Line[Any]], list[Any], list[Verdict]]
"""Yields the lines of a round, receives what each returned, in order; returns a verdict on all that was tried."""

RunRound = Callable[[Sequence[Line[Any]]], list[Any]]
"""Drives the lines of one round to their ends."""


def alone(job: Job) -> Line[TaskRecord]:
    """Make a line of one job; it returns the record."""
    return (yield job)


def follow(rounds: Rounds, run_round: RunRound) -> list[Verdict]:
    """Drive the rounds of a stage to their end."""
    try:
        lines = next(rounds)
        while True:
            lines = rounds.send(run_round(lines))
    except StopIteration as end:
        verdicts: list[Verdict] = end.value
        return verdicts


class JobArray(Frozen):
    """One round of a stage as a job array of at most `width` tasks.

    `work`: a task does one line, which it can make alone ("line", `Stage.first_line`), or one job of those that the
    round's first task found out from the records and wrote down ("job").
    """

    width: int
    work: Literal["line", "job"]


class Plan(Frozen):
    """What a stage will do on this machine, known before anything has run.

    Attributes
    ----------
    levels
        Levels of theory it computes at; the first is the one its energies are compared at.
    sentence
        The levels and the device, for a person.
    calculations
        How many calculations, at most or at least, for a person.
    expected
        How many lines it will have in all, where its rounds do not name them at once; None: unknown.
    side_by_side
        About how many of them run at the same time at most; None: as many as a round has.
    """

    levels: tuple[Level, ...]
    sentence: str
    calculations: str
    device: Device = "cpu"
    expected: int | None = None
    side_by_side: int | None = None


class RunView(Protocol):
    """What a stage sees of a run: the input, the candidates, and what was computed and decided so far."""

    @property
    def input(self) -> Input:
        """The whole input."""

    @property
    def candidates(self) -> Sequence[Candidate]:
        """What the run starts from."""

    @property
    def records(self) -> Records:
        """All that was computed."""

    @property
    def directory(self) -> Path:
        """The run directory, for messages."""

    @property
    def molecule(self) -> Molecule:
        """The geometry of the first candidate; all candidates of models have its composition and bonds."""

    def table(self, settings: type[S]) -> S | None:
        """Return the table of the input that has these settings; None where the input has none."""

    def plan(self, stage: type[Stage[Any]]) -> Plan:
        """Return the plan of a stage; it is made once a run."""

    def verdicts(self, stage: type[Stage[Any]]) -> tuple[Verdict, ...] | None:
        """Return what a stage decided; None if it has not run with this input, or has no table."""

    def require(self, stage: type[Stage[Any]]) -> tuple[Verdict, ...]:
        """Return what a stage decided.

        Raises
        ------
        InputError
            It has not finished with this input.
        """

    def record(self, key: str) -> TaskRecord:
        """Return the record of a task.

        Raises
        ------
        InputError
            It is damaged or gone.
        """


class Stage(ABC, Generic[S]):
    """One stage: everything that is particular to it.

    Attributes
    ----------
    name
        The table in the input and the word in records.
    Settings
        That table; its docstring and fields are the reference.
    after
        The stages whose verdicts it may read.
    orbitals_of
        The stages whose orbitals its calculations may begin with, and which stay on disk until it is over.
    not_in_key
        Settings that do not change this stage's result and are left out of its key.
    not_in_any_key
        Those of them that change no other stage's result either: what stays on disk, say.
    runs_without_table
        Whether the stage runs with its defaults where the input has no table of it.
    stops_run_when_empty
        Whether a run ends with an error when this stage kept nothing.
    example
        Its table as a new input has it, where that needs more than a name: keys without a default, with values.
    """

    name: ClassVar[str]
    Settings: type[S]
    after: ClassVar[tuple[type[Stage[Any]], ...]] = ()
    orbitals_of: ClassVar[tuple[type[Stage[Any]], ...]] = ()
    not_in_key: ClassVar[frozenset[str]] = frozenset()
    not_in_any_key: ClassVar[frozenset[str]] = frozenset()
    runs_without_table: ClassVar[bool] = False
    stops_run_when_empty: ClassVar[bool] = False
    example: ClassVar[str] = ""

    def settings(self, run: RunView) -> S:
        """Return this stage's table of a run that has it."""
        table = run.table(self.Settings)
        assert table is not None
        return table

    def key(self, run: RunView) -> str:
        """Hash what the stage starts from and its settings. The machine does not enter the key."""
        left_out = {*self.not_in_key, *self.not_in_any_key}
        # Only what differs from the defaults: a new option must not make a finished run unfinished.
        table = self.settings(run).model_dump(mode="json", exclude_defaults=True, exclude=left_out)
        return content_key({"stage": self.name, "settings": table, **self.starts_from(run)})

    def check_tables(self, tables: Input) -> None:
        """Refuse an input whose tables do not fit together; nothing is read or built for that.

        Raises
        ------
        ValueError
            One line that names the table.
        """

    def settle(self, table: S, tables: Input, molecule: Callable[[], Molecule]) -> S:  # noqa: ARG002
        """Replace settings that leave a choice to the program by what it chooses; the same on every machine.

        Raises
        ------
        InputError
        """
        return table

    def check_levels(self, run: RunView, molecules: Sequence[Molecule]) -> None:
        """Refuse levels that cannot compute these molecules, whose atoms may be at places that mean nothing.

        It is called before a model is built, so that a wrong word in the input is told at once.

        Raises
        ------
        InputError, MissingError
            An input error names the table.
        """

    def check(self, run: RunView, molecules: Sequence[Molecule]) -> None:
        """Refuse what cannot work for these molecules, before hours are spent; their levels were checked before.

        Raises
        ------
        InputError, MissingError
            An input error names the table.
        """

    def waits_for(self, run: RunView) -> tuple[type[Stage[Any]], ...]:
        """Return the stages that have to end before this one begins: by default all of `after` in the input."""
        return tuple(stage for stage in self.after if run.table(stage.Settings) is not None)

    def resources_of(self, run: RunView) -> type[Stage[Any]]:  # noqa: ARG002
        """Return the stage whose table in [resources] this one takes: by default its own."""
        return type(self)

    @abstractmethod
    def starts_from(self, run: RunView) -> dict[str, JsonValue]:
        """Return what fixes the stage's result beside its settings, by name."""

    @abstractmethod
    def plan(self, run: RunView) -> Plan:
        """Return what the stage will do on this machine.

        Raises
        ------
        InputError
        MissingError
            An engine or a device is not on this machine.
        """

    def needs(self, run: RunView, plan: Plan, resources: Resources) -> Needs:
        """Return what one calculation of this stage needs; by default an energy at its first level.

        Raises
        ------
        InputError
        """
        return engines.estimate(run.molecule, plan.levels[0], resources)

    @abstractmethod
    def rounds(self, run: RunView, plan: Plan) -> Rounds:
        """Return the generator of the stage's rounds.

        Raises
        ------
        InputError
            An earlier stage has not finished.
        """

    def first_line(self, run: RunView, plan: Plan, index: int) -> Line[Any]:
        """Return one line of the first round."""
        return next(self.rounds(run, plan))[index]

    def job_arrays(self, run: RunView) -> tuple[JobArray, ...]:  # noqa: ARG002
        """Return its rounds as job arrays; none: one job does the whole stage, whose rounds are short and many.

        Known from the input and the candidates alone. After the first round a line has one job.
        """
        return ()

    def advice(self, verdicts: Sequence[Verdict]) -> str:  # noqa: ARG002
        """Return what a user may change in the input when nothing was kept; empty: nothing to say."""
        return ""

    @abstractmethod
    def findings(self, run: RunView) -> Findings | None:
        """Return what the finished stage found, from the records alone; None if it has not finished."""


def kept_keys(verdicts: Sequence[Verdict] | None) -> list[JsonValue]:
    """List the keys of what a stage kept, in its order."""
    return [verdict.key for verdict in verdicts or () if verdict.kept]
