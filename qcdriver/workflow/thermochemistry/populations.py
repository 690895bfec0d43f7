"""Records of vibrations, energies of all levels -> populations against temperature, and where two are equal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

from qcdriver import engines
from qcdriver.models.records import TaskRecord
from qcdriver.optimize.free_energy import Treatment
from qcdriver.units import KCAL_MOL
from qcdriver.workflow.base import RunView
from qcdriver.workflow.prescreen.stage import Prescreen
from qcdriver.workflow.ranking import rank
from qcdriver.workflow.single_points import SinglePoints
from qcdriver.workflow.tables import ZERO_CELSIUS_K
from qcdriver.workflow.thermochemistry.boltzmann import FreeEnergyOf, equal_at, percent_at, together
from qcdriver.workflow.thermochemistry.contributions import hands, structure, thermal
from qcdriver.workflow.thermochemistry.findings import AtTemperature, EqualPopulations, Populations
from qcdriver.workflow.thermochemistry.settings import ThermochemistrySettings


def populations(run: RunView, records: Mapping[str, TaskRecord], settings: ThermochemistrySettings) -> Populations:
    """Compute the populations over the range that the settings name, with bands from the scatter of the levels.

    Parameters
    ----------
    records
        Of the vibrations of the conformers that are minima, by label.
    """
    span = settings.populations
    assert span is not None
    by_level = _energies_by_level(run)
    ranked = rank(by_level)
    level = ranked.level if ranked else next(iter(by_level))
    scatter = ranked.scatter_kcal_mol if ranked else None
    shift = None if scatter is None else scatter / KCAL_MOL
    species = _species(run, records, by_level[level], settings.treatment)
    free = list(species.values())
    return Populations(
        energies_of=level,
        against=ranked.against if ranked else None,
        scatter_kcal_mol=scatter,
        species=tuple(species),
        left_out=tuple(label for label in by_level[level] if label not in records),
        temperatures=tuple(
            AtTemperature(
                temperature_k=temperature,
                percent=percent_at(temperature, free),
                lowest_percent=None if shift is None else percent_at(temperature, free, shift),
                highest_percent=None if shift is None else percent_at(temperature, free, -shift),
            )
            for temperature in span.temperatures_k
        ),
        equal=tuple(_equal(run, species, pair, shift, span.temperatures_k) for pair in combinations(species, 2)),
    )


def _energies_by_level(run: RunView) -> dict[str, dict[str, float | None]]:
    """Return the energies of the conformers by level, the higher levels later, as the summary ranks them."""
    kept = [verdict for verdict in run.verdicts(Prescreen) or () if verdict.kept]
    labels = {verdict.label for verdict in kept}
    found: dict[str, dict[str, float | None]] = {}
    for verdict in (*kept, *(verdict_ for verdict_ in run.verdicts(SinglePoints) or () if verdict_.label in labels)):
        record = run.record(verdict.key)
        known = found.setdefault(engines.title(record.level), {})
        known[verdict.label] = record.result.energy if record.result else None
    return found


def _species(
    run: RunView, records: Mapping[str, TaskRecord], energies: Mapping[str, float | None], treatment: Treatment
) -> dict[str, FreeEnergyOf]:
    """Count the conformers of an isomer as one; of a single isomer, each for itself."""
    isomers = {verdict.label: verdict.isomer or verdict.label for verdict in run.verdicts(Prescreen) or ()}
    named = {label: isomers[label] for label in records}
    if len(set(named.values())) == 1:
        named = {label: label for label in records}
    members: dict[str, list[tuple[FreeEnergyOf, int]]] = {}
    for label, record in records.items():
        known = energies.get(label)
        if known is not None:
            free = _free_energy_of(known, record, treatment)
            members.setdefault(named[label], []).append((free, hands(structure(record))))
    return {name: together(found) for name, found in members.items()}


def _free_energy_of(energy: float, record: TaskRecord, treatment: Treatment) -> FreeEnergyOf:
    return lambda temperature_k: energy + thermal(record, temperature_k, treatment).gibbs


def _equal(
    run: RunView, species: Mapping[str, FreeEnergyOf], pair: tuple[str, str], shift: float | None, span: Sequence[float]
) -> EqualPopulations:
    cold, warm = pair if species[pair[0]](span[0]) <= species[pair[1]](span[0]) else pair[::-1]

    def above(temperature_k: float) -> float:
        return species[warm](temperature_k) - species[cold](temperature_k)

    crossing = equal_at(above, span)
    ends = [] if shift is None or crossing is None else [equal_at(above, span, moved) for moved in (-shift, shift)]
    known = [end for end in ends if end is not None]
    experiment = run.input.experiment
    transitions = experiment.transition if experiment else ()
    measured = next((transition for transition in transitions if set(transition.between) == {cold, warm}), None)
    measured_k = None if measured is None else measured.temperature_c + ZERO_CELSIUS_K
    at = (span[0], span[-1]) if measured_k is None else (measured_k,)
    return EqualPopulations(
        cold=cold,
        warm=warm,
        temperature_k=crossing,
        lowest_k=min(known) if len(known) == 2 else None,
        highest_k=max(known) if len(known) == 2 else None,
        measured_k=measured_k,
        by=measured.by if measured else "",
        apart_kcal_mol=tuple(above(temperature) * KCAL_MOL for temperature in at),
    )
