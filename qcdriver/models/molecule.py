"""A molecule: its elements, positions (bohr), charge and spin."""

from __future__ import annotations

from collections import Counter

import numpy as np
from pydantic import Field, field_validator, model_validator

from qcdriver.models.base import ATOMIC_NUMBER, Array, Frozen


class Molecule(Frozen):
    """One molecule, its charge and spin.

    Attributes
    ----------
    symbols
        Element symbols, (natoms,).
    geometry
        Positions, (natoms, 3), bohr.
    molecular_charge
        Total charge.
    molecular_multiplicity
        2S + 1. Must fit the number of electrons.
    """

    symbols: tuple[str, ...]
    geometry: Array
    molecular_charge: int = 0
    molecular_multiplicity: int = Field(default=1, ge=1)

    @field_validator("symbols")
    @classmethod
    def _known_elements(cls, symbols: tuple[str, ...]) -> tuple[str, ...]:
        if not symbols:
            raise ValueError("a molecule needs at least one atom")
        for index, symbol in enumerate(symbols):
            if symbol not in ATOMIC_NUMBER:
                raise ValueError(f"atom {index}: {symbol!r} is not an element symbol")
        return symbols

    @model_validator(mode="after")
    def _shapes_and_parity(self) -> Molecule:
        if self.geometry.shape != (len(self.symbols), 3):
            raise ValueError(f"geometry has shape {self.geometry.shape}, not ({len(self.symbols)}, 3)")
        unpaired = self.molecular_multiplicity - 1
        if self.n_electrons < unpaired or (self.n_electrons - unpaired) % 2:
            raise ValueError(
                f"multiplicity {self.molecular_multiplicity} does not fit {self.n_electrons} electrons "
                f"({self.formula}, charge {self.molecular_charge:+d}); "
                f"{'an even' if self.n_electrons % 2 else 'an odd'} multiplicity or another charge would"
            )
        return self

    @property
    def numbers(self) -> np.ndarray:
        """Atomic numbers, (natoms,)."""
        return np.array([ATOMIC_NUMBER[symbol] for symbol in self.symbols])

    @property
    def n_electrons(self) -> int:
        """All electrons, cores included."""
        return int(self.numbers.sum()) - self.molecular_charge

    @property
    def formula(self) -> str:
        """Hill formula without the charge: C, H, then the alphabet (no C: the alphabet alone)."""
        return hill_formula(Counter(self.symbols))

    def moved(self, geometry: np.ndarray) -> Molecule:
        """Give the same molecule at other positions, (natoms, 3) in bohr."""
        return self.model_validate({**self.__dict__, "geometry": geometry})

    def mirrored(self) -> Molecule:
        """Give the mirror image: every position inverted through the origin."""
        return self.moved(-self.geometry)


class Unplaced(Molecule):
    """Atoms, charge and multiplicity of a molecule that is not built yet, at places that mean nothing."""


def hill_formula(counts: Counter[str]) -> str:
    """Write a composition in Hill order (doi:10.1021/ja02046a005)."""
    first = ["C", "H"] if "C" in counts else []
    order = first + sorted(set(counts) - set(first))
    return "".join(f"{s}{counts[s] if counts[s] > 1 else ''}" for s in order if counts[s])
