"""How many Ag a halide of the belt binds: by the gap in its distances, and as a smooth coordination number.

A chloride of a twisting belt slides from one Ag to the next, so a count within one cutoff changes with its second
digit. Both numbers here go by the halide's own shortest bond, which is longer at one level, and for Br, than for
another; the smooth one says how far a halide is between two modes.
"""

from __future__ import annotations

import numpy as np

from qcdriver.models.molecule import Molecule
from qcdriver.systems.au13ag12.atoms import distances
from qcdriver.units import ANGSTROM

TENTH_OF_A_BOND_ANGSTROM = 0.6
"""What is longer than the shortest bond by this has a bond number of 0.1 at most (Pauling, doi:10.1021/ja01195a024)."""
_WIDTH_ANGSTROM = 0.08
_MOST = 4


def bound_by_gap(sorted_angstrom: np.ndarray) -> int:
    """Count the Ag, up to 4, before the widest gap in the rising distances from a halide.

    Whatever is a tenth of a bond or less is taken to be just there: how far away it lies does not matter.
    """
    last = sorted_angstrom[0] + TENTH_OF_A_BOND_ANGSTROM
    gaps = np.diff(np.minimum(np.append(sorted_angstrom[: _MOST + 1], last), last))
    return int(gaps[:_MOST].argmax()) + 1


def belt_coordination(molecule: Molecule, halides: tuple[int, ...], silver: list[int]) -> tuple[float, ...]:
    """Return the smooth coordination number of each halide, rising.

    It is a sum over all Ag: each counts 1 near the shortest bond, a half at 0.3 Angstrom more, 0.02 at a tenth of a
    bond (a Fermi function 0.08 Angstrom wide).
    """
    numbers = []
    for halide in halides:
        longer = distances(molecule.geometry * ANGSTROM, halide, silver)
        longer = longer - longer.min() - TENTH_OF_A_BOND_ANGSTROM / 2
        numbers.append(float((1.0 / (1.0 + np.exp(longer / _WIDTH_ANGSTROM))).sum()))
    return tuple(sorted(numbers))
