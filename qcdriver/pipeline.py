"""An input -> its records and findings: follows the stages one after another; nothing else does.

Each stage leaves one stage record with a verdict on all it tried, and the next stage reads only that. So a stage can
run alone (`only`) on another machine, from a results folder that travelled there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime

from qcdriver import __version__
from qcdriver.candidates import geometry_of
from qcdriver.config.variants import split
from qcdriver.errors import ConvergenceError, InputError, ResourceError
from qcdriver.execution.checkpoints import remove_checkpoints
from qcdriver.execution.local import LocalRunner, Tally, is_answer
from qcdriver.execution.progress import Display
from qcdriver.findings import Summary
from qcdriver.plan import check, needs_of_dft, refuse_strangers, stages_by_dft
from qcdriver.run import Run, wanted_stages
from qcdriver.schema import Molecule, StageRecord, TaskRecord, Verdict
from qcdriver.stage import RunRound, follow
from qcdriver.stages import PlannedStage, planned_stage
from qcdriver.summary import summarize, write_finding


def run(this: Run, jobs: int | None, only: str | None, display: Display) -> tuple[Summary, Tally]:
    """Run the stages the input asks for, or `only` one, and write the summary.

    Raises
    ------
    QcdriverError
        Bad input, something missing on this machine, or nothing left to go on with.
    """
    wanted = wanted_stages(this.settings)
    if only is not None and only not in wanted:
        raise InputError(f"--only {only}: the input has {' and '.join(f'[{stage}]' for stage in wanted)}")
    sha256 = hashlib.sha256(split(this.input_path)[0].read_bytes()).hexdigest()
    log = this.directory / "workers.log"
    with LocalRunner(this.records, log, this.settings.resources, jobs, display, sha256) as runner:
        now = wanted if only is None else [only]
        refuse_now(this, now)
        _refuse_too_large(this, now)
        for stage in now:
            verdicts = run_stage(this, stage, runner, display)
            if stage == "prescreen":
                refuse_nothing(verdicts)
    return write_findings(this), runner.tally


def run_stage(this: Run, stage: str, runner: LocalRunner, display: Display) -> tuple[Verdict, ...]:
    """Run one stage here; its verdicts are in the records when this returns."""
    planned = planned_stage(this, stage)
    display.say(f"{stage}: {planned.said}")
    runner.begin(stage, planned.device, planned.expected, planned.width)
    return finish_stage(this, stage, planned, runner)


def refuse_nothing(verdicts: Sequence[Verdict]) -> None:
    """Refuse to go on from a prescreen that nothing survived.

    Raises
    ------
    ConvergenceError
    """
    if not any(verdict.kept for verdict in verdicts):
        reasons = "; ".join(f"{verdict.label}: {verdict.reason}" for verdict in verdicts)
        raise ConvergenceError(f"no candidate survived the prescreen ({reasons})")


def finish_stage(this: Run, stage: str, planned: PlannedStage, run_round: RunRound) -> tuple[Verdict, ...]:
    """Follow a stage to its end, and record its verdicts."""
    verdicts = tuple(follow(planned.stage, run_round))
    if this.verdicts(stage) != verdicts:
        this.records.append(_stage_record(this, stage, verdicts))
    if stage in ("dft", "mirror"):
        _remove_checkpoints(this, verdicts)
    return verdicts


def _remove_checkpoints(this: Run, verdicts: Sequence[Verdict]) -> None:
    """Remove the orbitals of a stage's single points, but for those cut short, which go on from them another time."""
    if this.settings.dft is None or this.settings.dft.keep_checkpoints:
        return
    records = [this.records.find(each.key) for each in verdicts]
    over = [each.key for each in records if isinstance(each, TaskRecord) and is_answer(each.outcome)]
    remove_checkpoints(this.directory, over)


def write_findings(this: Run) -> Summary:
    """Sum up the stages that have run, and write `summary.json`, and `network.json` where there is a network."""
    summary = summarize(this.settings, this.stages(), this.records)
    write_finding(summary, this.directory / "summary.json")
    for network in summary.networks[-1:]:
        write_finding(network, this.directory / "network.json")
    return summary


def _stage_record(this: Run, stage: str, verdicts: tuple[Verdict, ...]) -> StageRecord:
    return StageRecord(
        key=this.stage_key(stage),
        stage=stage,
        verdicts=verdicts,
        program_version=__version__,
        finished_utc=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def refuse_now(this: Run, now: list[str]) -> None:
    """Refuse before hours are spent what the stages of this call could not do; nothing to refuse when all are done."""
    if all(this.verdicts(stage) is not None for stage in now):
        return
    first = this.candidates[0]
    molecules = [geometry_of(first)]  # models of one input differ in geometry alone
    molecules += [each.origin for each in this.candidates[1:] if isinstance(each.origin, Molecule)]
    try:
        refuse_strangers(this.settings, this.candidates)
        check(this.settings, molecules, now)
    except InputError as error:
        raise InputError(f"{this.input_path}: {error}") from None


def _refuse_too_large(this: Run, now: list[str]) -> None:
    """Refuse DFT that does not fit this machine before anything is computed; nothing to refuse where it is done.

    Raises
    ------
    ResourceError
    """
    by_dft = stages_by_dft(this.settings)
    first = next((stage for stage in now if stage in by_dft and this.verdicts(stage) is None), None)
    if first is None:
        return
    needs = needs_of_dft(this.settings, geometry_of(this.candidates[0]))
    if needs and needs.too_large:
        before = " and ".join(f"--only {stage}" for stage in now[: now.index(first)])
        instead = f"; what comes before it runs with {before}" if before else ""
        raise ResourceError(f"{this.input_path}: [{first}] {needs.too_large}{instead}")
