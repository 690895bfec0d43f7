"""build, crystal, compare: geometries, before anything is computed and after."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from qcdriver.cli.arguments import Input, Json
from qcdriver.errors import InputError
from qcdriver.systems.comparison import SAME_ANGSTROM


def build(
    input_file: Input,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="Where the XYZ files go.")],
) -> None:
    """Write the geometry models as extended XYZ, and say what they are."""
    from qcdriver import api
    from qcdriver.geometry.description import describe

    models = api.build(input_file)
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{output}: cannot be made ({error.strerror})") from None
    for label, molecule, notes in models:
        path = output / f"{label}.xyz"
        api.write_xyz(path, molecule, label)
        for line in (f"{path}: {describe(molecule)}", *(f"{label}: {note}" for note in notes)):
            sys.stdout.write(f"{line}\n")


def crystal(
    file: Annotated[Path, typer.Argument(metavar="FILE.cif", help="A crystal structure.")],
    block: Annotated[str | None, typer.Option(help="The data block, when the file has several with atoms.")] = None,
    as_json: Json = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="DIR", help="Write one extended XYZ a molecule there.")
    ] = None,
    contacts: Annotated[bool, typer.Option("--contacts", help="Also list the closest contacts.")] = False,
) -> None:
    """List the whole molecules of a crystal structure: roles, charges, disorder, what the file has wrong."""
    from rich.console import Console

    from qcdriver.io.cif import read_crystal

    found = read_crystal(file, block)
    paths = found.write(output) if output else []
    if as_json:
        sys.stdout.write(json.dumps(found.to_json(contacts), indent=1, ensure_ascii=False) + "\n")
        return
    console = Console()
    console.print(f"data block {found.block}, space group {found.space_group}", markup=False, highlight=False)
    console.print(found.table())
    if contacts:
        console.print(found.contact_table())
    lines = [*found.remarks, *(f"warning: {warning}" for warning in found.warnings), *map(str, paths)]
    for line in lines:
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def compare(
    files: Annotated[
        list[str], typer.Argument(metavar="FILE.xyz...", help="Conformers; FILE.xyz@2 is the third molecule of a file.")
    ],
    charge: Annotated[int | None, typer.Option(help="Total charge, where a file does not say.")] = None,
    multiplicity: Annotated[int | None, typer.Option(min=1, help="2S + 1, where a file does not say.")] = None,
    tolerance: Annotated[
        float, typer.Option(metavar="ANGSTROM", help="RMSD of all atoms up to which two structures are the same.")
    ] = SAME_ANGSTROM,
    as_json: Json = False,
    picture: Annotated[
        Path | None, typer.Option("--picture", "-o", metavar="FILE.png", help="Draw the cores on top of each other.")
    ] = None,
) -> None:
    """Compare conformers: RMSD, hands and mirror images, bonds and angles by symmetry orbit, chirality, twist."""
    from rich.console import Console

    from qcdriver.io.conformer_files import read_conformers
    from qcdriver.report.pictures.overlay import draw_overlay
    from qcdriver.report.tables.comparison import print_comparison
    from qcdriver.systems.comparison import compare as conformers

    molecules, labels = read_conformers(files, charge, multiplicity)
    found = conformers.compare(molecules, labels, tolerance)
    if picture:
        draw_overlay(molecules, found, picture)
    if as_json:
        sys.stdout.write(found.model_dump_json(indent=1) + "\n")
        return
    print_comparison(found, Console())
    if picture:
        sys.stdout.write(f"picture: {picture}\n")
