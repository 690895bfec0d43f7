"""The verbs. Results go to standard output, progress to standard error; exit codes as in `errors`.

0 done, 1 a calculation failed, 2 bad input, 3 something missing on this machine, 130 interrupted.
"""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from qcdriver.errors import InputError, QcdriverError, ResourceError

if TYPE_CHECKING:
    from qcdriver.pipeline import Run
    from qcdriver.plan import Plan
    from qcdriver.records import Records

INTERRUPTED = 130
"""128 + SIGINT, as shells have it; Typer ends with the same."""

app = typer.Typer(
    help="Conformers of metal nanoclusters: models, xTB prescreening, DFT, torsional scans, records.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
Input = Annotated[Path, typer.Argument(metavar="INPUT.toml", help="The input file.")]
Results = Annotated[Path, typer.Option(metavar="DIR", help="Where run directories are.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for another program.")]


@app.callback(invoke_without_command=True)
def _top(version: Annotated[bool, typer.Option("--version", help="Print the version and end.")] = False) -> None:
    if version:
        from qcdriver import __version__

        sys.stdout.write(f"qcdriver {__version__}\n")
        raise typer.Exit


@app.command()
def run(
    input_file: Input,
    results: Results = Path("results"),
    jobs: Annotated[
        int | None, typer.Option(min=1, help="Relaxations at a time; the cores are shared out among them.")
    ] = None,
    only: Annotated[
        Literal["prescreen", "scan", "dft"] | None, typer.Option(help="One stage, from the records of the earlier.")
    ] = None,
) -> None:
    """Run the whole funnel here, resuming what is there; ends with the table and the picture."""
    from qcdriver import pipeline
    from qcdriver.config import read_settings
    from qcdriver.execution.progress import Display

    settings = read_settings(input_file)
    this = pipeline.open_run(settings, input_file, results)
    with Display() as display:
        display.say(f"{settings.title}: records in {this.directory}")
        try:
            summary, tally = pipeline.run(this, jobs, only, display)
        except KeyboardInterrupt:
            display.say("interrupted; what was done is kept, and the same command goes on from there")
            raise typer.Exit(INTERRUPTED) from None
    _show(this, summary)
    computed = f"computed {tally.computed} calculations" if tally.computed else "nothing to compute"
    display.say(f"{computed}; {tally.found} were in the records already; {len(tally.failed)} failed")
    if summary.failed:
        raise typer.Exit(1)


@app.command()
def report(input_file: Input, results: Results = Path("results"), as_json: Json = False) -> None:
    """Print the tables and draw the picture from the records; computes nothing."""
    from qcdriver.config import read_settings
    from qcdriver.pipeline import open_run
    from qcdriver.summary import summarize

    settings = read_settings(input_file)
    this = open_run(settings, input_file, results, only_read=True)
    stages = this.stages()
    if not stages:
        raise InputError(f"{this.directory}: no stage has finished with this input; qcdriver run {input_file}")
    summary = summarize(settings, stages, this.records)
    _tell_damage(this.records)
    if as_json:
        sys.stdout.write(summary.model_dump_json(indent=1) + "\n")
    else:
        _show(this, summary)


@app.command()
def records(
    directory: Annotated[Path, typer.Argument(metavar="RUN", help="A run directory: results/NAME.")],
    stage: Annotated[Literal["build", "prescreen", "scan", "dft"] | None, typer.Option(help="Only this stage.")] = None,
    failed: Annotated[bool, typer.Option("--failed", help="Only what failed.")] = False,
    export: Annotated[
        Literal["json", "csv", "xyz"] | None, typer.Option(help="Print whole records, rows, or geometries.")
    ] = None,
) -> None:
    """List the calculations of a run, or export them to standard output."""
    from rich.console import Console

    from qcdriver import export as exports
    from qcdriver.records import Records
    from qcdriver.schema import TaskRecord

    store = Records(directory, only_read=True)
    found = [each for each in store if isinstance(each, TaskRecord)]
    found = [each for each in found if stage in (None, each.stage) and not (failed and each.success)]
    if export == "json":
        sys.stdout.writelines(each.model_dump_json() + "\n" for each in found)
    elif export == "csv":
        exports.write_csv(found, sys.stdout)
    elif export == "xyz":
        exports.write_xyz(found, sys.stdout)
    else:
        Console().print(exports.table(found))
    _tell_damage(store)


@app.command()
def build(
    input_file: Input,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="Where the XYZ files go.")],
) -> None:
    """Write the geometry models as extended XYZ, and say what they are."""
    from qcdriver.candidates import candidates, geometry_of
    from qcdriver.config import read_settings
    from qcdriver.structures.description import describe
    from qcdriver.structures.files import write_xyz

    settings = read_settings(input_file)
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{output}: cannot be made ({error.strerror})") from None
    for candidate in candidates(settings, input_file.parent):
        molecule = geometry_of(candidate)
        path = output / f"{candidate.label}.xyz"
        write_xyz(path, molecule, candidate.label)
        sys.stdout.write(f"{path}: {describe(molecule)}\n")


@app.command()
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

    from qcdriver.structures.crystal import read_crystal

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


@app.command()
def check(
    input_file: Annotated[
        Path | None, typer.Argument(metavar="[INPUT.toml]", help="Also check an input, and say what it would run.")
    ] = None,
    as_json: Json = False,
) -> None:
    """List engines, versions, threads, memory and GPU, and the command that installs what is missing."""
    from qcdriver.execution.machine import machine_status

    status = machine_status()
    planned = _plan(input_file) if input_file else None
    if as_json:
        whole = {"machine": status.model_dump(), "plan": planned.model_dump() if planned else None}
        sys.stdout.write(json.dumps(whole, indent=1) + "\n")
        return
    lines = [
        f"qcdriver {status.program_version}, Python {status.python}",
        f"threads {status.threads}, memory {status.memory_mb} MB",
        *(f"{each.name}: {each.version or 'missing: ' + str(each.missing)}" for each in status.engines),
        f"GPU: {status.gpu_missing or 'usable'}",
    ]
    if planned:
        lines += [
            "",
            f"{planned.title}: {planned.formula}, {planned.n_atoms} atoms, {planned.n_electrons} electrons",
            f"candidates: {', '.join(planned.candidates)}",
            *(
                f"{each.stage}: {each.level} {each.engine_version}, "
                f"{each.n_basis_functions or 'unknown'} basis functions, {each.calculations}"
                for each in planned.stages
            ),
        ]
    sys.stdout.write("\n".join(lines) + "\n")


def _plan(input_file: Path) -> Plan:
    from qcdriver.config import read_settings
    from qcdriver.plan import plan

    settings = read_settings(input_file)
    try:
        return plan(settings, input_file.parent)
    except InputError as error:
        raise InputError(f"{input_file}: {error}") from None


def _tell_damage(store: Records) -> None:
    if store.damaged_lines:
        sys.stderr.write(f"qcdriver: {store.path}: {store.damaged_lines} damaged line(s) were stepped over\n")


def _show(this: Run, summary: object) -> None:
    from rich.console import Console

    from qcdriver.report import plot_profiles, print_summary
    from qcdriver.summary import Summary

    assert isinstance(summary, Summary)
    print_summary(summary, Console())
    picture = this.directory / "profile.png"
    try:
        if plot_profiles(summary, picture):
            sys.stdout.write(f"picture: {picture}\n")
    except OSError as error:
        sys.stderr.write(f"qcdriver: {picture}: no picture ({error.strerror})\n")


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


if __name__ == "__main__":
    main()
