"""`[spectrum]` as a stage: the excited singlets of chosen conformers, each at its best geometry."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from qcdriver import engines
from qcdriver.engines import Needs
from qcdriver.errors import input_errors_of
from qcdriver.models.level import Resources
from qcdriver.models.molecule import Molecule
from qcdriver.models.outcomes import ExcitedStates
from qcdriver.models.records import TaskRecord
from qcdriver.models.tasks import Excitations
from qcdriver.models.verdicts import Code, Missing, Note, Purpose, Verdict, failure
from qcdriver.workflow.base import Job, JobArray, Plan, Rounds, RunView, Stage, alone
from qcdriver.workflow.dft import DftSettings, dft_level
from qcdriver.workflow.findings import Dropped, Findings
from qcdriver.workflow.prescreen.settings import PrescreenSettings
from qcdriver.workflow.prescreen.stage import Prescreen
from qcdriver.workflow.refine.stage import Refinement, conformers_to_compute, on_conformers
from qcdriver.workflow.single_points import SinglePoints
from qcdriver.workflow.spectrum.findings import spectrum
from qcdriver.workflow.spectrum.settings import SpectrumSettings
from qcdriver.workflow.thermochemistry.stage import FreeEnergies

if TYPE_CHECKING:
    from pydantic import JsonValue

    from qcdriver.workflow.tables import Input

_SETTINGS_OF_A_LEVEL = frozenset({"engine", "method", "basis", "keywords"})


class ExcitedSinglets(Stage[SpectrumSettings]):
    """Excited states of the conformers, and the spectrum that they make."""

    name = "spectrum"
    Settings = SpectrumSettings
    after = (Prescreen, Refinement, SinglePoints, FreeEnergies)
    orbitals_of = (SinglePoints,)
    not_in_any_key = frozenset({"fwhm_ev", "allowed", "temperature_k"})

    def check_tables(self, tables: Input) -> None:
        """Refuse an input without a functional, and isomers that it has not."""
        table = tables.table(SpectrumSettings)
        if table is None:
            return
        if table.level_settings(tables.table(DftSettings)) is None:
            raise ValueError(f"[{self.name}] needs a method and a basis, of its own or those of [dft]")
        for isomer in table.isomers:
            if isomer not in tables.structure.isomers:
                known = ", ".join(tables.structure.isomers)
                raise ValueError(f"{self.name}.isomers: {isomer!r} is no isomer; there are {known}")

    def waits_for(self, run: RunView) -> tuple[type[Stage[Any]], ...]:
        """Wait for the single points, whose orbitals may be the first ones here; not for free energies."""
        return tuple(stage for stage in super().waits_for(run) if stage is not FreeEnergies)

    def check_levels(self, run: RunView, molecules: Sequence[Molecule]) -> None:
        """Let the engine refuse what it would refuse after hours."""
        with input_errors_of(f"[{self.name}]"):
            level, request = run.plan(ExcitedSinglets).levels[0], self.settings(run).request
            for molecule in molecules:
                engines.check_excitations(molecule, level, request)

    def needs(self, run: RunView, plan: Plan, resources: Resources) -> Needs:
        """Return what the excited states of one conformer need."""
        return engines.estimate_excitations(run.molecule, plan.levels[0], self.settings(run).request, resources)

    def starts_from(self, run: RunView) -> dict[str, JsonValue]:
        """Return the conformers that are computed, and the level, of which [dft] may say a part."""
        chosen: list[JsonValue] = [verdict.key for verdict, _ in _chosen(run)] if on_conformers(run) else []
        level = _level_settings(run).model_dump(mode="json", include=set(_SETTINGS_OF_A_LEVEL))
        return {"conformers": chosen, "level": level}

    def plan(self, run: RunView) -> Plan:
        """Name the level and the device; count the conformers."""
        with input_errors_of(f"[{self.name}]"):
            level, device, sentence = dft_level(_level_settings(run))
        settings = self.settings(run)
        request = settings.request
        which = f"{request.n_states} lowest" if request.n_states else f"all up to {settings.up_to_ev:g} eV"
        return Plan(
            levels=(level,),
            sentence=f"excited singlets by {request.approximation}, {sentence}",
            calculations=f"excited states ({which}) of up to {_most(run)} conformer(s)",
            device=device,
        )

    def job_arrays(self, run: RunView) -> tuple[JobArray, ...]:
        """Return one round: a job a conformer."""
        return (JobArray(width=_most(run), work="job"),)

    def rounds(self, run: RunView, plan: Plan) -> Rounds:
        """Compute the excited states of every chosen conformer."""
        request = self.settings(run).request
        chosen = _chosen(run)
        records = yield [
            alone(
                Job(
                    f"{verdict.label}, excited states",
                    Excitations(molecule=molecule, level=plan.levels[0], request=request),
                    Purpose.EXCITATIONS,
                    (verdict.key,),
                )
            )
            for verdict, molecule in chosen
        ]
        return [_judged(verdict, record) for (verdict, _), record in zip(chosen, records, strict=True)]

    def findings(self, run: RunView) -> Findings | None:
        """Return the spectrum, and the conformers and the states that are missing from it."""
        verdicts = run.verdicts(ExcitedSinglets)
        if verdicts is None:
            return None
        kept = [verdict for verdict in verdicts if verdict.kept]
        missing = [verdict for verdict in verdicts if not verdict.kept]
        missing += [
            Verdict(label=verdict.label, key=verdict.key, kept=False, code=note.code, facts=note.facts)
            for verdict in kept
            for note in verdict.notes
        ]
        return Findings(
            own=spectrum(run, kept, self.settings(run)) if kept else None,
            failed=tuple(Dropped(stage=self.name, label=verdict.label, verdict=verdict) for verdict in missing),
        )


def _level_settings(run: RunView) -> DftSettings:
    table = run.table(SpectrumSettings)
    assert table is not None
    found = table.level_settings(run.table(DftSettings))
    assert found is not None  # `check_tables` refuses the others
    return found


def _most(run: RunView) -> int:
    """Count the conformers, at most."""
    table, prescreen = run.table(SpectrumSettings), run.table(PrescreenSettings)
    assert table is not None
    assert prescreen is not None
    isomers = table.isomers or tuple(run.input.structure.isomers)
    return min(prescreen.max_kept, table.per_isomer * len(isomers))


def _chosen(run: RunView) -> list[tuple[Verdict, Molecule]]:
    """Return the lowest conformers of every isomer that is asked for, the lowest first."""
    table = run.table(SpectrumSettings)
    assert table is not None
    chosen, count = [], Counter[str]()
    for verdict, molecule in conformers_to_compute(run):
        isomer = verdict.isomer or verdict.label
        if (not table.isomers or isomer in table.isomers) and count[isomer] < table.per_isomer:
            count[isomer] += 1
            chosen.append((verdict, molecule))
    return chosen


def _judged(conformer: Verdict, record: TaskRecord) -> Verdict:
    outcome = record.outcome
    found, notes = Note(code=Code.KEPT), list[Note]()
    if not isinstance(outcome, ExcitedStates):
        found = failure(outcome)
    elif outcome.n_unconverged:
        facts = Missing(count=outcome.n_unconverged, of=outcome.n_unconverged + len(outcome.states))
        notes.append(Note(code=Code.STATES_NOT_CONVERGED, facts=facts))
    return Verdict(
        label=conformer.label,
        key=record.key,
        kept=found.code is Code.KEPT,
        code=found.code,
        facts=found.facts,
        notes=tuple(notes),
        purpose=Purpose.EXCITATIONS,
        isomer=conformer.isomer,
    )
