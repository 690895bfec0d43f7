"""A run at a glance: what failed and what to do, before any number."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import Literal

from qcdriver.geometry.description import listed
from qcdriver.models.base import Frozen
from qcdriver.models.verdicts import Code
from qcdriver.workflow.findings import Summary
from qcdriver.workflow.open_run import Run
from qcdriver.workflow.sensitivity.findings import Answer, Sensitivity

State = Literal["done", "doubtful", "unfinished", "failed"]


class Glance(Frozen):
    """How a run stands: the worst of it in one line, and what to do."""

    state: State
    verdict: str
    advice: tuple[str, ...]


def command_of(run: Run) -> str:
    """Write the command that runs an input, and finds what is there."""
    words = ["qcdriver", "run", str(run.input_path)]
    folder = run.directory
    for _ in run.directory.parts[len(run.directory.parts) - _depth(run) :]:
        folder = folder.parent
    if str(folder) not in ("results", "."):
        words += ["--results", str(folder)]
    return shlex.join(words)


def _depth(run: Run) -> int:
    """Return how many folders a run directory lies below that of all results: NAME, or NAME/LABEL of a variant."""
    from qcdriver.workflow.variants import run_name

    return len(run_name(run.input_path).parts)


def glance(run: Run, summary: Summary) -> Glance:
    """Say how a run stands."""
    finished = run.finished()
    waiting = [stage.name for stage in run.stages if stage.name not in finished]
    doubts = sum(bool(conformer.warnings) for conformer in summary.conformers)
    open_order = list(undecided(summary))
    parts: list[str] = []
    if summary.failed:
        parts.append(f"{_counted(len(summary.failed), 'calculation')} failed")
    if waiting:
        parts.append(f"not finished: {_listed(waiting)}")
    if doubts:
        parts.append(f"{_counted(doubts, 'energy', 'energies')} with a warning")
    parts += open_order
    doubtful = bool(doubts or open_order)
    state: State = "failed" if summary.failed else "unfinished" if waiting else "doubtful" if doubtful else "done"
    if not summary.failed and not waiting:
        warned = "" if doubts else ", no energy has a warning"
        parts.insert(0, f"all of {_listed(finished)} finished, nothing failed{warned}")
    verdict = f"{'; '.join(parts)}."
    return Glance(
        state=state, verdict=verdict[0].upper() + verdict[1:], advice=tuple(_advice(run, summary, bool(waiting)))
    )


def _advice(run: Run, summary: Summary, waiting: bool) -> Iterator[str]:
    codes = {dropped.verdict.code for dropped in summary.failed}
    if waiting or codes & {Code.KILLED, Code.FAILED, Code.UNREACHED, Code.NOT_BUILT}:
        yield f"{command_of(run)} goes on from what is there, and tries again what died."
    if Code.NOT_CONVERGED in codes:
        yield "What did not converge would not converge again: give it more steps or cycles, or another start."
    if any(conformer.warnings for conformer in summary.conformers):
        yield "A warning says why an energy may not be of the state that was meant; it stands below, marked with !."
    if any(undecided(summary)):
        hangs = any(isinstance(found, Sensitivity) for found in summary.stages.values())
        more = "" if hangs else "; the table [sensitivity] of an input shows how far the order hangs on the level"
        yield f"No order is known where it is undecided: take none from the tables, only a higher level decides{more}."
    if any(profile.breaks for profile in summary.profiles):
        yield "The scan has places without a smooth valley: what lies between such points is not known from it."


def undecided(summary: Summary) -> Iterator[str]:
    """Say which conformer may lie lowest where levels do not decide it, each in a few words."""
    ranking = summary.ranking
    if ranking is not None:
        rivals = [
            label for label in ranking.order if (found := ranking.against_lowest(label)) is not None and found.is_open
        ]
        if rivals:
            yield f"undecided which lies lowest: {ranking.order[0]} or {listed(rivals)}"
    for stage in summary.stages.values():
        if isinstance(stage, Sensitivity):
            turning = [
                difference.conformer for difference in stage.differences if difference.answer is Answer.UNDECIDED
            ]
            if turning:
                yield f"undecided over {len(stage.levels)} levels: {stage.conformers[0]} against {listed(turning)}"


def _counted(count: int, word: str, words: str | None = None) -> str:
    return f"{count} {word if count == 1 else words or word + 's'}"


def _listed(words: list[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
