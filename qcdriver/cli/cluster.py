"""submit, status, cancel, task: the same stages on Slurm."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from qcdriver.cli.arguments import Input, Json, Results, RunOrInput
from qcdriver.workflow.variants import run_name


def submit(
    input_file: Input,
    results: Results = Path("results"),
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the scripts and send nothing.")] = False,
) -> None:
    """Send to Slurm what of the input is missing and not in its queue; then nothing has to stay on."""
    import shlex
    from dataclasses import replace
    from tempfile import TemporaryDirectory

    from qcdriver.execution.slurm.submit import dry_run as rehearse
    from qcdriver.execution.slurm.submit import for_slurm
    from qcdriver.execution.slurm.submit import submit as send
    from qcdriver.workflow.input import read_input
    from qcdriver.workflow.open_run import open_run
    from qcdriver.workflow.ownership import refuse_input_of_same_name, take
    from qcdriver.workflow.taken import adopt

    directory = results / run_name(input_file)
    refuse_input_of_same_name(directory, input_file)
    begun = (directory / "records.jsonl").is_file()
    with TemporaryDirectory() as nothing:  # a dry run of what has not begun makes no run directory
        where = Path(nothing) if dry_run and not begun else results
        # What has begun is not merged now: every task to come would have to read the merged file.
        opened = open_run(read_input(input_file), input_file, where, only_read=begun)
        submitted, lines = for_slurm(replace(opened, directory=directory))
    if not dry_run:
        lines += [*take(directory, input_file), *adopt(submitted)]
    sys.stderr.writelines(
        f"{line}\n" for line in (f"{submitted.input.title}: records in {submitted.directory}", *lines)
    )
    submissions, lack = rehearse(submitted) if dry_run else (send(submitted), None)
    if lack:
        sys.stderr.write(f"a dry run, as if nothing was in the queue: {lack}\n")
    sent = 0
    for submission in submissions:
        sys.stdout.write(f"# {submission.told()}\n{submission.script}\n" if dry_run else f"{submission.told()}\n")
        sys.stdout.flush()
        sent += 1
    follow_up = f"see what comes of it: qcdriver status {shlex.quote(str(submitted.directory))}"
    if dry_run or not sent:
        follow_up = "a dry run: nothing was sent" if dry_run else "nothing to send"
    sys.stderr.write(f"{follow_up}\n")


def status(run: RunOrInput, results: Results = Path("results"), as_json: Json = False) -> None:
    """Tell what of a submitted run is done, running, pending, failed or lost, and why."""
    from rich.console import Console

    from qcdriver.execution.slurm import status as of_slurm

    found = of_slurm.status(_directory(run, results))
    if as_json:
        sys.stdout.write(json.dumps(found.to_json(), indent=1) + "\n")
    else:
        of_slurm.show(found, Console())


def cancel(run: RunOrInput, results: Results = Path("results")) -> None:
    """End all jobs of a run, waiting or running; what was done is kept, and submit goes on from there."""
    from qcdriver.execution.slurm.status import cancel as end

    ended = end(_directory(run, results))
    sys.stdout.write(f"{ended} task(s) taken from the queue\n" if ended else "nothing was in the queue\n")


def task(
    campaign: Annotated[Path, typer.Argument(metavar="CAMPAIGN", help="RUN/slurm/CAMPAIGN.")],
    step: Annotated[str, typer.Argument(metavar="STEP", help="STAGE.ROUND, as status names it.")],
    index: Annotated[int, typer.Argument(min=0, help="Which of its tasks.")],
    max_requeues: Annotated[int, typer.Option(min=0, help="Exit code 85 asks for a requeue, so often.")] = 0,
) -> None:
    """Do one task of a submitted run, as its jobs do; the same again goes on from what is there."""
    from qcdriver.execution.slurm.campaign import open_campaign
    from qcdriver.execution.slurm.task import run_task

    opened = open_campaign(campaign)
    raise typer.Exit(run_task(opened, opened.step(step), index, max_requeues))


def _directory(run: Path, results: Path) -> Path:
    """Give the run directory: itself, or that of an input."""
    return run if run.is_dir() else results / run_name(run)
