"""When a relaxation is done, in the units of an input."""

from __future__ import annotations

from pydantic import Field

from qcdriver import units
from qcdriver.models.base import Frozen
from qcdriver.models.level import Convergence


class Threshold(Frozen):
    """When a relaxation is done: every condition must hold.

    Attributes
    ----------
    max_force_ev_angstrom
        Largest component of a force that is free to act, eV/Angstrom.
    energy_change_ev
        Change of the energy over the last step, eV.
    max_steps
        Steps before it is a failure.
    """

    max_force_ev_angstrom: float = Field(gt=0)
    energy_change_ev: float = Field(gt=0)
    max_steps: int = Field(default=500, gt=0)

    @property
    def convergence(self) -> Convergence:
        """The same in atomic units."""
        return Convergence(
            max_force=self.max_force_ev_angstrom / units.EV_PER_ANGSTROM,
            energy_change=self.energy_change_ev / units.EV,
            max_steps=self.max_steps,
        )
