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
    from qcdriver.findings import Summary
    from qcdriver.plan import Plan, PlannedStage

INTERRUPTED = 130
"""128 + SIGINT, as shells have it; Typer ends with the same."""


def run(
    input_file: Input,
    results: Results = Path("results"),
    jobs: Annotated[
        int | None, typer.Option(min=1, help="Relaxations at a time; the cores are shared out among them.")
    ] = None,
    only: Annotated[
        Literal["prescreen", "scan", "stationary", "interconversion", "dft", "mirror"] | None,
        typer.Option(help="One stage, from the records of the earlier."),
    ] = None,
) -> None:
    """Run the whole funnel here, resuming what is there; ends with the tables and the pictures."""
    from qcdriver.cli.show import show_side_by_side
    from qcdriver.config.variants import run_name, variants

    inputs = variants(input_file)
    found = [_run_one(each, results, jobs, only) for each in inputs]
    if len(inputs) > 1:
        show_side_by_side(inputs, found, results / run_name(input_file))
    if any(summary.failed for summary in found):
        raise typer.Exit(1)


def _run_one(input_file: Path, results: Path, jobs: int | None, only: str | None) -> Summary:
    from qcdriver import pipeline
    from qcdriver.cli.show import show
    from qcdriver.config.settings import read_settings
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
    show(this, summary)
    computed = f"computed {tally.computed} calculations" if tally.computed else "nothing to compute"
    display.say(f"{computed}; {tally.found} were in the records already; {len(tally.failed)} failed")
    return summary


def report(
    input_file: Input,
    results: Results = Path("results"),
    as_json: Json = False,
    animate: Annotated[
        bool, typer.Option("--animate", help="Also draw the structures along the scan as a movie, and write them.")
    ] = False,
) -> None:
    """Print the tables and draw the pictures from the records; computes nothing."""
    from qcdriver.cli.show import show, show_side_by_side
    from qcdriver.config.settings import read_settings
    from qcdriver.config.variants import run_name, variants
    from qcdriver.run import open_run
    from qcdriver.summary import summarize

    inputs = variants(input_file)
    runs = [open_run(read_settings(each), each, results, only_read=True) for each in inputs]
    found = []
    for this in runs:
        stages = this.stages()
        if not stages:
            raise InputError(f"{this.directory}: no stage has finished with this input; qcdriver run {this.input_path}")
        found.append(summarize(this.settings, stages, this.records))
        tell_damage(this.records)
    if as_json:
        whole = [summary.model_dump(mode="json") for summary in found]
        sys.stdout.write(json.dumps(whole if len(inputs) > 1 else whole[0], indent=1) + "\n")
        return
    for this, summary in zip(runs, found, strict=True):
        show(this, summary, animate)
    if len(inputs) > 1:
        show_side_by_side(inputs, found, results / run_name(input_file))


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
            *(line for each in planned.stages for line in _stage_lines(each)),
        ]
    sys.stdout.write("\n".join(lines) + "\n")


def _stage_lines(stage: PlannedStage) -> list[str]:
    basis = f"{stage.n_basis_functions or 'unknown'} basis functions"
    said = f"{stage.stage}: {stage.level} {stage.engine_version}, {basis}, {stage.calculations}"
    return [said, *(f"  {line}" for line in stage.needs.lines())] if stage.needs else [said]


def _plan(input_file: Path) -> Plan:
    from qcdriver.config.settings import read_settings
    from qcdriver.plan import plan

    settings = read_settings(input_file)
    try:
        return plan(settings, input_file.parent)
    except InputError as error:
        raise InputError(f"{input_file}: {error}") from None
