"""What was there after a time -> bounds of the free barrier, by Eyring's equation for a first-order reaction.

Transmission is whole (Wigner's factor 1): tunnelling would let a higher barrier through in the same time.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from qcdriver.units import DAY_S, KCAL_MOL, KELVIN, PLANCK_S

UNSEEN = 0.05
"""A part of the whole smaller than this escapes UV-vis and NMR: "alone" is at least 95 %."""


@dataclass(frozen=True)
class Bounds:
    """Of a free barrier, kcal/mol; None: that side is open."""

    lowest_kcal_mol: float | None = None
    highest_kcal_mol: float | None = None


def free_barrier_kcal_mol(rate_per_s: float, temperature_k: float) -> float:
    """Return the free barrier that a first-order rate has at a temperature."""
    kt = temperature_k / KELVIN
    return kt * math.log(kt / (PLANCK_S * rate_per_s)) * KCAL_MOL


def half_life_s(barrier_kcal_mol: float, temperature_k: float) -> float:
    """Return the half-life over a free barrier at a temperature."""
    kt = temperature_k / KELVIN
    return math.log(2) * PLANCK_S / kt * math.exp(min(barrier_kcal_mol / KCAL_MOL / kt, 700.0))


def bounds_of(start_is_there: bool, product_is_there: bool, after_days: float, temperature_k: float) -> Bounds:
    """Return what the barrier from a start to its product must be, after what was seen.

    Parameters
    ----------
    start_is_there, product_is_there
        Whether it was seen after that time. The start alone: less than `UNSEEN` has reacted, which gives the least
        barrier; the product alone: less than that is left, which gives the greatest; both: either.
    """
    seconds = after_days * DAY_S
    slowest = -math.log1p(-UNSEEN) / seconds
    fastest = -math.log(UNSEEN) / seconds
    return Bounds(
        lowest_kcal_mol=free_barrier_kcal_mol(fastest if product_is_there else slowest, temperature_k)
        if start_is_there
        else None,
        highest_kcal_mol=free_barrier_kcal_mol(slowest if start_is_there else fastest, temperature_k)
        if product_is_there
        else None,
    )
