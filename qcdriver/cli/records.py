"""records: list the calculations of a run, export them, trace one to the input, look for damage."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from qcdriver.cli.arguments import RunDirectory, export_names, stage_names, tell_damage
from qcdriver.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from qcdriver.engines import OrbitalForm
    from qcdriver.models.records import TaskRecord


def records(
    directory: RunDirectory,
    stage: Annotated[str | None, typer.Option(help="Only this stage.", autocompletion=stage_names)] = None,
    label: Annotated[str | None, typer.Option(help="Only labels like this shell pattern: 'E*'.")] = None,
    method: Annotated[str | None, typer.Option(help="Only this method.")] = None,
    success: Annotated[bool | None, typer.Option("--success/--failed", help="Only what gave a number, or not.")] = None,
    export: Annotated[
        str | None,
        typer.Option(
            metavar="FORMAT",
            autocompletion=export_names,
            help="json (whole records), csv, xyz, qcschema, qcschema2, or a plugin's, on standard output; ase (a "
            "database) and parquet, into a file; cube (HOMO and LUMO) and molden (all orbitals), in RUN/cubes and "
            "RUN/molden.",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FILE", help="Export into this new file; cube and molden into this folder."
        ),
    ] = None,
    why: Annotated[
        str | None, typer.Option(metavar="KEY", help="Walk from this record (a key, or how it begins) to the input.")
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Read every record whole; say what is damaged.")] = False,
    repair: Annotated[bool, typer.Option("--repair", help="Move what is damaged into files beside.")] = False,
) -> None:
    """List the calculations of a run, export them, trace one to the input, or look for damage."""
    from rich.console import Console

    from qcdriver import api
    from qcdriver.engines import title
    from qcdriver.report import exports
    from qcdriver.store.lineage import lineage

    asked = {"--export": export, "--why": why, "--check": check, "--repair": repair}
    given = [name for name, value in asked.items() if value]
    if len(given) > 1:
        raise InputError(f"{' and '.join(given)}: one at a time")
    if output and not export:
        raise InputError(f"--output {output}: of which --export?")
    if check or repair:
        _check(directory, repair)
        return
    results = api.open_results(directory)
    store, found = results.store, results.records(stage, label, method, success)
    if why:
        sys.stdout.writelines(f"{line}\n" for ancestor in lineage(store, why) for line in ancestor.told(title))
    elif export == "cube":
        _write_orbitals(found, directory, output or directory / "cubes", "cube")
    elif export == "molden":
        _write_orbitals(found, directory, output or directory / "molden", "molden")
    elif export:
        done = exports.export(found, export, output)
        if done.left_out:
            sys.stderr.write(f"qcdriver: {done.left_out} of {sum(done)} records have nothing to export as {export}\n")
    else:
        Console().print(exports.table(found))
    tell_damage(store)


def _write_orbitals(found: Iterable[TaskRecord], directory: Path, folder: Path, form: OrbitalForm) -> None:
    from qcdriver.report.exports import write_orbitals

    written, left_out = write_orbitals(found, directory, folder, form)
    sys.stdout.writelines(f"{path}\n" for path in written)
    if left_out:
        sys.stderr.write(f"qcdriver: of {left_out} single point(s) no orbitals were kept\n")


def _check(directory: Path, repair: bool) -> None:
    from qcdriver.store import damage

    if repair:
        moved = damage.repair(directory)
        sys.stdout.write(
            f"moved aside: {len(moved.damaged_lines)} line(s) and {len(moved.damaged_files)} task file(s)\n"
        )
    found = damage.check(directory)
    sys.stdout.writelines(f"{line}\n" for line in found.lines_for_person())
    if not found.is_whole:
        raise typer.Exit(1)
