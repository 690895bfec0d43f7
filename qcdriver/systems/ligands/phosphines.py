"""Build a phosphine from its rotor angles: PH3, PMe3 and PPh3 as rigid parts around P.

P sits at the origin with the metal towards -x. Each of the three substituents turns about its own P-C bond. Lengths
and angles are rounded averages over crystal structures of metal phosphines (Orpen et al., doi:10.1039/DT98900000S1;
C-C and C-H: Allen et al., doi:10.1039/P298700000S1), C-H as neutrons see it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

PhosphineName = Literal["PH3", "PMe3", "PPh3"]


@dataclass(frozen=True)
class Phosphine:
    """One phosphine PX3; Angstrom and degrees.

    Attributes
    ----------
    symbols
        Elements of one substituent X.
    substituent
        Atoms of X with its bond to P along +x and the atom bound to P at the origin, (n, 3).
    bond_angstrom, angle_deg
        P-X length and X-P-X angle.
    has_rotors
        Whether turning X about its bond to P changes anything.
    staggered_deg
        Rotor angle of the free ligand: staggered methyls, a phenyl propeller.
    """

    symbols: tuple[str, ...]
    substituent: np.ndarray
    bond_angstrom: float
    angle_deg: float
    has_rotors: bool
    staggered_deg: float

    @property
    def all_symbols(self) -> tuple[str, ...]:
        """Elements of the whole ligand, P first."""
        return ("P", *(3 * self.symbols))

    def positions(self, turn_deg: float, rotors_deg: np.ndarray) -> np.ndarray:
        """Return the positions of the atoms, (1 + 3 n, 3), Angstrom.

        Parameters
        ----------
        turn_deg
            Rotation of the whole ligand about x, the metal-P bond.
        rotors_deg
            Rotation of each substituent about its P-X bond, (3,); at 0 the substituent's xy plane holds the
            metal-P bond.
        """
        # Three bonds with this angle between each two make this angle with their common axis.
        tilt = np.arcsin(2 / np.sqrt(3) * np.sin(np.radians(self.angle_deg) / 2))
        arm = self.substituent + np.array([self.bond_angstrom, 0.0, 0.0])
        parts = [np.zeros((1, 3))]
        for k, rotor in enumerate(rotors_deg):
            placed = arm @ rotation("x", rotor).T @ rotation("z", np.degrees(tilt)).T
            parts.append(placed @ rotation("x", turn_deg + 120.0 * k).T)
        return np.concatenate(parts)


def rotation(axis: Literal["x", "y", "z"], angle_deg: float) -> np.ndarray:
    """Return the right-handed rotation about a Cartesian axis, (3, 3), for column vectors."""
    c, s = np.cos(np.radians(angle_deg)), np.sin(np.radians(angle_deg))
    k = "xyz".index(axis)
    i, j = (k + 1) % 3, (k + 2) % 3
    matrix = np.eye(3)
    matrix[i, i] = matrix[j, j] = c
    matrix[i, j], matrix[j, i] = -s, s
    return matrix


def _methyl() -> np.ndarray:
    # Tetrahedral, C-H 1.09; the first H lies in the xy plane, anti to the metal at rotor 180.
    bond, angle = 1.09, np.radians(109.5)
    around = np.radians([0.0, 120.0, 240.0])
    radial = bond * np.sin(angle)
    hydrogens = np.column_stack([np.full(3, -bond * np.cos(angle)), radial * np.cos(around), radial * np.sin(around)])
    return np.vstack([np.zeros(3), hydrogens])


def _phenyl() -> np.ndarray:
    # A regular hexagon, C-C 1.39, C-H 1.08, in the xy plane.
    around = np.radians(180.0 - 60.0 * np.arange(6))
    hexagon = np.column_stack([np.cos(around), np.sin(around), np.zeros(6)])
    centre = np.array([1.39, 0.0, 0.0])
    return np.vstack([centre + 1.39 * hexagon, centre + (1.39 + 1.08) * hexagon[1:]])


PHOSPHINES: dict[PhosphineName, Phosphine] = {
    "PH3": Phosphine(("H",), np.zeros((1, 3)), 1.40, 98.0, False, 0.0),
    "PMe3": Phosphine(("C", "H", "H", "H"), _methyl(), 1.82, 103.0, True, 60.0),
    "PPh3": Phosphine(("C",) * 6 + ("H",) * 5, _phenyl(), 1.83, 103.5, True, 45.0),
}
"""The phosphines a model may carry."""
