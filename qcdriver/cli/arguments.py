"""Arguments that several verbs take, and what several say."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from qcdriver.store import Records


def stage_names() -> list[str]:
    """List what a shell completes to the name of a stage."""
    from qcdriver.workflow.registry import stages

    return [stage.name for stage in stages()]


def export_names() -> list[str]:
    """List what a shell completes to a format of `records --export`."""
    from qcdriver.report.exports import exports

    return [*exports(), "cube", "molden"]


def run_directories(incomplete: str) -> list[str]:
    """List the run directories below a folder that is being typed, or below results/."""
    folder = Path(incomplete).parent if "/" in incomplete else Path("results")
    found = sorted(path.parent for depth in ("*", "*/*") for path in folder.glob(f"{depth}/records.jsonl"))
    return [str(path) for path in found if str(path).startswith(incomplete)]


Input = Annotated[Path, typer.Argument(metavar="INPUT.toml", help="The input file.")]
RunDirectory = Annotated[
    Path, typer.Argument(metavar="RUN", help="A run directory: results/NAME.", autocompletion=run_directories)
]
Results = Annotated[Path, typer.Option(metavar="DIR", help="Where run directories are.")]
RunOrInput = Annotated[
    Path,
    typer.Argument(
        metavar="RUN", help="A run directory, results/NAME; or its input file.", autocompletion=run_directories
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for another program.")]


def tell_damage(store: Records) -> None:
    """Say on standard error that a run's records are not whole."""
    if store.damaged_lines:
        sys.stderr.write(f"qcdriver: {store.path}: {store.damaged_lines} damaged line(s) were stepped over\n")
