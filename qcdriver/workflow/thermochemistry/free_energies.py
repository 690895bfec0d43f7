"""Records of vibrations -> the free energy and the population of each conformer."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from qcdriver.models.records import TaskRecord
from qcdriver.units import KCAL_MOL, KELVIN
from qcdriver.workflow.thermochemistry.contributions import energy, hands, structure, thermal
from qcdriver.workflow.thermochemistry.findings import ConformerFreeEnergy
from qcdriver.workflow.thermochemistry.settings import ThermochemistrySettings


def free_energies(
    records: Mapping[str, TaskRecord], settings: ThermochemistrySettings
) -> Iterator[ConformerFreeEnergy]:
    """Give the free energy and population of each conformer at the level of its vibrations, by temperature."""
    weights = {label: hands(structure(record)) for label, record in records.items()}
    lowest = min(map(energy, records.values()))
    for temperature in settings.temperatures_k:
        parts_of = {label: thermal(record, temperature, settings.treatment) for label, record in records.items()}
        gibbs = {label: energy(record) + parts_of[label].gibbs for label, record in records.items()}
        raised = {label: energy(record) + parts_of[label].gibbs_raised for label, record in records.items()}
        kt = temperature / KELVIN
        least = min(gibbs.values())
        parts = {label: weights[label] * math.exp(-(value - least) / kt) for label, value in gibbs.items()}
        for label in sorted(records, key=gibbs.__getitem__):
            yield ConformerFreeEnergy(
                conformer=label,
                temperature_k=temperature,
                energy_kcal_mol=(energy(records[label]) - lowest) * KCAL_MOL,
                gibbs_kcal_mol=(gibbs[label] - least) * KCAL_MOL,
                gibbs_raised_kcal_mol=(raised[label] - min(raised.values())) * KCAL_MOL,
                weight=weights[label],
                population_percent=100 * parts[label] / sum(parts.values()),
            )
