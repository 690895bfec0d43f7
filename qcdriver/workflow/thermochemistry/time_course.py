"""Passages over a verified network, and a start -> its populations over time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from qcdriver.errors import InputError
from qcdriver.models.molecule import Molecule
from qcdriver.units import DAY_S, KELVIN
from qcdriver.workflow.base import RunView
from qcdriver.workflow.scan.settings import ScanSettings
from qcdriver.workflow.scan.setup import scan_grid
from qcdriver.workflow.stationary.settings import MINIMUM
from qcdriver.workflow.thermochemistry.findings import Kinetics, Moment, Passage, TimeCourse
from qcdriver.workflow.thermochemistry.kinetics import NEVER_S, probabilities, reachable, time_until
from qcdriver.workflow.thermochemistry.passages import StationaryPoint, VerifiedNetwork, isomers_at
from qcdriver.workflow.thermochemistry.settings import ThermochemistrySettings

_NOTICED = 1e-3
"""Of a population: what happens before and after is not shown."""


def refuse_unknown_start(start: str, run: RunView, molecule: Molecule) -> None:
    """Refuse a start that is neither an isomer nor a point of the scan's grid.

    Raises
    ------
    InputError
    """
    scan = run.table(ScanSettings)
    assert scan is not None
    grid = scan_grid(scan, molecule)
    places = [grid.shown(index) for index in grid.unique]
    isomers = run.input.structure.isomers
    if start not in isomers and start not in places:
        raise InputError(
            f"start: {start!r} is no isomer ({', '.join(isomers)}) and no point of the scan's grid "
            f"({places[0]} .. {places[-1]})"
        )


def kinetics(
    run: RunView, network: VerifiedNetwork, passages: Sequence[Passage], settings: ThermochemistrySettings
) -> Kinetics:
    """Solve the master equation of a network at every temperature asked, from the start that the settings name."""
    start = settings.start
    assert start is not None
    isomers = isomers_at(run, network)
    first = next(
        (minimum for minimum in network.minima if start in isomers[minimum.label] or minimum.label == MINIMUM + start),
        None,
    )
    if first is None:
        everything = tuple(minimum.label for minimum in network.minima)
        return Kinetics(start=start, minimum=None, minima=(), isomers=(), out_of_reach=everything, courses=())
    others = [minimum for minimum in network.minima if minimum is not first]
    whole = _Chain.of([first, *others], passages, settings.temperatures_k[0])
    known = [whole.minima[state] for state in reachable(whole.links, 0)]
    courses = [
        _course(_Chain.of(known, passages, temperature), temperature, settings)
        for temperature in settings.temperatures_k
    ]
    return Kinetics(
        start=start,
        minimum=first.label,
        minima=tuple(minimum.label for minimum in known),
        isomers=tuple(isomers[minimum.label] for minimum in known),
        out_of_reach=tuple(other.label for other in others if other not in known),
        courses=tuple(courses) if len(known) > 1 else (),
    )


@dataclass(frozen=True)
class _Chain:
    """Minima and the rates between them at one temperature; `links` tells where a saddle is, however slow."""

    minima: Sequence[StationaryPoint]
    rates: np.ndarray
    links: np.ndarray

    @classmethod
    def of(cls, minima: Sequence[StationaryPoint], passages: Sequence[Passage], temperature_k: float) -> _Chain:
        number = {minimum.label: count for count, minimum in enumerate(minima)}
        rates, links = np.zeros((len(minima), len(minima))), np.zeros((len(minima), len(minima)))
        for passage in passages:
            if passage.temperature_k == temperature_k and passage.start != passage.end and passage.start in number:
                rates[number[passage.start], number[passage.end]] += passage.rate_per_s
                links[number[passage.start], number[passage.end]] = 1
        return cls(minima, rates, links)


def _course(chain: _Chain, temperature_k: float, settings: ThermochemistrySettings) -> TimeCourse:
    free = (
        np.array([minimum.gibbs(temperature_k, settings.treatment) for minimum in chain.minima])
        * KELVIN
        / temperature_k
    )
    shares = np.array([minimum.hands for minimum in chain.minima]) * np.exp(free.min() - free)
    end = shares / shares.sum()

    def moment(time_s: float) -> Moment:
        found = probabilities(chain.rates, time_s)[0]
        return Moment(time_s=time_s, populations_percent=tuple((100 * found).tolist()))

    moments = []
    leaving = float(chain.rates[0].sum())
    time_s = _NOTICED / leaving if leaving else NEVER_S
    while time_s < NEVER_S:
        moments.append(moment(time_s))
        if np.abs(np.array(moments[-1].populations_percent) / 100 - end).max() < _NOTICED:
            break
        time_s *= math.sqrt(2)
    return TimeCourse(
        temperature_k=temperature_k,
        equilibrium_percent=tuple((100 * end).tolist()),
        half_time_s=time_until(chain.rates, 0, 0.5),
        settled_s=time_until(chain.rates, 0, 0.01),
        moments=tuple(moments),
        asked=tuple(moment(days * DAY_S) for days in settings.after_days),
    )
