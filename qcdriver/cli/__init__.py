"""The verbs. Results go to standard output, progress to standard error; exit codes as in `errors`.

0 done, 1 a calculation failed, 2 bad input, 3 something missing on this machine, 130 interrupted.
"""

from __future__ import annotations

import signal
import sys
from typing import Annotated

import typer

from qcdriver.cli.benchmark import benchmark
from qcdriver.cli.cluster import cancel, status, submit, task
from qcdriver.cli.compare_runs import compare_runs
from qcdriver.cli.describe import reference, schema
from qcdriver.cli.new import new
from qcdriver.cli.paper import methods
from qcdriver.cli.records import records
from qcdriver.cli.run import check, report, run
from qcdriver.cli.structures import build, compare, crystal
from qcdriver.errors import QcdriverError, ResourceError

app = typer.Typer(
    help="Conformers of metal nanoclusters: models, xTB prescreening, DFT, torsional scans, records.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
for _verb in (
    new,
    run,
    report,
    records,
    methods,
    check,
    build,
    crystal,
    compare,
    benchmark,
    compare_runs,
    submit,
    status,
    cancel,
    task,
    reference,
    schema,
):
    app.command()(_verb)


@app.callback(invoke_without_command=True)
def _top(version: Annotated[bool, typer.Option("--version", help="Print the version and end.")] = False) -> None:
    if version:
        from qcdriver import __version__

        sys.stdout.write(f"qcdriver {__version__}\n")
        raise typer.Exit


def _interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt(number, frame)


def main() -> None:
    """Run the command line; every expected error becomes one line and an exit code."""
    for name in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, _interrupt)  # a time limit or a closed terminal leaves no worker and no scratch behind
    try:
        app()
    except QcdriverError as error:
        sys.stderr.write(f"qcdriver: {error}\n")
        sys.exit(error.exit_code)
    except OSError as error:  # a full disk, a folder taken away: what is in the records stays
        sys.stderr.write(f"qcdriver: {error.filename or 'output'}: {error.strerror}\n")
        sys.exit(ResourceError.exit_code)
