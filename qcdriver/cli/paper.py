"""methods: what a paper says of a run, from its records."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from qcdriver.cli.arguments import RunDirectory, tell_damage


def methods(
    directory: RunDirectory,
    bibtex: Annotated[bool, typer.Option("--bibtex", help="Print the references as BibTeX.")] = False,
    package: Annotated[
        Path | None,
        typer.Option("--zip", metavar="FILE.zip", help="Write all this, structures and records."),
    ] = None,
) -> None:
    """Print the methods paragraph of a run, with programs, versions, settings and DOIs."""
    from qcdriver import api
    from qcdriver.report.paper import Paper, write_zip

    store = api.open_results(directory).store
    if package:
        sys.stdout.writelines(f"{package}: {name}\n" for name in write_zip(store, directory, package))
    else:
        paper = Paper(store)
        sys.stdout.write(paper.bibtex() if bibtex else paper.text())
    tell_damage(store)
