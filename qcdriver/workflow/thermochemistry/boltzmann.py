"""Free energies as functions of the temperature -> populations with bands, and where two are equal; pure functions."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

from qcdriver.units import KELVIN

FreeEnergyOf = Callable[[float], float]
"""Of one species, hartree, at a temperature, kelvin."""
_NARROW_K = 0.01
"""How exactly a temperature of equal populations is found."""
_LARGEST_EXPONENT = 700.0
"""Of a number of 64 bits."""


def together(members: Sequence[tuple[FreeEnergyOf, int]]) -> FreeEnergyOf:
    """Return the free energy of structures that are counted as one, each so many times: their Boltzmann factors add."""

    def whole(temperature_k: float) -> float:
        kt = temperature_k / KELVIN
        free = [member(temperature_k) - kt * math.log(count) for member, count in members]
        lowest = min(free)
        return lowest - kt * math.log(sum(math.exp((lowest - value) / kt) for value in free))

    return whole


def percent_at(temperature_k: float, species: Sequence[FreeEnergyOf], moved: float = 0.0) -> tuple[float, ...]:
    """Return the populations in percent, that of each with its own energy, and no other, moved by so much (hartree)."""
    kt = temperature_k / KELVIN
    free = [free_energy(temperature_k) / kt for free_energy in species]
    found = []
    for place, own in enumerate(free):
        gaps = [own + moved / kt - other for at, other in enumerate(free) if at != place]
        found.append(100 / (1 + sum(math.exp(min(gap, _LARGEST_EXPONENT)) for gap in gaps)))
    return tuple(found)


def equal_at(above: FreeEnergyOf, temperatures_k: Sequence[float], moved: float = 0.0) -> float | None:
    """Return the lowest temperature (K) at which a difference of free energies, moved by so much, changes its sign.

    Parameters
    ----------
    above
        By how much one free energy lies above the other.
    temperatures_k
        Rising; a change of sign is looked for between each two of them. None: there is none.
    """
    for low, high in pairwise(temperatures_k):
        positive = above(low) + moved > 0
        if positive == (above(high) + moved > 0):
            continue
        while high - low > _NARROW_K:
            middle = (low + high) / 2
            low, high = (middle, high) if (above(middle) + moved > 0) == positive else (low, middle)
        return (low + high) / 2
    return None
