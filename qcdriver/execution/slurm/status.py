"""The survey of a campaign, told to a person or to a program; and its end, when somebody cancels it."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from qcdriver.errors import EngineError, MissingError
from qcdriver.execution.slurm import queue
from qcdriver.execution.slurm.campaign import Campaign, current_campaign
from qcdriver.execution.slurm.notes import Sent
from qcdriver.execution.slurm.script import ranges
from qcdriver.execution.slurm.survey import State, StepState, TaskState, survey
from qcdriver.store import Records
from qcdriver.store.keys import run_key
from qcdriver.workflow.variants import run_name

STATES: tuple[State, ...] = ("done", "running", "pending", "failed", "lost", "unsent", "unknown")
_WORDS: dict[State, str] = {"unsent": "not sent"}
_TAIL_BYTES = 4096


@dataclass(frozen=True)
class Status:
    """What a person asks for; `queue_lack`: why the queue could not be asked, so that nothing seems to live."""

    campaign: Campaign
    steps: list[StepState]
    queue_lack: str | None

    def to_json(self) -> dict[str, object]:
        """Give it to another program; every task that failed or is lost is named."""
        return {
            "run": str(self.campaign.directory),
            "campaign": self.campaign.key,
            "input": str(self.campaign.input_path),
            "queue_missing": self.queue_lack,
            "steps": [
                {
                    "step": step.step.name,
                    "tasks": len(step.tasks),
                    "exact": step.exact,
                    **{state: len(step.those(state)) for state in STATES},
                    "named": [
                        {"index": task.index, "label": task.label, "state": task.state, "reason": task.reason}
                        for task in step.tasks
                        if task.state in ("failed", "lost")
                    ],
                }
                for step in self.steps
            ],
        }

    @property
    def to_send(self) -> int:
        """How many tasks the next submit would send, at most."""
        return sum(len(step.to_send) for step in self.steps)


def status(directory: Path) -> Status:
    """Look at the campaign that was submitted last from a run directory; changes nothing.

    Raises
    ------
    InputError
        Nothing was submitted.
    """
    campaign = current_campaign(directory.resolve())
    records = Records(directory, only_read=True)
    run = campaign.run(records)
    lack, living = queue.missing(), []
    try:
        living = [] if lack else queue.living(run_key(directory))
    except (EngineError, MissingError) as error:
        lack = str(error)
    states = survey(campaign, records.keys(), run.finished(), living)
    told = [_unknown(state) if lack else _with_reasons(campaign, state) for state in states]
    return Status(campaign, told, lack)


def _unknown(state: StepState) -> StepState:
    """Call nothing lost that may live in a queue which nobody can ask."""
    tasks = [
        replace(task, state="unknown") if task.state == "lost" and not task.reason else task for task in state.tasks
    ]
    return StepState(state.step, state.exact, tasks)


def _with_reasons(campaign: Campaign, state: StepState) -> StepState:
    """Say of each lost task how its job ended: what Slurm's accounting knows, or the last line of its log."""
    if not any(task.state == "lost" and not task.reason for task in state.tasks):
        return state
    sent = {
        shipment.offset + id_: (shipment, id_) for shipment in campaign.notes.sent(state.step) for id_ in shipment.ids
    }
    ended = queue.accounted(sorted({shipment.job for shipment, _ in sent.values() if shipment.job}))
    tasks = []
    for task in state.tasks:
        if task.state == "lost" and not task.reason and task.index in sent:
            one, id_ = sent[task.index]
            words = filter(None, (ended.get((str(one.job), id_)), _last_words(campaign, one, id_)))
            task = replace(task, reason=": ".join(words) or "it left no word")
        tasks.append(task)
    return StepState(state.step, state.exact, tasks)


def _last_words(campaign: Campaign, sent: Sent, id_: int) -> str:
    """Give the last line of a job's log; Slurm itself writes there why it ended a job."""
    try:
        with (campaign.folder / "log" / f"{sent.step}+{sent.offset}-{id_}.log").open("rb") as file:
            file.seek(max(0, file.seek(0, 2) - _TAIL_BYTES))
            lines = file.read().decode(errors="replace").strip().splitlines()
    except OSError:
        return ""
    return lines[-1].strip() if lines else ""


def show(found: Status, console: Console) -> None:
    """Print a line a step, the reasons, and what to do next."""
    for step in found.steps:
        counts = [f"{len(those)} {_WORDS.get(state, state)}" for state in STATES if (those := step.those(state))]
        at_most = "" if step.exact else " (an upper bound)"
        line = f"{step.step.name}: {', '.join(counts) or 'nothing to do'}{at_most}"
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    for line in _reasons(found):
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def _reasons(found: Status) -> list[str]:
    lines = []
    for step in found.steps:
        for state in ("failed", "lost"):
            lines += [f"{step.step.name} {state}: {line}" for line in _grouped(step.those(state))]
        waiting = {task.reason for task in step.those("pending")} - {"Dependency", "None", "", None}
        lines += [f"{step.step.name} waits: {', '.join(sorted(map(str, waiting)))}"] if waiting else []
    if found.queue_lack:
        lines.append(f"what runs or waits is not known: {found.queue_lack}")
    elif found.to_send:
        lines.append(f"{found.to_send} to send: {_command('submit', found.campaign)}")
    elif all(task.state in ("done", "failed") for step in found.steps for task in step.tasks):
        lines.append(f"all is done: {_command('report', found.campaign)}")
    return lines


def _command(verb: str, campaign: Campaign) -> str:
    """Give a command to type, from wherever."""
    results = campaign.directory.parents[len(run_name(campaign.input_path).parts) - 1]
    return shlex.join(["qcdriver", verb, str(campaign.input_path), "--results", str(results)])


def _grouped(tasks: Sequence[TaskState]) -> list[str]:
    """Give each reason once, with whom it concerns."""
    by_reason: dict[str, list[TaskState]] = {}
    for task in tasks:
        by_reason.setdefault(task.message or task.reason or "", []).append(task)
    lines = []
    for reason, those in by_reason.items():
        names = ", ".join(task.label or str(task.index) for task in those[:5])
        indices = f"{len(those)} tasks ({ranges([task.index for task in those])[:60]})"
        lines.append(f"{names if len(those) <= 5 else indices}: {reason}")
    return lines


def cancel(directory: Path) -> int:
    """End all jobs of a run directory, of whatever campaign; says how many tasks were in the queue.

    Raises
    ------
    InputError
        Nothing was submitted from there.
    MissingError, EngineError
        Slurm cannot be asked.
    """
    campaign = current_campaign(directory)
    living = queue.living(run_key(directory))
    if living:
        queue.cancel(sorted({job.job for job in living}))
    now = datetime.now(UTC).isoformat(timespec="seconds")
    campaign.notes.add_sent(Sent(step="", offset=0, ids=(), job=None, sent_utc=now))
    return len(living)
