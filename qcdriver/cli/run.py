"""run, report, check: an input's stages here, their findings, and what they would need."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from qcdriver.cli.arguments import Input, Json, Results, stage_names, tell_damage
from qcdriver.errors import InputError

if TYPE_CHECKING:
    from qcdriver.workflow.findings import Summary
    from qcdriver.workflow.gpu_plan import GpuPlan
    from qcdriver.workflow.plan import PlannedStage, RunPlan

INTERRUPTED = 130
"""128 + SIGINT, as shells have it; Typer ends with the same."""


def run(
    input_file: Input,
    results: Results = Path("results"),
    jobs: Annotated[
        int | None, typer.Option(min=1, help="Relaxations at a time; the cores are shared out among them.")
    ] = None,
    only: Annotated[
        str | None,
        typer.Option(metavar="STAGE", help="One stage, from the records of the earlier.", autocompletion=stage_names),
    ] = None,
) -> None:
    """Run the whole funnel here, resuming what is there; ends with the tables and the pictures."""
    from qcdriver import api
    from qcdriver.report.show import show_side_by_side
    from qcdriver.workflow.variants import run_name

    inputs = api.variants(input_file)
    found = [_run_one(path, results, jobs, only) for path in inputs]
    if len(inputs) > 1:
        show_side_by_side(inputs, found, results / run_name(input_file))
    if any(summary.failed for summary in found):
        raise typer.Exit(1)


def _run_one(input_file: Path, results: Path, jobs: int | None, only: str | None) -> Summary:
    from qcdriver import api

    try:
        found = api.run(input_file, results, jobs, only, progress=True)
    except KeyboardInterrupt:
        sys.stderr.write("interrupted; what was done is kept, and the same command goes on from there\n")
        raise typer.Exit(INTERRUPTED) from None
    found.show()
    tally = found.tally
    n_doubted = sum(bool(conformer.warnings) for conformer in found.summary.conformers)
    doubted = f"; {n_doubted} of the energies above with a warning (!)" if n_doubted else ""
    computed = f"computed {tally.computed} calculations" if tally.computed else "nothing to compute"
    sys.stderr.write(f"{computed}; {tally.found} were in the records already; {len(tally.failed)} failed{doubted}\n")
    return found.summary


def report(
    input_file: Input,
    results: Results = Path("results"),
    as_json: Json = False,
    animate: Annotated[
        bool, typer.Option("--animate", help="Also draw the structures along the scan as a movie, and write them.")
    ] = False,
    everything: Annotated[bool, typer.Option("--all", help="List all that was not carried on.")] = False,
    open_page: Annotated[
        bool, typer.Option("--open", help="Also open the page, RUN/index.html, in a browser.")
    ] = False,
) -> None:
    """Print the tables, write the page and draw the pictures from the records; computes nothing."""
    from qcdriver import api
    from qcdriver.report.findings_json import summary_json
    from qcdriver.report.show import show_side_by_side
    from qcdriver.workflow.variants import run_name

    inputs = api.variants(input_file)
    found = [api.read_findings(path, results) for path in inputs]
    for result in found:
        tell_damage(result.opened.records)
    if as_json:
        whole = [summary_json(result.summary) for result in found]
        sys.stdout.write(json.dumps(whole if len(inputs) > 1 else whole[0], indent=1) + "\n")
        return
    for result in found:
        result.show(animate, everything)
        if open_page:
            _open(result.directory)
    if len(inputs) > 1:
        show_side_by_side(inputs, [result.summary for result in found], results / run_name(input_file))


def _open(directory: Path) -> None:
    import webbrowser

    from qcdriver.report.page import NAME

    page = (directory / NAME).resolve()
    if not webbrowser.open(page.as_uri()):
        sys.stderr.write(f"qcdriver: no browser could be started here; open {page} in one\n")


def check(
    input_file: Annotated[
        Path | None, typer.Argument(metavar="[INPUT.toml]", help="Also check an input, and say what it would run.")
    ] = None,
    as_json: Json = False,
    gpu: Annotated[
        str | None,
        typer.Option(help="Also estimate the input's DFT on a GPU that need not be here: h100, a100, ..., or its GiB."),
    ] = None,
) -> None:
    """List engines, versions, threads, memory and GPU, and the command that installs what is missing."""
    from qcdriver.engines.machine import machine_status

    if gpu is not None and input_file is None:
        raise InputError("--gpu estimates an input: qcdriver check INPUT.toml --gpu h100")
    # First: a mistake in it is told at once.
    planned, on_gpu = _plan(input_file, gpu) if input_file else (None, None)
    status = machine_status()
    if as_json:
        whole = {"machine": status.model_dump(), "plan": planned.model_dump() if planned else None}
        if on_gpu:
            whole["gpu"] = on_gpu.model_dump()
        sys.stdout.write(json.dumps(whole, indent=1) + "\n")
        return
    lines = [
        f"qcdriver {status.program_version}, Python {status.python}",
        f"threads {status.threads}, memory {status.memory_mb} MB",
        *(f"{engine.name}: {engine.version or 'missing: ' + str(engine.missing)}" for engine in status.engines),
        f"GPU: {status.gpu_missing or 'usable'}",
    ]
    if planned:
        lines += [
            "",
            f"{planned.title}: {planned.formula}, {planned.n_atoms} atoms, {planned.n_electrons} electrons",
            f"candidates: {', '.join(planned.candidates)}",
            *planned.molecules,
            *(line for stage in planned.stages for line in _stage_lines(stage)),
            *planned.notes,
        ]
    if on_gpu:
        lines += ["", *on_gpu.lines()]
    sys.stdout.write("\n".join(lines) + "\n")


def _stage_lines(stage: PlannedStage) -> list[str]:
    basis = f"{stage.n_basis_functions or 'unknown'} basis functions"
    said = f"{stage.stage}: {stage.level} {stage.engine_version}, {basis}, {stage.calculations}"
    return [said, *(f"  {line}" for line in stage.needs.lines())] if stage.needs else [said]


def _plan(input_file: Path, gpu: str | None) -> tuple[RunPlan, GpuPlan | None]:
    """Plan for this machine, and for a GPU that need not be there."""
    from tempfile import TemporaryDirectory

    from qcdriver.workflow.gpu_plan import anywhere, on_this_machine, plan_for_gpu
    from qcdriver.workflow.input import read_input
    from qcdriver.workflow.open_run import open_run
    from qcdriver.workflow.plan import plan_run

    settings = read_input(input_file)
    try:
        with TemporaryDirectory() as nothing:  # a check makes no run directory
            if gpu is None:
                settings, notes = on_this_machine(settings)
                return plan_run(open_run(settings, input_file, Path(nothing)), notes), None
            run = open_run(anywhere(settings), input_file, Path(nothing))
            return plan_run(run), plan_for_gpu(run, gpu)
    except InputError as error:
        raise InputError(f"{input_file}: {error}") from None
