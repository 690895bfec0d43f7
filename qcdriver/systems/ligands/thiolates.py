"""Build a thiolate from its rotor angle: SH, SMe and S-iPr as rigid parts around S.

S sits at the origin. Its substituent lies towards +x and turns about that bond. Lengths are averages over crystal
structures (Allen et al., doi:10.1039/P298700000S1), C-H as neutrons see it; angles at carbon are tetrahedral.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from qcdriver.systems.ligands.phosphines import rotation

ThiolateName = Literal["SH", "SMe", "SiPr"]

_SH, _SC, _CC, _CH = 1.34, 1.82, 1.53, 1.09
_TETRAHEDRAL_DEG = float(np.degrees(np.arccos(-1 / 3)))


@dataclass(frozen=True)
class Thiolate:
    """One thiolate SR; Angstrom.

    Attributes
    ----------
    symbols
        Elements of R.
    substituent
        Atoms of R with S at the origin and the S-R bond along +x, (n, 3).
    """

    symbols: tuple[str, ...]
    substituent: np.ndarray

    @property
    def has_rotor(self) -> bool:
        """Whether turning R about its bond to S changes anything."""
        return len(self.symbols) > 1

    def positions(self, turn_deg: float) -> np.ndarray:
        """Return the positions of S and R, (1 + n, 3), Angstrom, with R turned about x."""
        placed = self.substituent @ rotation("x", turn_deg).T
        return np.vstack([np.zeros(3), placed])


def _around(bond_angstrom: float, azimuth_deg: float) -> np.ndarray:
    """Return one of three bonds of a tetrahedral atom at the origin whose fourth bond points to -x."""
    up, out = np.radians(azimuth_deg), np.radians(_TETRAHEDRAL_DEG)
    return bond_angstrom * np.array([-np.cos(out), np.sin(out) * np.cos(up), np.sin(out) * np.sin(up)])


def _methyl(first: np.ndarray, bond: np.ndarray) -> np.ndarray:
    """Place a methyl carbon at the end of a bond and its hydrogens, staggered against the S-C bond."""
    x = bond / np.linalg.norm(bond)
    y = x - np.array([1.0, 0.0, 0.0]) / x[0] if abs(x[0]) < 1 else np.array([0.0, 1.0, 0.0])
    y /= np.linalg.norm(y)
    frame = np.column_stack([x, y, np.cross(x, y)])
    carbon = first + bond
    return np.vstack([carbon, *(carbon + frame @ _around(_CH, azimuth) for azimuth in (60.0, 180.0, 300.0))])


def _isopropyl() -> np.ndarray:
    carbon = np.array([_SC, 0.0, 0.0])
    methyls = [_methyl(carbon, _around(_CC, azimuth)) for azimuth in (120.0, 240.0)]
    return np.vstack([carbon, carbon + _around(_CH, 0.0), *methyls])


THIOLATES: dict[ThiolateName, Thiolate] = {
    "SH": Thiolate(("H",), np.array([[_SH, 0.0, 0.0]])),
    "SMe": Thiolate(("C", "H", "H", "H"), _methyl(np.zeros(3), np.array([_SC, 0.0, 0.0]))),
    "SiPr": Thiolate(("C", "H", *(2 * ("C", "H", "H", "H"))), _isopropyl()),
}
"""The thiolates a model may carry."""
