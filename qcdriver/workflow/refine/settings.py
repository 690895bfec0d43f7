"""`[refine]` of an input."""

from __future__ import annotations

from pydantic import Field

from qcdriver.models.base import Frozen
from qcdriver.systems.base import Label
from qcdriver.workflow.threshold import Threshold

LARGEST_WITH_HESSIAN = 120
"""Atoms: the Hessian of a larger molecule takes many hundred gradients, and the quasi-Newton model twice as many
columns as coordinates."""


class RefineSettings(Frozen):
    """`[refine]`: the conformers that go to [dft] are relaxed first, freely, at its level.

    Those of the `isomers` (all), of each the `per_isomer` lowest (all), until `threshold` holds.
    [dft], [sensitivity] and [spectrum] then compute the refined conformers, and no other: one that did not converge,
    fell apart, turned into another isomer or became the same as a lower one is left out, and the report says why.

    `start_hessian`: molecules of up to 120 atoms begin with the Hessian of the level of [prescreen] at their geometry;
    larger ones, and all where it is false, with a model Hessian.
    """

    isomers: tuple[Label, ...] = ()
    per_isomer: int | None = Field(default=None, ge=1)
    threshold: Threshold = Threshold(max_force_ev_angstrom=0.01, energy_change_ev=1e-4, max_steps=200)
    start_hessian: bool = True
