"""What a person sees while a run goes on, on standard error: live bars on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

from qcdriver.models.outcomes import Band, ExcitedStates, Failure, Frequencies, Outcome, Relaxed, Result
from qcdriver.models.records import TaskRecord
from qcdriver.units import EV, KCAL_MOL, duration

QUIET_S = 60.0
"""Without a terminal, a running calculation reports at most this often."""


class Display:
    """Follows a run round by round; a context manager. One that is `quiet` shows nothing."""

    def __init__(self, quiet: bool = False) -> None:
        self.quiet = quiet
        self.console = Console(stderr=True, highlight=False, quiet=quiet)
        self._live = self.console.is_terminal and not quiet
        self._bars = Bars(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=16),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[note]}", markup=False),
            console=self.console,
            transient=True,
            disable=not self._live,
        )
        self._batch: Batch | None = None

    def __enter__(self) -> Display:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()

    def say(self, line: str) -> None:
        """Print one line that stays."""
        self.console.print(line, markup=False, soft_wrap=True)

    def batch(self, stage: str, n_lines: int, before: int = 0, expected: int = 0) -> Batch:
        """Begin a round of lines of calculations that run side by side.

        A stage that finds out as it goes what comes next (a scan) says how many it `expected` in all, of which
        `before` are done; a round that stands alone says nothing.
        """
        return Batch(self, stage, before, max(expected, before + n_lines))


class Batch:
    """A round of lines: which calculations are running, how far, and the time left."""

    def __init__(self, display: Display, stage: str, before: int, total: int) -> None:
        self._display, self._stage = display, stage
        self._before, self._total, self._done = before, total, 0
        self._started = self._last_line = time.monotonic()
        self._bar = display._bars.add_task(stage, total=total, completed=before, note="")
        self._rows: dict[int, TaskID] = {}
        self._labels: dict[int, str] = {}

    def begin(self, position: int, label: str) -> None:
        """Name what a line now waits for."""
        self._labels[position] = label

    def advance(self, position: int, text: str) -> None:
        """Show the newest word of one running calculation."""
        label = self._labels[position]
        if self._display._live:
            if position not in self._rows:
                self._rows[position] = self._display._bars.add_task(f"  {label}", total=None, note="")
            self._display._bars.update(self._rows[position], note=text)
        elif time.monotonic() - self._last_line > QUIET_S:
            self._last_line = time.monotonic()
            self._display.say(f"{self._stage}: {label}: {text}")

    def finish(self, position: int, record: TaskRecord, lines_done: int) -> None:
        """Say in one line what came of a calculation, and, as lines get done by it, how long the rest may take."""
        self._done += lines_done
        self._last_line = time.monotonic()
        if position in self._rows:
            self._display._bars.remove_task(self._rows.pop(position))
        left = self._left() if lines_done else ""
        if lines_done:
            self._display._bars.update(self._bar, advance=lines_done, note=left)
        took = f" ({duration(record.provenance.wall_s)})" if record.provenance else ""
        counted = f"{self._stage} {self._before + self._done}/{self._total}" if lines_done else self._stage
        suffix = f"; {left}" if left and not self._display._live else ""
        self._display.say(f"{counted}: {record.label}: {told(record.outcome)}{took}{suffix}")

    def close(self) -> None:
        """Clear the bars of this batch."""
        for row in (self._bar, *self._rows.values()):
            self._display._bars.remove_task(row)

    def _left(self) -> str:
        remaining = self._total - self._before - self._done
        if not remaining:
            return ""
        seconds_each = (time.monotonic() - self._started) / self._done
        return f"about {duration(seconds_each * remaining)} left"


def told(outcome: Outcome) -> str:
    """Say what came of a calculation in a few words."""
    if isinstance(outcome, Failure):
        return f"FAILED: {outcome.message}"
    if isinstance(outcome, Relaxed):
        return f"E = {outcome.result.energy:.6f} hartree after {outcome.n_gradients} gradients"
    if isinstance(outcome, Band):
        barrier = (max(outcome.energies) - outcome.energies[0]) * KCAL_MOL
        return f"barrier {barrier:.2f} kcal/mol after {outcome.n_gradients} gradients"
    if isinstance(outcome, Frequencies):
        return f"{outcome.n_imaginary} imaginary after {outcome.n_gradients} gradients"
    if isinstance(outcome, ExcitedStates):
        return f"{len(outcome.states)} excited states from {outcome.states[0].energy * EV:.2f} eV"
    if isinstance(outcome, Result):
        cycles = outcome.n_cycles
        return f"E = {outcome.energy:.6f} hartree" + (f" after {cycles} SCF cycles" if cycles else "")
    return outcome.molecule.formula
