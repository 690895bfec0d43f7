"""`[thermochemistry]` of an input."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from qcdriver.models.base import Frozen
from qcdriver.optimize.free_energy import Treatment


class ThermochemistrySettings(Frozen):
    """`[thermochemistry]`: harmonic vibrations of every conformer, at the level of its geometry, and what follows.

    Free energies at `temperatures_k` in `standard_state`, quasi-RRHO with `cutoff_cm` and `alpha`
    (doi:10.1002/chem.201200497); Boltzmann populations, each conformer counted with its mirror image; of the saddles
    that [stationary] verified, rates by Eyring's equation with Wigner's factor for tunnelling. With a `start`, an
    isomer or a point of the scan's grid ("120 deg"), the populations over time from its minimum, also `after_days`.
    """

    temperatures_k: tuple[float, ...] = Field(default=(263.15, 298.15), min_length=1)
    cutoff_cm: float = Field(default=100.0, gt=0)
    alpha: float = Field(default=4.0, gt=0)
    standard_state: Literal["1 atm", "1 M"] = "1 atm"
    start: str | None = None
    after_days: tuple[Annotated[float, Field(gt=0)], ...] = ()

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
