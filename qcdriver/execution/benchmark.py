"""Run a folder of crystal structures at several levels, one after another; each is a run directory of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from qcdriver.errors import ConvergenceError, ResourceError
from qcdriver.execution.driver import run_input
from qcdriver.execution.progress import Display
from qcdriver.workflow.benchmark import CrystalRun, CrystalTest, crystal_test
from qcdriver.workflow.open_run import open_run


def run_benchmark(
    runs: Sequence[CrystalRun], results: Path, workers: int | None, display: Display
) -> Iterator[CrystalTest]:
    """Relax every crystal at every level, and give what became of each as soon as that is known.

    What is in the records already is not computed again. A level at which a cluster falls apart, does not converge or
    does not fit this machine is a finding; the others go on.

    Raises
    ------
    QcdriverError
        Bad input, or something is missing on this machine.
    """
    for asked in runs:
        opened = open_run(asked.input, Path(f"{asked.name}.toml"), results)
        display.say(f"{asked.input.title}: records in {opened.directory}")
        failed = None
        try:
            run_input(opened, workers, None, display)
        except (ConvergenceError, ResourceError) as error:
            failed = str(error)
            display.say(f"{asked.input.title}: {failed}")
        yield crystal_test(asked, opened, failed)
