"""new: a commented input from a few flags."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from qcdriver.cli.arguments import stage_names
from qcdriver.errors import InputError


def new(
    input_file: Annotated[Path, typer.Argument(metavar="INPUT.toml", help="The input to write; a new file.")],
    origins: Annotated[
        list[str],
        typer.Option("--from", metavar="FILE|MODEL", help="FILE.xyz or FILE.cif, several times; or au13ag12..."),
    ],
    stages: Annotated[
        list[str] | None,
        typer.Option("--stage", metavar="STAGE", help="What to compute, several times.", autocompletion=stage_names),
    ] = None,
    title: Annotated[str | None, typer.Option(help="Made from the file's name where it is not given.")] = None,
    charge: Annotated[int | None, typer.Option(help="Total charge, where the files do not say.")] = None,
    multiplicity: Annotated[int | None, typer.Option(min=1, help="2S + 1, where the files do not say.")] = None,
) -> None:
    """Write a commented input: the tables asked for, and every other key beside its default."""
    from qcdriver.report.new_input import new_input
    from qcdriver.store.files import write_whole
    from qcdriver.workflow.input import read_input
    from qcdriver.workflow.variants import run_name

    run_name(input_file)
    if input_file.exists():
        raise InputError(f"{input_file}: is there already; name a new file")
    named = title or input_file.stem.replace("-", " ").replace("_", " ")
    text = new_input(named, origins, stages or [], charge, multiplicity, input_file.parent)
    try:
        write_whole(input_file, text.encode(), durable=False)
    except OSError as error:
        raise InputError(f"{input_file}: cannot be written ({error.strerror})") from None
    read_input(input_file)
    quoted = shlex.quote(str(input_file))
    sys.stdout.write(
        f"{input_file}\nsee what it would compute: qcdriver check {quoted}\ncompute: qcdriver run {quoted}\n"
    )
