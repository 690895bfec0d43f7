"""Electronic excitations of one molecule at one geometry: what is asked for, and what was found."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from qcdriver.models.base import Array, Frozen

Approximation = Literal["tda", "tddft"]
"""Linear response in the Tamm-Dancoff approximation (doi:10.1016/S0009-2614(99)01149-5), or in full."""


class ExcitationRequest(Frozen):
    """The excited singlets of a closed shell that are wanted, all of them vertical.

    The lowest `n_states`; or all up to the energy `up_to`, hartree, which are to be no more than `max_states`.
    `max_residual`: norm of what an eigenvector misses its equation by, at most, to count as converged.
    """

    approximation: Approximation
    n_states: int | None = Field(default=None, ge=1)
    up_to: float | None = Field(default=None, gt=0)
    max_states: int = Field(default=200, ge=1)
    max_residual: float = Field(default=1e-5, gt=0)

    @model_validator(mode="after")
    def _one_limit(self) -> ExcitationRequest:
        if (self.n_states is None) == (self.up_to is None):
            raise ValueError("excitations: a number of states, or the energy up to which they are wanted")
        return self


class OrbitalPair(Frozen):
    """From one orbital to another: `occupied` counts down from the HOMO, `empty` up from the LUMO, which are 0."""

    occupied: int
    empty: int
    weight: float


class ExcitedState(Frozen):
    """One excited singlet, in atomic units.

    Attributes
    ----------
    energy
        Above the ground state, hartree.
    oscillator_strength
        In the length gauge.
    transition_dipole
        (3,), e*bohr, from the ground state.
    pairs
        The orbital pairs of the largest weights; those of all pairs add up to 1.
    electrons_gained
        How many electrons arrive on each atom, (natoms,), negative where they leave: Loewdin's populations of electron
        and hole, one of each, without the relaxation of the other orbitals.
    """

    energy: float
    oscillator_strength: float
    transition_dipole: Array
    pairs: tuple[OrbitalPair, ...]
    electrons_gained: Array
