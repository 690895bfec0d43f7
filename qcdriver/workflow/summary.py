"""What a run found: the findings of its stages, one after another."""

from __future__ import annotations

from itertools import chain
from typing import Any

from qcdriver.workflow.conformers import computed_at
from qcdriver.workflow.conversions.measured import conversions
from qcdriver.workflow.findings import Findings, Summary
from qcdriver.workflow.open_run import Run
from qcdriver.workflow.prescreen.settings import PrescreenSettings
from qcdriver.workflow.ranking import ranking


def summarize(run: Run) -> Summary:
    """Collect the findings of the stages that have finished."""
    found = {stage.name: findings for stage in run.stages if (findings := stage.findings(run))}

    def joined(kind: str) -> tuple[Any, ...]:
        return tuple(chain.from_iterable(getattr(findings, kind) for findings in found.values()))

    lists = {kind: joined(kind) for kind in Findings.model_fields if kind != "own"}
    prescreen = run.table(PrescreenSettings)
    first = next(iter(lists["conformers"]), None)
    return Summary(
        title=run.input.title,
        formula=computed_at(run.record(first.key)).formula if first else "",
        experiment_source=run.input.experiment.source if run.input.experiment else None,
        ranking=ranking(lists["conformers"], prescreen.window_kcal_mol if prescreen else None),
        conversions=conversions(run),
        stages={name: findings.own for name, findings in found.items() if findings.own is not None},
        **lists,
    )
