"""One structure of a file that holds several: what the file says of it, and the molecule that it means.

Charge and multiplicity are given by the input or stated by the file; where neither says, the structure is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from pydantic import ValidationError

from qcdriver.errors import InputError
from qcdriver.models.molecule import Molecule


class Frame(Protocol):
    """A structure of a file, before it is decided which charge and multiplicity it has."""

    @property
    def energy(self) -> float | None:
        """The energy that the file gives it, hartree, of a level that is not known here; None: it gives none."""

    def molecule(self, charge: int | None, multiplicity: int | None) -> tuple[Molecule, tuple[str, ...]]:
        """Return the molecule, and what a careful reader should know about its charge and spin.

        Parameters
        ----------
        charge, multiplicity
            Taken whatever the file says. None: as the file says.

        Raises
        ------
        InputError
            Neither says, or they do not fit the electrons; the message names the file.
        """


@dataclass(frozen=True, eq=False)
class PlainFrame:
    """A structure of a file whose format has a place for charge and multiplicity.

    Attributes
    ----------
    where
        The file and the place in it, for messages.
    symbols, geometry
        Elements, and positions (natoms, 3) in bohr.
    charge, multiplicity
        As the file states them; None: it does not.
    energy
        In hartree; None: the file gives none.
    """

    where: str
    symbols: tuple[str, ...]
    geometry: np.ndarray
    charge: float | None
    multiplicity: float | None
    energy: float | None

    def molecule(self, charge: int | None, multiplicity: int | None) -> tuple[Molecule, tuple[str, ...]]:
        """Return the molecule and notes on it, as `Frame` has it."""
        total, charge_notes = self._decided("charge", charge, self.charge)
        spin, spin_notes = self._decided("multiplicity", multiplicity, self.multiplicity)
        try:
            molecule = Molecule(
                symbols=self.symbols, geometry=self.geometry, molecular_charge=total, molecular_multiplicity=spin
            )
        except ValidationError as error:
            reason = error.errors()[0]["msg"].removeprefix("Value error, ")
            raise InputError(f"{self.where}: {reason}") from None
        return molecule, (*charge_notes, *spin_notes)

    def _decided(self, word: str, given: int | None, stated: float | None) -> tuple[int, tuple[str, ...]]:
        if given is not None:
            differs = stated is not None and stated != given
            says = f"molecular_{word} = {given} is taken from the input; the file says {stated:g}" if differs else ""
            return given, (says,) if says else ()
        if stated is None:
            raise InputError(not_said(self.where, word))
        if stated != round(stated):
            raise InputError(
                f"{self.where}: {word} {stated:g} is no whole number; give molecular_{word} in [structure]"
            )
        return round(stated), ()


def not_said(where: str, *words: str) -> str:
    """Say that neither file nor input names the charge or the multiplicity, and what would be right."""
    keys = " and ".join(f"molecular_{word}" for word in words)
    return f"{where}: neither the file nor the input says the {' and '.join(words)}; give {keys} in [structure]"
