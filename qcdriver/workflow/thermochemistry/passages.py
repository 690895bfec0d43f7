"""Verified saddles -> the rates over them, from minimum to minimum."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from qcdriver.geometry.likeness import likeness
from qcdriver.models.molecule import Molecule
from qcdriver.models.outcomes import Frequencies
from qcdriver.models.records import TaskRecord
from qcdriver.models.tasks import Vibrations
from qcdriver.models.verdicts import Purpose, Verdict
from qcdriver.optimize.free_energy import Treatment
from qcdriver.units import KCAL_MOL, KELVIN, PLANCK_S, WAVENUMBER
from qcdriver.workflow.base import RunView
from qcdriver.workflow.prescreen.stage import survivors
from qcdriver.workflow.stationary.settings import StationarySettings
from qcdriver.workflow.stationary.stage import Stationary
from qcdriver.workflow.thermochemistry.contributions import energy, hands, structure, thermal
from qcdriver.workflow.thermochemistry.findings import Passage

_LARGEST_EXPONENT = 700.0
"""Of a number of 64 bits."""


@dataclass(frozen=True)
class StationaryPoint:
    """A verified minimum or saddle: its label, the record of its vibrations, and how many mirror images it has."""

    label: str
    verdict: Verdict
    vibrations: TaskRecord
    hands: int

    def gibbs(self, temperature_k: float, treatment: Treatment) -> float:
        """Return its free energy, hartree."""
        return energy(self.vibrations) + thermal(self.vibrations, temperature_k, treatment).gibbs


@dataclass(frozen=True)
class Crossing:
    """A saddle and the minima at its sides, which may be one."""

    saddle: StationaryPoint
    sides: tuple[StationaryPoint, StationaryPoint]


@dataclass(frozen=True)
class VerifiedNetwork:
    """The minima by rising energy, and the saddles between them."""

    minima: tuple[StationaryPoint, ...]
    crossings: tuple[Crossing, ...]


def verified_network(run: RunView) -> VerifiedNetwork:
    """Read what [stationary] verified; empty before it ran."""
    kept = [(verdict, run.record(verdict.key)) for verdict in run.verdicts(Stationary) or () if verdict.kept]
    vibrations = {record.task.molecule: record for _, record in kept if isinstance(record.task, Vibrations)}

    def point(verdict: Verdict, record: TaskRecord) -> StationaryPoint | None:
        found = vibrations.get(record.molecule) if record.molecule else None
        return StationaryPoint(verdict.label, verdict, found, hands(structure(found))) if found else None

    minima = {
        record.key: found
        for verdict, record in kept
        if verdict.purpose is Purpose.MINIMUM and (found := point(verdict, record))
    }
    crossings = []
    for verdict, record in kept:
        if verdict.purpose is not Purpose.SADDLE or (top := point(verdict, record)) is None:
            continue
        sides = [minima.get(key) for key in run.record(record.parents[0]).parents]
        if sides and sides[0] and (other := sides[-1]):
            crossings.append(Crossing(top, (sides[0], other)))
    ordered = sorted(minima.values(), key=lambda minimum: energy(minimum.vibrations))
    return VerifiedNetwork(tuple(ordered), tuple(crossings))


def isomers_at(run: RunView, network: VerifiedNetwork) -> dict[str, tuple[str, ...]]:
    """Return, by the label of each minimum, the isomers whose lowest conformer has its structure, in either hand."""
    table = run.table(StationarySettings) or StationarySettings()
    lowest: dict[str, Molecule] = {}
    for verdict, molecule in survivors(run):
        lowest.setdefault(verdict.isomer or verdict.label, molecule)
    return {
        minimum.label: tuple(
            isomer
            for isomer, molecule in lowest.items()
            if likeness(structure(minimum.vibrations), molecule, table.duplicate_angstrom)
        )
        for minimum in network.minima
    }


def passages(network: VerifiedNetwork, temperatures_k: Sequence[float], treatment: Treatment) -> Iterator[Passage]:
    """Give the rates over each saddle, from either side of it."""
    for crossing in network.crossings:
        one, other = crossing.sides
        for start, end in ((one, other),) if one is other else ((one, other), (other, one)):
            for temperature in temperatures_k:
                yield _passage(crossing.saddle, start, end, temperature, treatment)


def _passage(
    saddle: StationaryPoint, start: StationaryPoint, end: StationaryPoint, temperature_k: float, treatment: Treatment
) -> Passage:
    """Compute a rate by Eyring's equation with Wigner's factor.

    The symmetry numbers in the free energies count the saddles of one hand around a minimum of one hand; with mirror
    images, Fernandez-Ramos, Ellingson, Meana-Paneda, Marques, Truhlar, doi:10.1007/s00214-007-0328-0.
    """
    top = saddle.vibrations.outcome
    assert isinstance(top, Frequencies)
    kt = temperature_k / KELVIN
    gibbs = saddle.gibbs(temperature_k, treatment) - start.gibbs(temperature_k, treatment)
    wigner = 1 + (top.wavenumbers_cm[0] / WAVENUMBER / kt) ** 2 / 24
    ways = saddle.hands / start.hands * (2 if start is end else 1)
    rate = ways * wigner * kt / PLANCK_S * math.exp(min(-gibbs / kt, _LARGEST_EXPONENT))
    return Passage(
        saddle=saddle.label,
        start=start.label,
        end=end.label,
        temperature_k=temperature_k,
        barrier_kcal_mol=(energy(saddle.vibrations) - energy(start.vibrations)) * KCAL_MOL,
        gibbs_barrier_kcal_mol=gibbs * KCAL_MOL,
        wigner_factor=wigner,
        ways=ways,
        rate_per_s=rate,
        half_life_s=math.log(2) / rate if rate > 1e-300 else None,
    )
