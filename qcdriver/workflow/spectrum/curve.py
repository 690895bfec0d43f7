"""Excited states become a curve, its bands are found, and these are matched with measured peaks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from qcdriver.units import EV, MOLAR_ABSORPTION, NANOMETRE

N = TypeVar("N", float, np.ndarray)

MOLAR_ABSORPTION_EV = MOLAR_ABSORPTION * EV
"""L/(mol cm) of an oscillator strength of one per eV."""
POINTS_A_WIDTH = 30
"""Points of a curve on the width of a band at half its height."""
SMALLEST_BAND = 0.01
"""Of the highest; a lower maximum is none that a measurement would show."""


@dataclass(frozen=True)
class Sticks:
    """Excitation energies (n,), eV, and oscillator strengths (n,), each times the share of its conformer."""

    energies_ev: np.ndarray
    strengths: np.ndarray


@dataclass(frozen=True)
class Match:
    """Measured peaks and the computed bands that stand for them, both in eV and in the order of the peaks.

    Attributes
    ----------
    deviation_ev
        Mean absolute difference.
    shift_ev
        Mean difference, computed minus measured.
    scatter_ev
        Mean absolute difference that is left when the shift is taken off.
    """

    peaks_ev: tuple[float, ...]
    bands_ev: tuple[float, ...]
    deviation_ev: float
    shift_ev: float
    scatter_ev: float


def broadened(sticks: Sticks, energies_ev: np.ndarray, fwhm_ev: float) -> np.ndarray:
    """Return the oscillator strength per eV at `energies_ev` (n,): a Gaussian a state, whose area is its strength."""
    width = fwhm_ev / (2 * math.sqrt(2 * math.log(2)))
    distance = (energies_ev[:, None] - sticks.energies_ev) / width
    heights = sticks.strengths / (width * math.sqrt(2 * math.pi))
    curve: np.ndarray = np.exp(-(distance**2) / 2) @ heights
    return curve


def energies_for(sticks: Sequence[Sticks], fwhm_ev: float) -> np.ndarray:
    """Return energies, eV, above 0, evenly apart, that hold all states and two widths beyond them."""
    every = np.concatenate([stick.energies_ev for stick in sticks])
    low = max(fwhm_ev / POINTS_A_WIDTH, every.min() - 2 * fwhm_ev)
    high = every.max() + 2 * fwhm_ev
    return np.linspace(low, high, math.ceil((high - low) / fwhm_ev * POINTS_A_WIDTH) + 1)


def bands(sticks: Sticks, fwhm_ev: float, up_to_ev: float) -> tuple[float, ...]:
    """Return the maxima of the broadened curve, eV, rising, but for the smallest and those above `up_to_ev`.

    Above the highest state nothing was computed, so a maximum there would be the end of the states, and none of theirs.
    """
    energies = energies_for([sticks], fwhm_ev)
    curve = broadened(sticks, energies, fwhm_ev)
    inner = curve[1:-1]
    top = (inner > curve[:-2]) & (inner >= curve[2:]) & (inner > SMALLEST_BAND * curve.max())
    found = energies[1:-1][top]
    return tuple(float(energy) for energy in found if energy <= up_to_ev)


def match(peaks_ev: Sequence[float], bands_ev: Sequence[float]) -> Match | None:
    """Match measured peaks with computed bands, no band twice, such that the differences are smallest in sum.

    Where there are fewer bands than peaks, only as many peaks are matched; None where there are none.
    """
    from scipy.optimize import linear_sum_assignment

    if not peaks_ev or not bands_ev:
        return None
    differences = np.abs(np.subtract.outer(np.asarray(peaks_ev), np.asarray(bands_ev)))
    rows, columns = linear_sum_assignment(differences)
    peaks = tuple(float(peaks_ev[row]) for row in rows)
    found = tuple(float(bands_ev[column]) for column in columns)
    off = np.subtract(found, peaks)
    return Match(
        peaks_ev=peaks,
        bands_ev=found,
        deviation_ev=float(np.abs(off).mean()),
        shift_ev=float(off.mean()),
        scatter_ev=float(np.abs(off - off.mean()).mean()),
    )


def wavelength_nm(energy_ev: N) -> N:
    """Return the wavelength, nm, of an energy in eV, or the energy, eV, of a wavelength in nm."""
    return EV * NANOMETRE / energy_ev
