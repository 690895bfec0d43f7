"""`[thermochemistry]` of an input."""

from __future__ import annotations

import math
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from qcdriver.models.base import Frozen
from qcdriver.optimize.free_energy import Treatment

MOST_TEMPERATURES = 1000
"""In a range: more would be no finer picture."""


class TemperatureRange(Frozen):
    """`thermochemistry.populations`: the temperatures from `from_k` to `to_k`, both included, `step_k` apart."""

    from_k: float = Field(gt=0)
    to_k: float = Field(gt=0)
    step_k: float = Field(default=5.0, gt=0)

    @model_validator(mode="after")
    def _not_empty(self) -> TemperatureRange:
        if self.from_k >= self.to_k:
            raise ValueError(f"from {self.from_k:g} to {self.to_k:g} K there is no temperature; from_k < to_k")
        if self.to_k - self.from_k > MOST_TEMPERATURES * self.step_k:
            raise ValueError(f"step_k = {self.step_k:g} makes more than {MOST_TEMPERATURES} temperatures")
        return self

    @property
    def temperatures_k(self) -> tuple[float, ...]:
        """The temperatures, rising; the last is `to_k`, whatever the step."""
        count = math.ceil((self.to_k - self.from_k) / self.step_k - 1e-9)
        return (*(self.from_k + place * self.step_k for place in range(count)), self.to_k)


class ThermochemistrySettings(Frozen):
    """`[thermochemistry]`: harmonic vibrations of every conformer, at the level of its geometry, and what follows.

    Free energies at `temperatures_k` in `standard_state`, quasi-RRHO with `cutoff_cm` and `alpha`
    (doi:10.1002/chem.201200497); Boltzmann populations, each conformer counted with its mirror image; of the saddles
    that [stationary] verified, rates by Eyring's equation with Wigner's factor for tunnelling. With a `start`, an
    isomer or a point of the scan's grid ("120 deg"), the populations over time from its minimum, also `after_days`.
    With a range of `populations`, those of the isomers against temperature, and where two are equal.
    """

    temperatures_k: tuple[float, ...] = Field(default=(263.15, 298.15), min_length=1)
    cutoff_cm: float = Field(default=100.0, gt=0)
    alpha: float = Field(default=4.0, gt=0)
    standard_state: Literal["1 atm", "1 M"] = "1 atm"
    start: str | None = None
    after_days: tuple[Annotated[float, Field(gt=0)], ...] = ()
    populations: TemperatureRange | None = None

    @field_validator("temperatures_k")
    @classmethod
    def _above_zero(cls, temperatures: tuple[float, ...]) -> tuple[float, ...]:
        for temperature in temperatures:
            if temperature <= 0:
                raise ValueError(f"{temperature:g} K is no temperature above 0")
        return temperatures

    @model_validator(mode="after")
    def _from_somewhere(self) -> ThermochemistrySettings:
        if self.after_days and self.start is None:
            raise ValueError("after_days needs a start: populations over time begin somewhere")
        return self

    @property
    def treatment(self) -> Treatment:
        """How vibrations become a free energy."""
        return Treatment(self.cutoff_cm, self.alpha, self.standard_state)
