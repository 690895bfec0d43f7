"""`[spectrum]` of an input, and the level and the request for excited states that follow from it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, JsonValue, model_validator

from qcdriver.engines.checks import AnyCase
from qcdriver.models.base import Frozen
from qcdriver.models.excitations import Approximation, ExcitationRequest
from qcdriver.systems.base import Label
from qcdriver.units import EV
from qcdriver.workflow.dft import DftSettings

STATES = 20
"""Computed where an input says neither how many nor up to which energy."""


class SpectrumSettings(Frozen):
    """`[spectrum]`: vertical excited singlets of the `per_isomer` lowest conformers of each of the `isomers` (all).

    The `states` lowest (20), or all `up_to_ev`, no more than `max_states`; by linear response in the Tamm-Dancoff
    `approximation`, or by full "tddft". What `method`, `basis` and `keywords` leave open is as in [dft]. Each state is
    a Gaussian of `fwhm_ev`, a band counts as allowed from an oscillator strength of `allowed` on, and conformers are
    averaged over their populations at `temperature_k`, of free energies where [thermochemistry] has them.
    """

    approximation: Annotated[Approximation, AnyCase] = "tda"
    states: int | None = Field(default=None, ge=1)
    up_to_ev: float | None = Field(default=None, gt=0)
    max_states: int = Field(default=200, ge=1)
    isomers: tuple[Label, ...] = ()
    per_isomer: int = Field(default=1, ge=1)
    method: str | None = None
    basis: str | None = None
    keywords: dict[str, JsonValue] = Field(default_factory=dict)
    fwhm_ev: float = Field(default=0.3, gt=0)
    allowed: float = Field(default=0.01, gt=0)
    temperature_k: float = Field(default=298.15, gt=0)

    @model_validator(mode="after")
    def _one_limit(self) -> SpectrumSettings:
        if self.states is not None and self.up_to_ev is not None:
            raise ValueError("states and up_to_ev say the same in two ways: leave out one")
        return self

    @property
    def request(self) -> ExcitationRequest:
        """Which states are wanted."""
        up_to = None if self.up_to_ev is None else self.up_to_ev / EV
        count = None if up_to else self.states or STATES
        return ExcitationRequest(
            approximation=self.approximation, n_states=count, up_to=up_to, max_states=self.max_states
        )

    def level_settings(self, dft: DftSettings | None) -> DftSettings | None:
        """Return method, basis, engine, device and keywords, as [dft] has them where they are not said here.

        None where neither says the method.
        """
        if dft is None:
            if self.method is None:
                return None
            return DftSettings(method=self.method, basis=self.basis, keywords=self.keywords)
        own = {"method": self.method or dft.method, "basis": self.basis or dft.basis}
        return dft.model_copy(update={**own, "keywords": {**dft.keywords, **self.keywords}})
