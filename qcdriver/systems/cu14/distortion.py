"""Draw the soft distortion of the skeleton that a start number stands for.

Most starts keep the C3 axis: the edge centres of tetrahedron 1 shift round it, its side and its base each on their own,
the S3 triangle turns, all atoms move a little, and the thiolates flip (their R to the other side of the S) or not,
all three alike. Every third start breaks the axis: the same, but each atom and each thiolate goes its own way. Where
the ligands find no room on a distorted core, a smaller distortion is drawn.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from qcdriver.systems.ligands.phosphines import rotation

_SHIFT_ANGSTROM = 0.4
"""Largest shift drawn, in either sense."""
_SPREAD_ANGSTROM = 0.1
_WOBBLE_DEG = 5.0
_BREAKS_C3_EVERY = 3
_FLIPS_FROM = 0.5


@dataclass(frozen=True)
class Distortion:
    """What a model is built with; Angstrom and degrees.

    Attributes
    ----------
    side_shift, base_shift, skew_deg
        Amplitudes of the skeleton.
    copper, sulfur, hydrides
        Displacements on top of these, (14, 3), (3, 3), (10, 3); P goes with its Cu.
    flipped
        Which thiolates carry their R on the other side.
    wobble_deg
        Turn of each thiolate and phosphine of its own, (11,).
    keeps_c3
        Whether the axis is there.
    """

    side_shift: float
    base_shift: float
    skew_deg: float
    copper: np.ndarray
    sulfur: np.ndarray
    hydrides: np.ndarray
    flipped: tuple[bool, bool, bool]
    wobble_deg: np.ndarray
    keeps_c3: bool


def undistorted(side_shift: float, base_shift: float, skew_deg: float) -> Distortion:
    """Leave everything where the model says."""
    none = (np.zeros((14, 3)), np.zeros((3, 3)), np.zeros((10, 3)))
    return Distortion(
        side_shift, base_shift, skew_deg, *none, flipped=(False, False, False), wobble_deg=np.zeros(11), keeps_c3=True
    )


def drawn(rng: np.random.Generator, start: int, skew_deg: float, size: float) -> Distortion:
    """Draw the distortion of a start.

    Parameters
    ----------
    start
        Counted from 1.
    skew_deg
        Of the undistorted model. The draw is from none to one and a half of it, to either hand.
    size
        1 for a full draw; towards 0 it shrinks to the undistorted model of either hand, and below a half no thiolate
        flips.
    """
    keeps = start % _BREAKS_C3_EVERY != 0
    side, base = size * rng.uniform(-_SHIFT_ANGSTROM, _SHIFT_ANGSTROM, 2)
    hand, turned = rng.choice([-1.0, 1.0]), rng.uniform(0.0, 1.5 * skew_deg)
    flips = np.full(3, rng.integers(2)) if keeps else rng.integers(2, size=3)
    if size < _FLIPS_FROM:
        flips[:] = 0
    return Distortion(
        side_shift=side,
        base_shift=base,
        skew_deg=hand * (skew_deg + size * (turned - skew_deg)),
        copper=size * _displaced(rng, (1, 3, 1, 3, 3, 3), keeps),
        sulfur=size * _displaced(rng, (3,), keeps),
        hydrides=size * _displaced(rng, (1, 3, 3, 3), keeps),
        flipped=(bool(flips[0]), bool(flips[1]), bool(flips[2])),
        wobble_deg=np.zeros(11) if keeps else size * rng.uniform(-_WOBBLE_DEG, _WOBBLE_DEG, 11),
        keeps_c3=keeps,
    )


def _displaced(rng: np.random.Generator, orbits: tuple[int, ...], keeps_c3: bool) -> np.ndarray:
    """Draw displacements, (sum of orbits, 3), Angstrom; those of an orbit alike round the axis if it is kept."""
    if not keeps_c3:
        return rng.normal(scale=_SPREAD_ANGSTROM, size=(sum(orbits), 3))
    rows = []
    for size in orbits:
        first = rng.normal(scale=_SPREAD_ANGSTROM, size=3) * (1.0 if size == 3 else np.array([0.0, 0.0, 1.0]))
        rows += [rotation("z", 120.0 * k) @ first for k in range(size)]
    return np.array(rows)
