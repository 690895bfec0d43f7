"""Covalent radii of the elements."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from qcdriver.models.base import ATOMIC_NUMBER
from qcdriver.units import ANGSTROM


def covalent_radii(symbols: Iterable[str]) -> np.ndarray:
    """Return the covalent radius of each atom, (natoms,), bohr (Cordero et al., doi:10.1039/b801115j, as ASE has it).

    An element without a radius has 0.2 Angstrom there.
    """
    from ase.data import covalent_radii as angstrom

    return np.asarray(angstrom)[[ATOMIC_NUMBER[symbol] for symbol in symbols]] / ANGSTROM
