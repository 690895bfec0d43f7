"""compare-runs: what differs between two runs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from qcdriver.cli.arguments import Json, run_directories


def compare_runs(
    a: Annotated[Path, typer.Argument(metavar="A", help="A run directory.", autocompletion=run_directories)],
    b: Annotated[Path, typer.Argument(metavar="B", help="Another.", autocompletion=run_directories)],
    as_json: Json = False,
) -> None:
    """Compare two runs: what differs in input, levels, versions, conformers and profiles."""
    from rich.console import Console

    from qcdriver import api
    from qcdriver.report.tables.run_comparison import print_run_comparison

    found = api.compare_runs(a, b)
    if as_json:
        sys.stdout.write(found.model_dump_json(indent=1) + "\n")
    else:
        print_run_comparison(found, Console())
