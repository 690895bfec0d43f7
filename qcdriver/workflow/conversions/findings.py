"""What is found on measured conversions, typed."""

from __future__ import annotations

from typing import Literal

from qcdriver.models.base import Frozen

Kind = Literal["saddles", "path", "grid", "single points"]
"""How a barrier was computed: over verified saddles (a free one), along a path, over the grid of the scan, by
single points on it."""


class ImpliedBarrier(Frozen):
    """One statement of `[experiment]`, and the bounds of the free barrier that follow from it; None: none."""

    found: tuple[str, ...]
    after_days: float
    lowest_kcal_mol: float | None
    highest_kcal_mol: float | None


class ComputedBarrier(Frozen):
    """A barrier that the run has computed; `free`: with the free energy of vibrations, at the temperature.

    `off_kcal_mol`: from the nearest bound of the measured one, 0 within the bounds; None: nothing is bounded there.
    `half_life_s` over it at the temperature.
    """

    kind: Kind
    level: str
    free: bool
    kcal_mol: float
    off_kcal_mol: float | None
    half_life_s: float


class ConversionFound(Frozen):
    """One isomer that turns into another at one temperature: the measured free barrier, and computed ones.

    `lowest_kcal_mol`, `highest_kcal_mol`: the bounds that all statements together leave; the first above the second
    where they contradict one barrier.
    """

    start: str
    end: str
    temperature_k: float
    implied: tuple[ImpliedBarrier, ...]
    lowest_kcal_mol: float | None
    highest_kcal_mol: float | None
    computed: tuple[ComputedBarrier, ...]
