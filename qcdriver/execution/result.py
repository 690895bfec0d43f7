"""What a run found, as Python has it: typed findings, the records behind them, and data frames."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from qcdriver.errors import MissingError
from qcdriver.execution.local.runner import Tally
from qcdriver.models.records import TaskRecord
from qcdriver.report.rows import finding_rows
from qcdriver.workflow.findings import Conformer, Dropped, MirrorCheck, Network, PathFound, Profile, Summary
from qcdriver.workflow.open_run import Run

if TYPE_CHECKING:
    from pandas import DataFrame

T = TypeVar("T")


class Shown(tuple[T, ...]):
    """Findings of one kind, a tuple that a notebook shows as tables and pictures."""

    _html: Callable[[], str]

    @classmethod
    def of(cls, findings: Iterable[T], html: Callable[[], str]) -> Shown[T]:
        """Make it of findings, and of a function that writes their HTML."""
        shown = cls(findings)
        shown._html = html
        return shown

    def _repr_html_(self) -> str:
        return self._html()


@dataclass(frozen=True)
class RunResult:
    """What a run found, typed, and the run directory it stands in.

    Attributes
    ----------
    opened
        The input, its candidates and its run directory.
    summary
        All findings; those that only one stage knows are `summary.stages[NAME]`.
    tally
        How many calculations were `found` in the records, `computed`, or `failed`.
    """

    opened: Run
    summary: Summary
    tally: Tally = field(default_factory=Tally)

    @property
    def directory(self) -> Path:
        """The run directory: records, `summary.json`, pictures."""
        return self.opened.directory

    @property
    def conformers(self) -> Shown[Conformer]:
        """Conformers with energies, gaps and measures, the lowest of a level first; in a notebook, their tables."""
        from qcdriver.report.notebook import conformers_html

        return Shown.of(self.summary.conformers, lambda: conformers_html(self.summary))

    @property
    def profiles(self) -> Shown[Profile]:
        """Energy and gap over the scanned coordinates, one a level; in a notebook, their picture and tables."""
        from qcdriver.report.notebook import profiles_html

        return Shown.of(self.summary.profiles, lambda: profiles_html(self.opened, self.summary))

    def _repr_html_(self) -> str:
        from qcdriver.report.notebook import run_html

        return run_html(self.opened, self.summary)

    @property
    def networks(self) -> tuple[Network, ...]:
        """Minima and the saddles between them: those of the grid, and the verified ones."""
        return self.summary.networks

    @property
    def paths(self) -> tuple[PathFound, ...]:
        """Paths between conformers, with their barriers."""
        return self.summary.paths

    @property
    def mirror_checks(self) -> tuple[MirrorCheck, ...]:
        """Whether conformers and their mirror images have one energy."""
        return self.summary.mirror_checks

    @property
    def dropped(self) -> tuple[Dropped, ...]:
        """What did not go on, by judgement, and why."""
        return self.summary.dropped

    @property
    def failed(self) -> tuple[Dropped, ...]:
        """What is missing because its number could not be computed, and why."""
        return self.summary.failed

    def record(self, key: str) -> TaskRecord:
        """Return the record behind a finding, by its `key`: the geometry is its `molecule`, the number its `result`.

        Raises
        ------
        InputError
            It is damaged or gone.
        """
        return self.opened.record(key)

    def show(self, animated: bool = False, everything: bool = False) -> None:
        """Print the tables, write the page and draw the pictures into the run directory.

        Parameters
        ----------
        animated
            Also the movie of a scan.
        everything
            List all that was dropped, instead of how many for which reason.
        """
        from qcdriver.report.show import show

        show(self.opened, self.summary, animated, everything)

    def to_dataframe(self, kind: str = "conformers") -> DataFrame:
        """Return findings of one kind as a pandas data frame, one row a finding, its verdict as a sentence.

        Parameters
        ----------
        kind
            "conformers", "profiles" (a row a point), "networks" (a row a minimum or saddle), "paths", "mirror_checks",
            "spreads", "dropped" or "failed".

        Raises
        ------
        InputError
            There is no such kind.
        MissingError
            pandas is not installed.
        """
        rows = finding_rows(self.summary, kind)
        try:
            import pandas
        except ImportError:
            raise MissingError("pandas is not installed: pip install pandas") from None
        return pandas.json_normalize(rows)
