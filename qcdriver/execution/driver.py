"""A run on this machine: its stages one after another, each from the records of those before it.

Each stage leaves one stage record with a verdict on all it tried, and the next stage reads only that. So a stage can
run alone (`only`) on another machine, from a results folder that travelled there.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from qcdriver import __version__
from qcdriver.errors import ConvergenceError, InputError, ResourceError
from qcdriver.execution.local.runner import LocalRunner, Tally, is_answer
from qcdriver.execution.progress import Display
from qcdriver.models.records import StageRecord, TaskRecord
from qcdriver.models.tasks import Excitations, Relaxation, SinglePoint
from qcdriver.models.verdicts import Verdict
from qcdriver.report.findings_json import write_findings
from qcdriver.report.page import write_page
from qcdriver.report.sentences import sentence
from qcdriver.report.show import draw_pictures
from qcdriver.report.tables.overview import print_findings
from qcdriver.store.checkpoints import remove_checkpoints
from qcdriver.workflow.base import RunRound, Stage, follow
from qcdriver.workflow.dft import DftSettings
from qcdriver.workflow.findings import Summary
from qcdriver.workflow.open_run import Run
from qcdriver.workflow.plan import needs_of, refuse_impossible


def run_input(
    run: Run, jobs: int | None, only: str | None, display: Display, input_sha256: str | None = None
) -> tuple[Summary, Tally]:
    """Run the stages the input asks for, or `only` one, and write the summary.

    Parameters
    ----------
    jobs
        Relaxations at a time; None: as many as there are cores.
    input_sha256
        What the records say of the input: the hash of its file.

    Raises
    ------
    QcdriverError
        Bad input, something missing on this machine, or nothing left to go on with.
    """
    stages = run.stages if only is None else (_only(run, only),)
    log = run.directory / "workers.log"
    with LocalRunner(run.records, log, run.input.resources, jobs, display, input_sha256) as runner:
        refuse_now(run, stages)
        refuse_too_large(run, stages)
        for stage in stages:
            before = runner.tally.computed
            verdicts = run_stage(run, stage, runner, display)
            if runner.tally.computed > before:
                show_so_far(run, stage, display)
            if stage.stops_run_when_empty:
                refuse_nothing(stage, verdicts)
    return write_findings(run), runner.tally


def _only(run: Run, name: str) -> Stage[Any]:
    try:
        return run.stage(name)
    except InputError as error:
        raise InputError(f"--only {name}: {error}") from None


def run_stage(run: Run, stage: Stage[Any], runner: LocalRunner, display: Display) -> tuple[Verdict, ...]:
    """Run one stage here; its verdicts are in the records when this returns."""
    plan = run.plan(type(stage))
    display.say(f"{stage.name}: {plan.sentence}")
    resources = run.input.resources.of(stage.resources_of(run).name)
    hands_on = hands_on_orbitals(run, stage)
    runner.begin(stage.name, resources, plan.device, plan.expected, plan.side_by_side, hands_on)
    return finish_stage(run, stage, runner)


def hands_on_orbitals(run: Run, stage: Stage[Any]) -> bool:
    """Tell whether another stage of a run may begin with the orbitals of this one."""
    return any(type(stage) in other.orbitals_of for other in run.stages)


def show_so_far(run: Run, stage: Stage[Any], display: Display) -> None:
    """Bring summary, page and, for a person who follows the run, pictures up to date at the end of a stage.

    The tables of what the stage found are printed with its progress. The run goes on where a file cannot be written.
    """
    try:
        summary = write_findings(run)
        path = write_page(run, summary)
    except OSError as error:
        display.say(f"{stage.name}: no page ({error.strerror})")
        return
    if display.quiet:
        return
    found = stage.findings(run)
    if found is not None:
        print_findings(found, summary.ranking, display.console)
    pictures = [picture.name for word, picture in draw_pictures(run, summary) if word == "picture"]
    also = f"; pictures beside it: {', '.join(pictures)}" if pictures else ""
    display.say(f"{stage.name} done; look at {path}{also}")


def refuse_nothing(stage: Stage[Any], verdicts: Sequence[Verdict]) -> None:
    """Refuse to go on from a stage that nothing survived.

    Raises
    ------
    ConvergenceError
    """
    if not any(verdict.kept for verdict in verdicts):
        reasons = "; ".join(f"{verdict.label}: {sentence(verdict)}" for verdict in verdicts)
        advice = stage.advice(verdicts)
        raise ConvergenceError(f"no candidate survived the {stage.name} ({reasons})" + (advice and f"; {advice}"))


def finish_stage(run: Run, stage: Stage[Any], run_round: RunRound) -> tuple[Verdict, ...]:
    """Follow a stage to its end, and record its verdicts."""
    verdicts = tuple(follow(stage.rounds(run, run.plan(type(stage))), run_round))
    if run.verdicts(type(stage)) != verdicts:
        run.records.append(
            StageRecord(
                key=stage.key(run),
                stage=stage.name,
                verdicts=verdicts,
                program_version=__version__,
                finished_utc=datetime.now(UTC).isoformat(timespec="seconds"),
            )
        )
    _remove_checkpoints(run, stage, verdicts)
    return verdicts


def _remove_checkpoints(run: Run, stage: Stage[Any], verdicts: Sequence[Verdict]) -> None:
    """Remove the orbitals of a stage that is over, but for those of what was cut short, which goes on from them.

    They stay as long as another stage of the input may begin with them, and go with its own; those of relaxations also
    where the input keeps the others.
    """
    dft = run.table(DftSettings)
    kinds = Relaxation if dft and dft.keep_checkpoints else SinglePoint | Excitations | Relaxation
    waiting = [other for other in run.stages if other is not stage and run.verdicts(type(other)) is None]
    wanted = {earlier.name for other in waiting for earlier in other.orbitals_of}
    over = list(verdicts) if stage.name not in wanted else []
    for earlier in stage.orbitals_of:
        if earlier.name not in wanted:
            over += run.verdicts(earlier) or ()
    records = [run.records.find(verdict.key) for verdict in over]
    keys = [
        record.key
        for record in records
        if isinstance(record, TaskRecord) and isinstance(record.task, kinds) and is_answer(record.outcome)
    ]
    remove_checkpoints(run.directory, keys)


def refuse_now(run: Run, stages: Sequence[Stage[Any]]) -> None:
    """Refuse before anything is computed what these stages could not do.

    Raises
    ------
    InputError, MissingError
        An input error names the file.
    """
    try:
        refuse_impossible(run, stages)
    except InputError as error:
        raise InputError(f"{run.input_path}: {error}") from None


def refuse_too_large(run: Run, stages: Sequence[Stage[Any]]) -> None:
    """Refuse a calculation that does not fit this machine; nothing to refuse where it is done.

    Raises
    ------
    ResourceError
    """
    for number, stage in enumerate(stages):
        if run.verdicts(type(stage)) is not None:
            continue
        needs = needs_of(run, stage)
        if needs.too_large:
            before = " and ".join(f"--only {earlier.name}" for earlier in stages[:number])
            instead = f"; what comes before it runs with {before}" if before else ""
            raise ResourceError(f"{run.input_path}: [{stage.name}] {needs.too_large}{instead}")
