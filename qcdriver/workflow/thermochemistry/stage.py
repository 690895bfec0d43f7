"""`[thermochemistry]`: free energies of the conformers, their populations, and the rates over verified saddles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from qcdriver import engines
from qcdriver.errors import input_errors_of
from qcdriver.models.molecule import Molecule
from qcdriver.models.outcomes import Frequencies
from qcdriver.models.records import TaskRecord
from qcdriver.models.tasks import Vibrations
from qcdriver.models.verdicts import Code, Curvature, Note, Purpose, Verdict, failure
from qcdriver.workflow.base import Job, JobArray, Plan, Rounds, RunView, Stage, alone, kept_keys
from qcdriver.workflow.findings import Dropped, Findings
from qcdriver.workflow.prescreen.levels import relaxation_level
from qcdriver.workflow.prescreen.settings import PrescreenSettings
from qcdriver.workflow.prescreen.stage import Prescreen, survivors
from qcdriver.workflow.scan.stage import Scan
from qcdriver.workflow.single_points import SinglePoints
from qcdriver.workflow.stationary.settings import StationarySettings
from qcdriver.workflow.stationary.stage import Stationary
from qcdriver.workflow.thermochemistry.averages import averages
from qcdriver.workflow.thermochemistry.contributions import thermal
from qcdriver.workflow.thermochemistry.findings import Infrared, Thermochemistry
from qcdriver.workflow.thermochemistry.free_energies import free_energies
from qcdriver.workflow.thermochemistry.passages import passages, verified_network
from qcdriver.workflow.thermochemistry.populations import populations
from qcdriver.workflow.thermochemistry.settings import ThermochemistrySettings
from qcdriver.workflow.thermochemistry.time_course import kinetics, refuse_unknown_start

if TYPE_CHECKING:
    from pydantic import JsonValue

    from qcdriver.workflow.tables import Input


class FreeEnergies(Stage[ThermochemistrySettings]):
    """Vibrations of the conformers, and the free energies that follow."""

    name = "thermochemistry"
    Settings = ThermochemistrySettings
    after = (Prescreen, Scan, Stationary, SinglePoints)
    not_in_any_key = frozenset({"start", "after_days", "populations"})

    def check_tables(self, tables: Input) -> None:
        """Refuse vibrations of conformers whose metal was held, which are no minima, and rates without saddles."""
        prescreen, table = tables.table(PrescreenSettings), tables.table(ThermochemistrySettings)
        if table and prescreen and prescreen.hold_metal:
            raise ValueError("[thermochemistry] needs prescreen.hold_metal = false: held metal has no free minimum")
        if table and table.start is not None and tables.table(StationarySettings) is None:
            raise ValueError(
                "[thermochemistry] start needs a table [stationary], over whose saddles populations change"
            )

    def check(self, run: RunView, molecules: Sequence[Molecule]) -> None:
        """Let the engine refuse what it would refuse after hours."""
        with input_errors_of(f"[{self.name}]"):
            for molecule in molecules:
                engines.check(molecule, run.plan(FreeEnergies).levels[0], "gradient")
            if (start := self.settings(run).start) is not None:
                refuse_unknown_start(start, run, molecules[0])

    def waits_for(self, run: RunView) -> tuple[type[Stage[Any]], ...]:
        """Wait for the geometries alone: energies of other stages count in what is found, not in the vibrations."""
        return tuple(stage for stage in super().waits_for(run) if stage not in (Scan, SinglePoints))

    def starts_from(self, run: RunView) -> dict[str, JsonValue]:
        """Return the survivors, and the stationary points where there are any."""
        stationary = run.verdicts(Stationary)
        known: dict[str, JsonValue] = {} if stationary is None else {Stationary.name: kept_keys(stationary)}
        return {"survivors": kept_keys(run.verdicts(Prescreen)), **known}

    def plan(self, run: RunView) -> Plan:
        """Take the level that ranks: wavenumbers mean something where the gradient vanishes."""
        prescreen = run.table(PrescreenSettings)
        assert prescreen is not None
        level, sentence = relaxation_level(prescreen)
        gradients = 6 * len(run.molecule.symbols) + 1
        most = min(prescreen.max_kept, len(run.candidates))
        conformers = f"up to {most} conformers, {gradients} gradients each" if most > 1 else "1 conformer"
        count = f"vibrations of {conformers}" if most > 1 else f"vibrations of {conformers}, {gradients} gradients"
        return Plan(levels=(level,), sentence=sentence, calculations=count)

    def job_arrays(self, run: RunView) -> tuple[JobArray, ...]:
        """Return one round: a job a conformer."""
        prescreen = run.table(PrescreenSettings)
        assert prescreen is not None
        return (JobArray(width=prescreen.max_kept, work="job"),)

    def rounds(self, run: RunView, plan: Plan) -> Rounds:
        """Compute the vibrations of every conformer."""
        return _vibrations(survivors(run), plan)

    def findings(self, run: RunView) -> Findings | None:
        """Return free energies and populations, passages over saddles, and the conformers without vibrations."""
        verdicts, settings = run.verdicts(FreeEnergies), self.settings(run)
        if verdicts is None:
            return None
        records = {verdict.label: run.record(verdict.key) for verdict in verdicts if verdict.kept}
        found = None
        if records:
            network = verified_network(run)
            rows = tuple(free_energies(records, settings))
            over = tuple(passages(network, settings.temperatures_k, settings.treatment))
            found = Thermochemistry(
                level=engines.title(next(iter(records.values())).level),
                standard_state=settings.standard_state,
                cutoff_cm=settings.cutoff_cm,
                alpha=settings.alpha,
                conformers=rows,
                passages=over,
                infrared=tuple(_infrared(label, record) for label, record in records.items()),
                populations=populations(run, records, settings) if settings.populations else None,
                kinetics=kinetics(run, network, over, settings) if settings.start is not None else None,
                averages=tuple(averages(run, records, rows, settings.temperatures_k)),
            )
        failed = (verdict for verdict in verdicts if not verdict.kept)
        return Findings(
            own=found,
            failed=tuple(Dropped(stage=self.name, label=verdict.label, verdict=verdict) for verdict in failed),
        )


def _vibrations(conformers: Sequence[tuple[Verdict, Molecule]], plan: Plan) -> Rounds:
    jobs = [
        Job(f"{verdict.label}, vibrations", Vibrations(molecule=molecule, level=plan.levels[0]), Purpose.VIBRATIONS)
        for verdict, molecule in conformers
    ]
    records = yield [alone(job) for job in jobs]
    return [_judged(verdict, record) for (verdict, _), record in zip(conformers, records, strict=True)]


def _judged(conformer: Verdict, record: TaskRecord) -> Verdict:
    """Judge a conformer by its vibrations: one with an imaginary wavenumber is no minimum and has no free energy."""
    found = Note(code=Code.KEPT)
    if not isinstance(record.outcome, Frequencies):
        found = failure(record.outcome)
    elif record.outcome.n_imaginary:
        below = tuple(wavenumber for wavenumber in record.outcome.wavenumbers_cm if wavenumber < 0)
        found = Note(code=Code.WRONG_CURVATURE, facts=Curvature(wavenumbers_cm=below, wanted=0))
    return Verdict(
        label=conformer.label,
        key=record.key,
        kept=found.code is Code.KEPT,
        code=found.code,
        facts=found.facts,
        purpose=Purpose.VIBRATIONS,
        isomer=conformer.isomer,
    )


def _infrared(label: str, record: TaskRecord) -> Infrared:
    outcome = record.outcome
    assert isinstance(outcome, Frequencies)
    return Infrared(
        conformer=label,
        wavenumbers_cm=outcome.wavenumbers_cm,
        intensities_km_mol=outcome.intensities_km_mol,
    )


def thermal_corrections(run: RunView, temperature_k: float) -> dict[str, float]:
    """Return what a conformer's free energy has beyond its energy, hartree, by its label; empty before the stage ran.

    A conformer that is no minimum has none.
    """
    verdicts = run.verdicts(FreeEnergies) or ()
    settings = run.table(ThermochemistrySettings) or ThermochemistrySettings()
    kept = {verdict.label: run.record(verdict.key) for verdict in verdicts if verdict.kept}
    return {label: thermal(record, temperature_k, settings.treatment).gibbs for label, record in kept.items()}
