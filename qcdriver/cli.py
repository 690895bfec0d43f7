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

from qcdriver.comparison import SAME_ANGSTROM
from qcdriver.errors import InputError, QcdriverError, ResourceError

if TYPE_CHECKING:
    from qcdriver.plan import Plan
    from qcdriver.records import Records
    from qcdriver.run import Run

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
RunOrInput = Annotated[Path, typer.Argument(metavar="RUN", help="A run directory, results/NAME; or its input file.")]
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
        Literal["prescreen", "scan", "interconversion", "dft", "mirror"] | None,
        typer.Option(help="One stage, from the records of the earlier."),
    ] = None,
) -> None:
    """Run the whole funnel here, resuming what is there; ends with the table and the picture."""
    from qcdriver import pipeline
    from qcdriver.config import read_settings
    from qcdriver.execution.progress import Display
    from qcdriver.run import open_run

    settings = read_settings(input_file)
    this = open_run(settings, input_file, results)
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
    from qcdriver.run import open_run
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
    stage: Annotated[str | None, typer.Option(help="Only this stage.")] = None,
    label: Annotated[str | None, typer.Option(help="Only labels like this shell pattern: 'E*'.")] = None,
    method: Annotated[str | None, typer.Option(help="Only this method.")] = None,
    success: Annotated[bool | None, typer.Option("--success/--failed", help="Only what gave a number, or not.")] = None,
    export: Annotated[
        Literal["json", "csv", "xyz", "ase", "qcschema"] | None,
        typer.Option(help="Whole records, rows, geometries, an ASE database, QCSchema; on standard output."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Export into this new file.")
    ] = None,
    why: Annotated[
        str | None, typer.Option(metavar="KEY", help="Walk from this record (a key, or how it begins) to the input.")
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Read every record whole; say what is damaged.")] = False,
    repair: Annotated[bool, typer.Option("--repair", help="Move what is damaged into files beside.")] = False,
) -> None:
    """List the calculations of a run, export them, trace one to the input, or look for damage."""
    from rich.console import Console

    from qcdriver import export as exports
    from qcdriver.records import Records, Selection
    from qcdriver.records.lineage import lineage

    asked = {"--export": export, "--why": why, "--check": check, "--repair": repair}
    given = [name for name, value in asked.items() if value]
    if len(given) > 1:
        raise InputError(f"{' and '.join(given)}: one at a time")
    if output and not export:
        raise InputError(f"--output {output}: of which --export?")
    if check or repair:
        _check(directory, repair)
        return
    store = Records(directory, only_read=True)
    found = store.query(Selection(stage, label, method, success))
    if why:
        sys.stdout.writelines(f"{line}\n" for each in lineage(store, why) for line in each.told())
    elif export:
        done = exports.export(found, export, output)
        if done.left_out:
            sys.stderr.write(f"qcdriver: {done.left_out} of {sum(done)} records have nothing to export as {export}\n")
    else:
        Console().print(exports.table(found))
    _tell_damage(store)


def _check(directory: Path, repair: bool) -> None:
    from qcdriver.records import damage

    if repair:
        moved = damage.repair(directory)
        sys.stdout.write(
            f"moved aside: {len(moved.damaged_lines)} line(s) and {len(moved.damaged_files)} task file(s)\n"
        )
    found = damage.check(directory)
    sys.stdout.writelines(f"{line}\n" for line in found.told())
    if not found.is_whole:
        raise typer.Exit(1)


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

    from qcdriver.comparison import compare as conformers
    from qcdriver.comparison.picture import draw_overlay
    from qcdriver.comparison.read import read_conformers
    from qcdriver.comparison.tables import print_comparison

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


@app.command()
def submit(
    input_file: Input,
    results: Results = Path("results"),
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the scripts and send nothing.")] = False,
) -> None:
    """Send to Slurm what of the input is missing and not in its queue; then nothing has to stay on."""
    import shlex
    from dataclasses import replace
    from tempfile import TemporaryDirectory

    from qcdriver.config import read_settings
    from qcdriver.run import open_run
    from qcdriver.slurm.submit import dry_run as rehearse
    from qcdriver.slurm.submit import for_slurm
    from qcdriver.slurm.submit import submit as send

    directory = results / input_file.stem
    begun = (directory / "records.jsonl").is_file()
    with TemporaryDirectory() as nothing:  # a dry run of what has not begun makes no run directory
        where = Path(nothing) if dry_run and not begun else results
        # What has begun is not merged now: every task to come would have to read the merged file.
        opened = open_run(read_settings(input_file), input_file, where, only_read=begun)
        this, said = for_slurm(replace(opened, directory=directory))
    sys.stderr.write(f"{this.settings.title}: records in {this.directory}\n" + (said and f"{said}\n"))
    sent = 0
    for each in rehearse(this) if dry_run else send(this):
        sys.stdout.write(f"# {each.told()}\n{each.script}\n" if dry_run else f"{each.told()}\n")
        sys.stdout.flush()
        sent += 1
    follow_up = f"see what comes of it: qcdriver status {shlex.quote(str(this.directory))}"
    if dry_run or not sent:
        follow_up = "a dry run: nothing was sent" if dry_run else "nothing to send"
    sys.stderr.write(f"{follow_up}\n")


@app.command()
def status(run: RunOrInput, results: Results = Path("results"), as_json: Json = False) -> None:
    """Tell what of a submitted run is done, running, pending, failed or lost, and why."""
    from rich.console import Console

    from qcdriver.slurm import status as of_slurm

    found = of_slurm.status(_directory(run, results))
    if as_json:
        sys.stdout.write(json.dumps(found.to_json(), indent=1) + "\n")
    else:
        of_slurm.show(found, Console())


@app.command()
def cancel(run: RunOrInput, results: Results = Path("results")) -> None:
    """End all jobs of a run, waiting or running; what was done is kept, and submit goes on from there."""
    from qcdriver.slurm.status import cancel as end

    ended = end(_directory(run, results))
    sys.stdout.write(f"{ended} task(s) taken from the queue\n" if ended else "nothing was in the queue\n")


@app.command()
def task(
    campaign: Annotated[Path, typer.Argument(metavar="CAMPAIGN", help="RUN/slurm/CAMPAIGN.")],
    step: Annotated[str, typer.Argument(metavar="STEP", help="STAGE.ROUND, as status names it.")],
    index: Annotated[int, typer.Argument(min=0, help="Which of its tasks.")],
    max_requeues: Annotated[int, typer.Option(min=0, help="Exit code 85 asks for a requeue, so often.")] = 0,
) -> None:
    """Do one task of a submitted run, as its jobs do; the same again goes on from what is there."""
    from qcdriver.slurm.campaign import open_campaign
    from qcdriver.slurm.task import run_task

    opened = open_campaign(campaign)
    raise typer.Exit(run_task(opened, opened.step(step), index, max_requeues))


def _directory(run: Path, results: Path) -> Path:
    """Give the run directory: itself, or that of an input."""
    return run if run.is_dir() else results / run.stem


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
            *(f"  {line}" for each in planned.stages if each.needs for line in each.needs.lines()),
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

    from qcdriver.findings import Summary
    from qcdriver.report import plot_profiles, print_summary

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
