"""Arguments that several verbs take, and what several say."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from qcdriver.records import Records

Input = Annotated[Path, typer.Argument(metavar="INPUT.toml", help="The input file.")]
Results = Annotated[Path, typer.Option(metavar="DIR", help="Where run directories are.")]
RunOrInput = Annotated[Path, typer.Argument(metavar="RUN", help="A run directory, results/NAME; or its input file.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for another program.")]


def tell_damage(store: Records) -> None:
    """Say on standard error that a run's records are not whole."""
    if store.damaged_lines:
        sys.stderr.write(f"qcdriver: {store.path}: {store.damaged_lines} damaged line(s) were stepped over\n")
