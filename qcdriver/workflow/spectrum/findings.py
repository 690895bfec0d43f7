"""Records of excited states become a spectrum: populations, states, bands beside measured peaks, who absorbs redder."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from typing import Literal

import numpy as np

from qcdriver import engines
from qcdriver.geometry.bonds import metal_atoms
from qcdriver.models.base import Frozen
from qcdriver.models.excitations import Approximation, ExcitedState, OrbitalPair
from qcdriver.models.molecule import Molecule
from qcdriver.models.outcomes import ExcitedStates, StateWarning
from qcdriver.models.records import TaskRecord
from qcdriver.models.verdicts import Verdict
from qcdriver.units import EV, KCAL_MOL, KELVIN
from qcdriver.workflow.base import RunView
from qcdriver.workflow.spectrum.curve import Sticks, bands, match, wavelength_nm
from qcdriver.workflow.spectrum.settings import SpectrumSettings
from qcdriver.workflow.thermochemistry.contributions import hands
from qcdriver.workflow.thermochemistry.stage import thermal_corrections

UNDECIDED_EV = 0.1
"""Bands of two isomers that are closer are not told apart. The mean error of the best functionals for organic molecules
is 0.2 to 0.3 eV (doi:10.1021/ct900298e), most of which two isomers share."""


class StateFound(Frozen):
    """One excited state of a conformer.

    `moved_e`: the electrons that go from atom to atom, of one that is excited; `to_ligands_e`: those that go from the
    metal to the ligands, negative the other way, None without metal or without ligands. Populations are Loewdin's.
    """

    conformer: str
    state: int
    energy_ev: float
    wavelength_nm: float
    oscillator_strength: float
    moved_e: float
    to_ligands_e: float | None
    pairs: tuple[OrbitalPair, ...]


class ConformerFound(Frozen):
    """One conformer: three energies that are not each other's stand-in, and what it counts in the average.

    `gap_ev` between orbitals, `first_ev` the lowest excitation, `measured_gap_ev` the optical gap of its isomer.
    `allowed_ev`: the lowest state whose oscillator strength, `allowed_strength`, makes a band; None where none does.
    `share_percent` within its isomer, `population_percent` among all.
    """

    conformer: str
    isomer: str
    key: str
    relative_energy_kcal_mol: float
    population_percent: float
    share_percent: float
    n_states: int
    gap_ev: float | None
    first_ev: float
    measured_gap_ev: float | None
    allowed_ev: float | None
    allowed_strength: float | None
    warnings: tuple[StateWarning, ...] = ()


class PeaksFound(Frozen):
    """The bands of an isomer beside its measured peaks, nm; `measured_nm[i]` is matched with `computed_nm[i]`.

    `without_band_nm`: measured peaks for which no band is left; `not_reached_nm`: those where the curve is
    not whole, for want of higher states.
    Deviation, shift (computed minus measured) and the scatter about it are means, in eV; None without a match.
    """

    isomer: str
    n_bands: int
    measured_nm: tuple[float, ...]
    computed_nm: tuple[float, ...]
    without_band_nm: tuple[float, ...]
    not_reached_nm: tuple[float, ...]
    deviation_ev: float | None
    shift_ev: float | None
    scatter_ev: float | None


class Redder(Frozen):
    """Whether the isomer that was measured to absorb at longer waves does so in the computation.

    Of each the measured peak of lowest energy, and the computed first allowed band of its most populated conformer, nm.
    """

    redder: str
    other: str
    measured_nm: tuple[float, float]
    computed_nm: tuple[float, float] | None
    answer: Literal["as measured", "the other way round", "undecided", "unknown"]


class Spectrum(Frozen):
    """Vertical excited singlets of a run's conformers at one level, without spin-orbit coupling.

    Attributes
    ----------
    solvent
        That of the level; the excited states feel its electrons alone respond.
    populations_of
        What the populations follow from: electronic energies, or free energies.
    """

    level: str
    approximation: Approximation
    solvent: str | None
    spin_orbit: bool = False
    fwhm_ev: float
    allowed: float
    temperature_k: float
    populations_of: Literal["energies", "free energies"]
    conformers: tuple[ConformerFound, ...]
    states: tuple[StateFound, ...]
    peaks: tuple[PeaksFound, ...]
    redder: tuple[Redder, ...]
    measured_nm: dict[str, tuple[float, ...]]

    @property
    def isomers(self) -> tuple[str, ...]:
        """The isomers that were computed."""
        return tuple(dict.fromkeys(conformer.isomer for conformer in self.conformers))

    def sticks(self, isomer: str | None = None) -> Sticks:
        """Return the states of an isomer's conformers by their shares; None: of all, by their populations."""
        counted = {
            conformer.conformer: (conformer.population_percent if isomer is None else conformer.share_percent) / 100
            for conformer in self.conformers
            if isomer in (None, conformer.isomer)
        }
        states = [state for state in self.states if state.conformer in counted]
        return Sticks(
            np.array([state.energy_ev for state in states]),
            np.array([state.oscillator_strength * counted[state.conformer] for state in states]),
        )

    def complete_ev(self, isomer: str) -> float:
        """Return the energy up to which the curve of an isomer is whole: half a width below the highest state.

        Above, states that were not computed would add to it.
        """
        highest: dict[str, float] = {}
        labels = {conformer.conformer for conformer in self.conformers if conformer.isomer == isomer}
        for state in self.states:
            if state.conformer in labels:
                highest[state.conformer] = max(state.energy_ev, highest.get(state.conformer, 0.0))
        return min(highest.values()) - self.fwhm_ev / 2


def spectrum(run: RunView, verdicts: Sequence[Verdict], settings: SpectrumSettings) -> Spectrum:
    """Return the spectrum of conformers whose excited states were computed."""
    found = {verdict.label: (verdict, run.record(verdict.key)) for verdict in verdicts}
    records = {label: record for label, (_, record) in found.items()}
    isomers = {label: verdict.isomer or label for label, (verdict, _) in found.items()}
    weights, populations_of = _weights(run, records, settings.temperature_k)
    experiment = run.input.experiment
    measured = experiment.peaks_nm if experiment else {}
    first = next(iter(records.values()))
    solvent = first.level.keywords.get("solvent")
    whole = Spectrum(
        level=engines.title(first.level),
        approximation=settings.approximation,
        solvent=solvent if isinstance(solvent, str) else None,
        fwhm_ev=settings.fwhm_ev,
        allowed=settings.allowed,
        temperature_k=settings.temperature_k,
        populations_of=populations_of,
        conformers=tuple(
            _conformer(label, isomers, records, weights, settings, experiment.gap_ev if experiment else {})
            for label in sorted(records, key=lambda label: _energy(records[label]))
        ),
        states=tuple(state for label, record in records.items() for state in _states(label, record)),
        peaks=(),
        redder=(),
        measured_nm={isomer: measured[isomer] for isomer in dict.fromkeys(isomers.values()) if measured.get(isomer)},
    )
    return compared(whole)


def compared(whole: Spectrum) -> Spectrum:
    """Return a spectrum with its bands matched with the measured peaks, and its isomers' first bands compared."""
    peaks = tuple(_peaks(whole, isomer, measured) for isomer, measured in whole.measured_nm.items())
    return whole.model_copy(update={"peaks": peaks, "redder": tuple(_redder(whole))})


def _weights(
    run: RunView, records: Mapping[str, TaskRecord], temperature_k: float
) -> tuple[dict[str, float], Literal["energies", "free energies"]]:
    """Return Boltzmann's weight of each conformer, its mirror image counted, and of which energies."""
    thermal = thermal_corrections(run, temperature_k)
    known = all(label in thermal for label in records)
    energies = {label: _energy(record) + (thermal[label] if known else 0.0) for label, record in records.items()}
    lowest, kt = min(energies.values()), temperature_k / KELVIN
    weights = {
        label: hands(_molecule(records[label])) * math.exp(-(energy - lowest) / kt)
        for label, energy in energies.items()
    }
    return weights, "free energies" if known else "energies"


def _conformer(
    label: str,
    isomers: Mapping[str, str],
    records: Mapping[str, TaskRecord],
    weights: Mapping[str, float],
    settings: SpectrumSettings,
    measured_gaps: Mapping[str, float],
) -> ConformerFound:
    record, isomer = records[label], isomers[label]
    states, result = _outcome(record).states, _outcome(record).result
    allowed = next((state for state in states if state.oscillator_strength >= settings.allowed), None)
    of_isomer = sum(weight for other, weight in weights.items() if isomers[other] == isomer)
    return ConformerFound(
        conformer=label,
        isomer=isomer,
        key=record.key,
        relative_energy_kcal_mol=(result.energy - min(map(_energy, records.values()))) * KCAL_MOL,
        population_percent=100 * weights[label] / sum(weights.values()),
        share_percent=100 * weights[label] / of_isomer,
        n_states=len(states),
        gap_ev=None if result.gap is None else result.gap * EV,
        first_ev=states[0].energy * EV,
        measured_gap_ev=measured_gaps.get(isomer),
        allowed_ev=None if allowed is None else allowed.energy * EV,
        allowed_strength=None if allowed is None else allowed.oscillator_strength,
        warnings=result.warnings,
    )


def _states(label: str, record: TaskRecord) -> Iterable[StateFound]:
    molecule = _molecule(record)
    metal = list(metal_atoms(molecule))
    mixed = 0 < len(metal) < len(molecule.symbols)
    for number, state in enumerate(_outcome(record).states, start=1):
        yield StateFound(
            conformer=label,
            state=number,
            energy_ev=state.energy * EV,
            wavelength_nm=wavelength_nm(state.energy * EV),
            oscillator_strength=state.oscillator_strength,
            moved_e=_moved(state),
            to_ligands_e=-float(state.electrons_gained[metal].sum()) if mixed else None,
            pairs=state.pairs,
        )


def _moved(state: ExcitedState) -> float:
    return float(np.abs(state.electrons_gained).sum()) / 2


def _peaks(whole: Spectrum, isomer: str, measured_nm: Sequence[float]) -> PeaksFound:
    """Match the bands of an isomer with its measured peaks, as far as states were computed."""
    complete = whole.complete_ev(isomer)
    within = [peak for peak in measured_nm if wavelength_nm(peak) <= complete]
    computed = bands(whole.sticks(isomer), whole.fwhm_ev, complete)
    found = match([wavelength_nm(peak) for peak in within], computed)
    matched = {} if found is None else dict(zip(found.peaks_ev, found.bands_ev, strict=True))
    pairs = [(peak, wavelength_nm(matched[wavelength_nm(peak)])) for peak in within if wavelength_nm(peak) in matched]
    return PeaksFound(
        isomer=isomer,
        n_bands=len(computed),
        measured_nm=tuple(peak for peak, _ in pairs),
        computed_nm=tuple(band for _, band in pairs),
        without_band_nm=tuple(peak for peak in within if wavelength_nm(peak) not in matched),
        not_reached_nm=tuple(peak for peak in measured_nm if peak not in within),
        deviation_ev=None if found is None else found.deviation_ev,
        shift_ev=None if found is None else found.shift_ev,
        scatter_ev=None if found is None else found.scatter_ev,
    )


def _redder(whole: Spectrum) -> Iterable[Redder]:
    """Compare the first allowed bands of each two isomers that were measured."""
    first: dict[str, float | None] = {}
    for conformer in sorted(whole.conformers, key=lambda one: -one.share_percent):
        first.setdefault(conformer.isomer, conformer.allowed_ev)
    reddest = {isomer: max(peaks) for isomer, peaks in whole.measured_nm.items()}
    for pair in combinations(reddest, 2):
        redder, other = sorted(pair, key=lambda isomer: -reddest[isomer])
        low, high = first[redder], first[other]
        answer: Literal["as measured", "the other way round", "undecided", "unknown"] = "unknown"
        computed = None
        if low is not None and high is not None:
            computed = (wavelength_nm(low), wavelength_nm(high))
            answer = "as measured" if low < high else "the other way round"
            if abs(low - high) < UNDECIDED_EV or reddest[redder] == reddest[other]:
                answer = "undecided"
        yield Redder(
            redder=redder,
            other=other,
            measured_nm=(reddest[redder], reddest[other]),
            computed_nm=computed,
            answer=answer,
        )


def _outcome(record: TaskRecord) -> ExcitedStates:
    assert isinstance(record.outcome, ExcitedStates)
    return record.outcome


def _energy(record: TaskRecord) -> float:
    return _outcome(record).result.energy


def _molecule(record: TaskRecord) -> Molecule:
    assert record.molecule is not None
    return record.molecule
