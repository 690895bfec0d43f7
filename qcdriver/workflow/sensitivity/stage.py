"""`[sensitivity]` as a stage: single points of the conformers of `[dft]` at further levels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from qcdriver import engines
from qcdriver.engines import Device, Needs
from qcdriver.errors import InputError, input_errors_of
from qcdriver.models.level import Level, Resources
from qcdriver.models.molecule import Molecule
from qcdriver.models.outcomes import Result
from qcdriver.models.tasks import SinglePoint
from qcdriver.models.verdicts import Purpose, Verdict
from qcdriver.workflow.base import Job, JobArray, Plan, Rounds, RunView, Stage, alone, kept_keys
from qcdriver.workflow.conformers import computed_at
from qcdriver.workflow.dft import DftSettings, dft_level
from qcdriver.workflow.findings import Dropped, Findings
from qcdriver.workflow.prescreen.stage import Prescreen
from qcdriver.workflow.refine.stage import most_conformers
from qcdriver.workflow.sensitivity.findings import sensitivity
from qcdriver.workflow.sensitivity.settings import SensitivitySettings
from qcdriver.workflow.single_points import SinglePoints, judged

if TYPE_CHECKING:
    from pydantic import JsonValue

    from qcdriver.workflow.tables import Input


class FurtherLevels(Stage[SensitivitySettings]):
    """The conformers at other levels, at the same geometries."""

    name = "sensitivity"
    example = '[sensitivity]\nlevels = [{ method = "PBE0" }, { basis = "def2-TZVP" }]\n'
    Settings = SensitivitySettings
    after = (Prescreen, SinglePoints)
    orbitals_of = (SinglePoints,)

    def check_tables(self, tables: Input) -> None:
        """Refuse an input without [dft], whose level the others are compared with."""
        if tables.table(SensitivitySettings) and tables.table(DftSettings) is None:
            raise ValueError(f"[{self.name}] needs [dft]: its levels are compared with that one")

    def check_levels(self, run: RunView, molecules: Sequence[Molecule]) -> None:
        """Let the engines refuse what they would refuse after hours, and a level that is there twice."""
        levels = run.plan(FurtherLevels).levels
        known = [_said(run.plan(SinglePoints).levels[0])]
        with input_errors_of(f"[{self.name}]"):
            for number, level in enumerate(levels, start=1):
                if _said(level) in known:
                    raise InputError(f"levels: number {number}, {engines.title(level)}, is there already")
                known.append(_said(level))
                for molecule in molecules:
                    engines.check(molecule, level)

    def starts_from(self, run: RunView) -> dict[str, JsonValue]:
        """Return the single points of [dft], and its level, of which the others take what they leave open."""
        return {
            "energies": kept_keys(run.verdicts(SinglePoints)),
            "levels": [level.model_dump(mode="json", exclude={"engine_version"}) for level in _levels(run)[0]],
        }

    def plan(self, run: RunView) -> Plan:
        """Name the levels and the device; count the single points."""
        levels, device = _levels(run)
        titles = ", ".join(map(engines.title, levels))
        return Plan(
            levels=levels,
            sentence=f"single points at further levels: {titles}",
            calculations=f"up to {len(levels) * most_conformers(run)} single points: {titles}",
            device=device,
        )

    def needs(self, run: RunView, plan: Plan, resources: Resources) -> Needs:
        """Return what the first level needs, with the memory of the largest; or what is too large."""
        every = [engines.estimate(run.molecule, level, resources) for level in plan.levels]
        largest = max((needs.memory_mb for needs in every if needs.memory_mb is not None), default=None)
        first = next((needs for needs in every if needs.too_large), every[0])
        return first.model_copy(update={"memory_mb": largest})

    def job_arrays(self, run: RunView) -> tuple[JobArray, ...]:
        """Return one round: a job a conformer and level."""
        return (JobArray(width=len(self.settings(run).levels) * most_conformers(run), work="job"),)

    def rounds(self, run: RunView, plan: Plan) -> Rounds:
        """Compute every conformer at every level, level by level."""
        points = [(verdict, level) for level in plan.levels for verdict in _conformers(run.require(SinglePoints))]
        records = yield [
            alone(
                Job(
                    f"{verdict.label}, {engines.title(level)}",
                    SinglePoint(molecule=computed_at(run.record(verdict.key)), level=level, driver="energy"),
                    Purpose.SINGLE_POINT,
                    (verdict.key,),
                )
            )
            for verdict, level in points
        ]
        return [
            judged(record.label, record, conformer.isomer, conformer.label)
            for (conformer, _), record in zip(points, records, strict=True)
        ]

    def findings(self, run: RunView) -> Findings | None:
        """Return energies and gaps by level, and what did not converge."""
        verdicts, first = run.verdicts(FurtherLevels), run.verdicts(SinglePoints)
        if verdicts is None or first is None:
            return None
        conformers = _conformers(first)
        rows = [(run.plan(SinglePoints).levels[0], conformers)]
        rows += [
            (level, list(verdicts[place * len(conformers) : (place + 1) * len(conformers)]))
            for place, level in enumerate(run.plan(FurtherLevels).levels)
        ]
        labels = [verdict.label for verdict in conformers]
        results = [(engines.title(level), [_result(run, verdict) for verdict in of_level]) for level, of_level in rows]
        return Findings(
            own=sensitivity(labels, results) if labels else None,
            failed=tuple(
                Dropped(stage=self.name, label=verdict.label, verdict=verdict)
                for verdict in verdicts
                if not verdict.kept
            ),
        )


def _levels(run: RunView) -> tuple[tuple[Level, ...], Device]:
    """Return the further levels, and the device they compute on."""
    table, dft = run.table(SensitivitySettings), run.table(DftSettings)
    assert table is not None
    assert dft is not None
    with input_errors_of("[sensitivity]"):
        found = [dft_level(level.settings(dft)) for level in table.levels]
    return tuple(level for level, _, _ in found), found[0][1]


def _said(level: Level) -> tuple[str, dict[str, JsonValue]]:
    """Return what tells levels apart: a functional may be spelled in two ways."""
    return engines.title(level).lower(), level.keywords


def _conformers(verdicts: Sequence[Verdict]) -> list[Verdict]:
    """Return those of [dft] on conformers that converged, without the points of a scan."""
    return [verdict for verdict in verdicts if verdict.kept and verdict.place is None]


def _result(run: RunView, verdict: Verdict) -> Result | None:
    outcome = run.record(verdict.key).outcome if verdict.kept else None
    return outcome if isinstance(outcome, Result) else None
