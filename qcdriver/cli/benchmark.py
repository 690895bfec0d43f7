"""benchmark: how well levels keep the clusters of a folder of crystal structures."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from qcdriver.cli.arguments import Json, Results
from qcdriver.cli.run import INTERRUPTED


def benchmark(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Every NAME.cif in it is taken.")],
    level: Annotated[
        list[str] | None,
        typer.Option(
            metavar="METHOD[/SOLVENT]|INPUT.toml",
            help="A level, or an input that has it; else GFN-FF, GFN1-xTB and GFN1-xTB/ch2cl2.",
        ),
    ] = None,
    phosphine: Annotated[
        str | None, typer.Option(metavar="PH3|PMe3", help="Cut the phosphine ligands down to this first.")
    ] = None,
    results: Results = Path("results/benchmark"),
    jobs: Annotated[int | None, typer.Option(min=1, help="Relaxations at a time.")] = None,
    as_json: Json = False,
) -> None:
    """Relax the clusters of crystal structures at several levels, and tabulate how far each moves them."""
    from rich.console import Console

    from qcdriver import api
    from qcdriver.report.tables.benchmark import print_benchmark

    try:
        found = api.benchmark(folder, level, results, phosphine, jobs, progress=True)
    except KeyboardInterrupt:
        sys.stderr.write("interrupted; what was done is kept, and the same command goes on from there\n")
        raise typer.Exit(INTERRUPTED) from None
    if as_json:
        sys.stdout.write(json.dumps(found.model_dump(mode="json"), indent=1) + "\n")
    else:
        print_benchmark(found, Console())
    if any(test.fidelity is None for test in found.tests):
        raise typer.Exit(1)
