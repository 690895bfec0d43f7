"""`[thermochemistry]`: free energies of the conformers, their populations, and the rates over verified saddles."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import Field, field_validator

from qcdriver import engines
from qcdriver.errors import input_errors_of
from qcdriver.geometry.alignment import align
from qcdriver.models.base import Frozen
from qcdriver.models.molecule import Molecule
from qcdriver.models.outcomes import Frequencies
from qcdriver.models.records import TaskRecord
from qcdriver.models.tasks import Vibrations
from qcdriver.models.verdicts import Code, Curvature, Note, Purpose, Verdict, failure
from qcdriver.optimize.free_energy import FreeEnergy, Treatment, free_energy
from qcdriver.units import KCAL_MOL, KELVIN, PLANCK_S, WAVENUMBER
from qcdriver.workflow.base import Job, JobArray, Plan, Rounds, RunView, Stage, alone, kept_keys
from qcdriver.workflow.findings import Dropped, Findings
from qcdriver.workflow.prescreen.levels import relaxation_level
from qcdriver.workflow.prescreen.settings import PrescreenSettings
from qcdriver.workflow.prescreen.stage import Prescreen, survivors
from qcdriver.workflow.stationary.stage import Stationary

if TYPE_CHECKING:
    from pydantic import JsonValue

    from qcdriver.workflow.tables import Input

CHIRAL_ANGSTROM = 0.1
"""A conformer of which an atom lies farther than this from its place in the mirror image exists in two hands."""


class ThermochemistrySettings(Frozen):
    """`[thermochemistry]`: harmonic vibrations of every conformer, at the level of its geometry, and what follows.

    Free energies at `temperatures_k` in `standard_state`, quasi-RRHO with `cutoff_cm` and `alpha`
    (doi:10.1002/chem.201200497); Boltzmann populations, each conformer counted with its mirror image; of the saddles
    that [stationary] verified, rates by Eyring's equation with Wigner's factor for tunnelling.
    """

    temperatures_k: tuple[float, ...] = Field(default=(263.15, 298.15), min_length=1)
    cutoff_cm: float = Field(default=100.0, gt=0)
    alpha: float = Field(default=4.0, gt=0)
    standard_state: Literal["1 atm", "1 M"] = "1 atm"

    @field_validator("temperatures_k")
    @classmethod
    def _above_zero(cls, temperatures: tuple[float, ...]) -> tuple[float, ...]:
        for temperature in temperatures:
            if temperature <= 0:
                raise ValueError(f"{temperature:g} K is no temperature above 0")
        return temperatures

    @property
    def treatment(self) -> Treatment:
        """How vibrations become a free energy."""
        return Treatment(self.cutoff_cm, self.alpha, self.standard_state)


class ConformerFreeEnergy(Frozen):
    """One conformer at one temperature; `weight` is 2 where the mirror image is another structure."""

    conformer: str
    temperature_k: float
    energy_kcal_mol: float
    gibbs_kcal_mol: float
    gibbs_raised_kcal_mol: float
    weight: int
    population_percent: float


class Passage(Frozen):
    """The way over one saddle from one minimum at one temperature; energies from that minimum."""

    saddle: str
    start: str
    temperature_k: float
    barrier_kcal_mol: float
    gibbs_barrier_kcal_mol: float
    wigner_factor: float
    rate_per_s: float
    half_life_s: float


class Thermochemistry(Frozen):
    """Free energies of a run's conformers, from the lowest at each temperature, and passages over its saddles."""

    level: str
    standard_state: str
    cutoff_cm: float
    alpha: float
    conformers: tuple[ConformerFreeEnergy, ...]
    passages: tuple[Passage, ...]


class FreeEnergies(Stage[ThermochemistrySettings]):
    """Vibrations of the conformers, and the free energies that follow."""

    name = "thermochemistry"
    Settings = ThermochemistrySettings
    after = (Prescreen, Stationary)

    def check_tables(self, tables: Input) -> None:
        """Refuse vibrations of conformers whose metal was held: these are no minima."""
        prescreen = tables.table(PrescreenSettings)
        if tables.table(ThermochemistrySettings) and prescreen and prescreen.hold_metal:
            raise ValueError("[thermochemistry] needs prescreen.hold_metal = false: held metal has no free minimum")

    def check(self, run: RunView, molecules: Sequence[Molecule]) -> None:
        """Let the engine refuse what it would refuse after hours."""
        with input_errors_of(f"[{self.name}]"):
            for molecule in molecules:
                engines.check(molecule, run.plan(FreeEnergies).levels[0], "gradient")

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
            found = Thermochemistry(
                level=engines.title(next(iter(records.values())).level),
                standard_state=settings.standard_state,
                cutoff_cm=settings.cutoff_cm,
                alpha=settings.alpha,
                conformers=tuple(_populations(records, settings)),
                passages=tuple(_passages(run, settings)),
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


def _thermal(record: TaskRecord, temperature_k: float, settings: ThermochemistrySettings) -> FreeEnergy:
    """Return the thermal part at a stationary point; noise below zero counts by its size, an imaginary mode not."""
    frequencies, molecule = record.outcome, record.molecule
    assert isinstance(frequencies, Frequencies)
    assert molecule is not None
    vibrating = np.abs(np.array(frequencies.wavenumbers_cm[frequencies.n_imaginary :]))
    return free_energy(molecule, vibrating, temperature_k, settings.treatment)


def _molecule(record: TaskRecord) -> Molecule:
    assert record.molecule is not None
    return record.molecule


def _energy(record: TaskRecord) -> float:
    assert record.result is not None
    return record.result.energy


def _populations(records: dict[str, TaskRecord], settings: ThermochemistrySettings) -> Iterable[ConformerFreeEnergy]:
    weights = {label: hands(_molecule(record)) for label, record in records.items()}
    lowest = min(map(_energy, records.values()))
    for temperature in settings.temperatures_k:
        thermal = {label: _thermal(record, temperature, settings) for label, record in records.items()}
        gibbs = {label: _energy(record) + thermal[label].gibbs for label, record in records.items()}
        raised = {label: _energy(record) + thermal[label].gibbs_raised for label, record in records.items()}
        kt = temperature / KELVIN
        least = min(gibbs.values())
        parts = {label: weights[label] * math.exp(-(value - least) / kt) for label, value in gibbs.items()}
        for label in sorted(records, key=gibbs.__getitem__):
            yield ConformerFreeEnergy(
                conformer=label,
                temperature_k=temperature,
                energy_kcal_mol=(_energy(records[label]) - lowest) * KCAL_MOL,
                gibbs_kcal_mol=(gibbs[label] - least) * KCAL_MOL,
                gibbs_raised_kcal_mol=(raised[label] - min(raised.values())) * KCAL_MOL,
                weight=weights[label],
                population_percent=100 * parts[label] / sum(parts.values()),
            )


def hands(molecule: Molecule) -> int:
    """Return 2 for a conformer that is not its own mirror image, and stands for both; else 1."""
    return 2 if align(molecule, molecule, improper=True).largest_angstrom > CHIRAL_ANGSTROM else 1


def thermal_corrections(run: RunView, temperature_k: float) -> dict[str, float]:
    """Return what a conformer's free energy has beyond its energy, hartree, by its label; empty before the stage ran.

    A conformer that is no minimum has none.
    """
    verdicts = run.verdicts(FreeEnergies) or ()
    settings = run.table(ThermochemistrySettings) or ThermochemistrySettings()
    kept = {verdict.label: run.record(verdict.key) for verdict in verdicts if verdict.kept}
    return {label: _thermal(record, temperature_k, settings).gibbs for label, record in kept.items()}


def _passages(run: RunView, settings: ThermochemistrySettings) -> Iterable[Passage]:
    """Return the rates over each verified saddle, from either minimum that its path connects."""
    kept = [(verdict, run.record(verdict.key)) for verdict in run.verdicts(Stationary) or () if verdict.kept]
    vibrations = {record.task.molecule: record for _, record in kept if isinstance(record.task, Vibrations)}
    labels = {record.key: (verdict.label, record) for verdict, record in kept if verdict.purpose is Purpose.MINIMUM}
    for verdict, record in kept:
        top = vibrations.get(record.molecule) if record.molecule else None
        if verdict.purpose is not Purpose.SADDLE or top is None:
            continue
        for key in run.record(record.parents[0]).parents:
            label, minimum = labels.get(key, ("", None))
            start = vibrations.get(minimum.molecule) if minimum and minimum.molecule else None
            if start is not None:
                for temperature in settings.temperatures_k:
                    yield _passage(verdict.label, label, top, start, temperature, settings)


def _passage(
    saddle: str,
    label: str,
    top: TaskRecord,
    start: TaskRecord,
    temperature_k: float,
    settings: ThermochemistrySettings,
) -> Passage:
    barrier = _energy(top) - _energy(start)
    both = [_thermal(record, temperature_k, settings).gibbs for record in (top, start)]
    gibbs = barrier + both[0] - both[1]
    kt = temperature_k / KELVIN
    assert isinstance(top.outcome, Frequencies)
    quantum = top.outcome.wavenumbers_cm[0] / WAVENUMBER
    wigner = 1 + (quantum / kt) ** 2 / 24
    rate = wigner * kt / PLANCK_S * math.exp(-gibbs / kt)
    return Passage(
        saddle=saddle,
        start=label,
        temperature_k=temperature_k,
        barrier_kcal_mol=barrier * KCAL_MOL,
        gibbs_barrier_kcal_mol=gibbs * KCAL_MOL,
        wigner_factor=wigner,
        rate_per_s=rate,
        half_life_s=math.log(2) / rate,
    )
