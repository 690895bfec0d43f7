"""`[refine]` as a stage: free relaxations of the conformers of `[dft]` at its level."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from qcdriver import engines
from qcdriver.errors import input_errors_of
from qcdriver.geometry.bonds import broken, opened
from qcdriver.models.level import Level
from qcdriver.models.molecule import Molecule
from qcdriver.models.outcomes import Relaxed
from qcdriver.models.records import TaskRecord
from qcdriver.models.tasks import Relaxation
from qcdriver.models.verdicts import Code, Note, Purpose, Twin, Verdict, failure
from qcdriver.workflow.base import Job, JobArray, Plan, Rounds, RunView, Stage, alone
from qcdriver.workflow.conformers import start_of
from qcdriver.workflow.dft import DftSettings, dft_level
from qcdriver.workflow.findings import Dropped, Findings
from qcdriver.workflow.prescreen.levels import relaxation_level
from qcdriver.workflow.prescreen.rounds import drift, same_structure, target_of
from qcdriver.workflow.prescreen.settings import PrescreenSettings
from qcdriver.workflow.prescreen.stage import Prescreen, most_survivors, survivors
from qcdriver.workflow.refine.findings import refined
from qcdriver.workflow.refine.settings import LARGEST_WITH_HESSIAN, RefineSettings

if TYPE_CHECKING:
    from pydantic import JsonValue

    from qcdriver.workflow.tables import Input

_JUDGED_BY = frozenset({"metal_bonds_to_lose", "max_drift_deg", "duplicate_kcal_mol", "duplicate_angstrom"})
"""Settings of the prescreen by which these relaxations are judged too."""


class Refinement(Stage[RefineSettings]):
    """The conformers of [dft], relaxed freely at its level."""

    name = "refine"
    Settings = RefineSettings
    after = (Prescreen,)
    stops_run_when_empty = True

    def check_tables(self, tables: Input) -> None:
        """Refuse an input without [dft], whose level this is, and isomers that it has not."""
        table = tables.table(RefineSettings)
        if table is None:
            return
        if tables.table(DftSettings) is None:
            raise ValueError(f"[{self.name}] needs [dft]: it relaxes at that level")
        for isomer in table.isomers:
            if isomer not in tables.structure.isomers:
                known = ", ".join(tables.structure.isomers)
                raise ValueError(f"{self.name}.isomers: {isomer!r} is no isomer; there are {known}")

    def check_levels(self, run: RunView, molecules: Sequence[Molecule]) -> None:
        """Let the engine refuse what it would refuse after hours."""
        with input_errors_of(f"[{self.name}]"):
            for level in run.plan(Refinement).levels:
                for molecule in molecules:
                    engines.check(molecule, level, "gradient")

    def starts_from(self, run: RunView) -> dict[str, JsonValue]:
        """Return the conformers that are relaxed, the level, and what they are judged by."""
        prescreen, dft = run.table(PrescreenSettings), run.table(DftSettings)
        assert prescreen is not None
        assert dft is not None
        chosen: list[JsonValue] = [verdict.key for verdict, _ in _chosen(run)] if run.verdicts(Prescreen) else []
        level = dft.model_dump(mode="json", exclude_defaults=True, exclude={"device", "keep_checkpoints"})
        judged_by = prescreen.model_dump(mode="json", exclude_defaults=True, include=set(_JUDGED_BY))
        return {"conformers": chosen, "level": level, "judged_by": judged_by}

    def plan(self, run: RunView) -> Plan:
        """Name the level and the device, and that of the first Hessian; count the relaxations."""
        dft = run.table(DftSettings)
        assert dft is not None
        level, device, sentence = dft_level(dft)
        most = min(most_conformers(run), len(run.candidates))
        relaxations = f"up to {most} relaxations" if most > 1 else "1 relaxation"
        hessian = self._level_of_hessian(run)
        begun = "a model Hessian" if hessian is None else f"the Hessian of {engines.title(hessian)}"
        return Plan(
            levels=(level,) if hessian is None else (level, hessian),
            sentence=f"free relaxation at the level of [dft], begun with {begun}, {sentence}",
            calculations=f"{relaxations} of up to {self.settings(run).threshold.max_steps} steps",
            device=device,
        )

    def _level_of_hessian(self, run: RunView) -> Level | None:
        """Return the level of the Hessian that relaxations begin with; None: the model Hessian."""
        prescreen = run.table(PrescreenSettings)
        assert prescreen is not None
        if not self.settings(run).start_hessian or len(run.molecule.symbols) > LARGEST_WITH_HESSIAN:
            return None
        return relaxation_level(prescreen)[0]

    def job_arrays(self, run: RunView) -> tuple[JobArray, ...]:
        """Return one round: a job a conformer."""
        return (JobArray(width=most_conformers(run), work="job"),)

    def rounds(self, run: RunView, plan: Plan) -> Rounds:
        """Relax every chosen conformer, then judge them."""
        chosen, convergence = _chosen(run), self.settings(run).threshold.convergence
        level, *hessian = plan.levels
        records = yield [
            alone(
                Job(
                    f"{verdict.label}, refined",
                    Relaxation(
                        molecule=molecule,
                        level=level,
                        convergence=convergence,
                        start_hessian=hessian[0] if hessian else None,
                    ),
                    Purpose.REFINEMENT,
                    (verdict.key,),
                )
            )
            for verdict, molecule in chosen
        ]
        judged = [_judged(verdict, record, run) for (verdict, _), record in zip(chosen, records, strict=True)]
        return _without_twins(judged, run)

    def advice(self, verdicts: Sequence[Verdict]) -> str:
        """Name the setting that ends a relaxation."""
        unconverged = any(verdict.code is Code.NOT_CONVERGED for verdict in verdicts)
        return "refine.threshold says when a relaxation is done, and after how many steps it fails" * unconverged

    def findings(self, run: RunView) -> Findings | None:
        """Return what each relaxation gained and cost, and why conformers do not go on."""
        verdicts = run.verdicts(Refinement)
        if verdicts is None:
            return None
        lost = [
            Dropped(stage=self.name, label=verdict.label, verdict=verdict) for verdict in verdicts if not verdict.kept
        ]
        return Findings(
            own=refined(verdicts, run),
            dropped=tuple(loss for loss in lost if isinstance(run.record(loss.verdict.key).outcome, Relaxed)),
            failed=tuple(loss for loss in lost if not isinstance(run.record(loss.verdict.key).outcome, Relaxed)),
        )


def most_conformers(run: RunView) -> int:
    """Count the conformers that [dft] computes, at most; known before any is relaxed."""
    table, most = run.table(RefineSettings), most_survivors(run)
    if table is None or table.per_isomer is None:
        return most
    return min(most, table.per_isomer * len(table.isomers or run.input.structure.isomers))


def on_conformers(run: RunView) -> tuple[Verdict, ...] | None:
    """Return the verdicts on the conformers that [dft] computes: those of [refine], where the input has it.

    Those of the prescreen where it has not; None: that stage has not finished.
    """
    return run.verdicts(Prescreen if run.table(RefineSettings) is None else Refinement)


def conformers_to_compute(run: RunView) -> list[tuple[Verdict, Molecule]]:
    """Return the conformers that [dft] computes, at their best geometries: refined, where the input has [refine].

    Raises
    ------
    InputError
        The stage that relaxed them has not finished with this input.
    """
    if run.table(RefineSettings) is None:
        return survivors(run)
    kept = [verdict for verdict in run.require(Refinement) if verdict.kept]
    return [(verdict, molecule) for verdict in kept if (molecule := run.record(verdict.key).molecule)]


def _chosen(run: RunView) -> list[tuple[Verdict, Molecule]]:
    """Return the conformers that are relaxed, the lowest of each isomer first."""
    table = run.table(RefineSettings)
    assert table is not None
    chosen, count = [], Counter[str]()
    for verdict, molecule in survivors(run):
        isomer = verdict.isomer or verdict.label
        count[isomer] += 1
        wanted = not table.isomers or isomer in table.isomers
        if wanted and (table.per_isomer is None or count[isomer] <= table.per_isomer):
            chosen.append((verdict, molecule))
    return chosen


def _judged(conformer: Verdict, record: TaskRecord, run: RunView) -> Verdict:
    """Judge a relaxation as the prescreen judges its own: it must converge, hold together, and stay its isomer."""
    prescreen = run.table(PrescreenSettings)
    assert prescreen is not None
    found, notes = Note(code=Code.KEPT), list[Note]()
    if not isinstance(record.outcome, Relaxed):
        found = failure(record.outcome)
    else:
        end = record.outcome.molecule
        start = start_of(conformer.label, run) or end
        candidate = next(candidate for candidate in run.candidates if candidate.label == conformer.label)
        target = target_of(candidate, start)
        if damage := broken(start, end, prescreen.metal_bonds_to_lose):
            found = Note(code=Code.FELL_APART, facts=damage)
        elif turned := drift(target, candidate.isomer, end, prescreen.max_drift_deg):
            found = Note(code=Code.TURNED, facts=turned)
        elif bonds := opened(start, end):
            notes.append(Note(code=Code.OPENED, facts=bonds))
    return Verdict(
        label=conformer.label,
        key=record.key,
        kept=found.code is Code.KEPT,
        code=found.code,
        facts=found.facts,
        notes=tuple(notes),
        purpose=Purpose.REFINEMENT,
        isomer=conformer.isomer,
    )


def _without_twins(judged: Sequence[Verdict], run: RunView) -> list[Verdict]:
    """Drop what became the same as a lower one, or its mirror image; returns the kept ones first, by rising energy."""
    prescreen = run.table(PrescreenSettings)
    assert prescreen is not None
    relaxed = {
        verdict.key: outcome
        for verdict in judged
        if verdict.kept and isinstance(outcome := run.record(verdict.key).outcome, Relaxed)
    }
    kept: list[Verdict] = []
    lost = [verdict for verdict in judged if not verdict.kept]
    for verdict in sorted(
        (conformer for conformer in judged if conformer.kept),
        key=lambda conformer: relaxed[conformer.key].result.energy,
    ):
        twins = ((other, same_structure(relaxed[verdict.key], relaxed[other.key], prescreen)) for other in kept)
        twin = next(((other, code) for other, code in twins if code is not None), None)
        if twin is None:
            kept.append(verdict)
        else:
            other, code = twin
            facts = Twin(label=other.label, key=other.key)
            lost.append(verdict.model_copy(update={"kept": False, "code": code, "facts": facts, "notes": ()}))
    return [*kept, *lost]
