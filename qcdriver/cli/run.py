"""run, report, check: an input's stages here, their findings, and what they would need."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from qcdriver.cli.arguments import Input, Json, Results, tell_damage
from qcdriver.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from qcdriver.findings import Summary
    from qcdriver.plan import Plan
    from qcdriver.run import Run

INTERRUPTED = 130
"""128 + SIGINT, as shells have it; Typer ends with the same."""


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
    tell_damage(this.records)
    if as_json:
        sys.stdout.write(summary.model_dump_json(indent=1) + "\n")
    else:
        _show(this, summary)


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


def _show(this: Run, summary: Summary) -> None:
    """Print the tables, and draw what pictures there are."""
    from rich.console import Console

    from qcdriver.density_of_states import plot_density_of_states
    from qcdriver.report import plot_profiles, print_summary
    from qcdriver.summary import result_of, task_record

    print_summary(summary, Console())
    results = [(each, result_of(task_record(this.records, each.key))) for each in summary.conformers]
    orbitals = [(each.label, result) for each, result in results if result and result.orbitals]
    _draw(this.directory / "profile.png", lambda path: plot_profiles(summary, path))
    _draw(this.directory / "density_of_states.png", lambda path: plot_density_of_states(orbitals, path))


def _draw(picture: Path, draw: Callable[[Path], bool]) -> None:
    try:
        if draw(picture):
            sys.stdout.write(f"picture: {picture}\n")
    except OSError as error:
        sys.stderr.write(f"qcdriver: {picture}: no picture ({error.strerror})\n")
