"""A broadened curve keeps the strength of its states; bands and measured peaks are matched one to one."""

from __future__ import annotations

import numpy as np
import pytest

from qcdriver.units import MOLAR_ABSORPTION, WAVENUMBER
from qcdriver.workflow.spectrum.curve import Sticks, bands, broadened, energies_for, match, wavelength_nm

STICKS = Sticks(np.array([2.0, 2.05, 3.1, 4.4]), np.array([0.1, 0.3, 0.02, 1.2]))


@pytest.mark.parametrize("fwhm_ev", [0.1, 0.3])
def test_the_area_of_a_curve_is_the_sum_of_the_strengths(fwhm_ev):
    energies = energies_for([STICKS], fwhm_ev)
    assert np.trapezoid(broadened(STICKS, energies, fwhm_ev), energies) == pytest.approx(1.62, rel=1e-4)


def test_a_state_alone_is_half_as_high_half_a_width_away():
    alone = Sticks(np.array([3.0]), np.array([0.5]))
    top, half = broadened(alone, np.array([3.0, 3.15]), 0.3)
    assert half / top == pytest.approx(0.5)


def test_molar_absorption_has_the_usual_constant():
    """f = 4.319e-9 times the integral over 1/cm of L/(mol cm): Mulliken, doi:10.1063/1.1750317."""
    assert pytest.approx(1 / MOLAR_ABSORPTION) == WAVENUMBER / (MOLAR_ABSORPTION * WAVENUMBER**2) * WAVENUMBER
    assert pytest.approx(4.319e-9, rel=1e-3) == 1 / (MOLAR_ABSORPTION * WAVENUMBER)


def test_close_states_are_one_band_and_none_lies_beyond_the_states_computed():
    low, middle, high = bands(STICKS, 0.3, 4.45)
    assert 2.0 < low < 2.05
    assert middle == pytest.approx(3.1, abs=0.02)
    assert high == pytest.approx(4.4, abs=0.01)
    assert len(bands(STICKS, 0.3, 4.3)) == 2


def test_peaks_are_matched_with_the_bands_that_lie_nearest_in_all_and_the_shift_is_told_apart():
    found = match((1.9, 2.5, 3.4), (1.5, 2.2, 3.0, 3.9))
    assert found.bands_ev == pytest.approx((1.5, 2.2, 3.0))
    assert found.shift_ev == pytest.approx(-1.1 / 3)
    assert found.deviation_ev == pytest.approx(1.1 / 3)
    assert found.scatter_ev < 0.05
    assert match((1.9,), ()) is None
    assert len(match((1.9, 2.5, 3.4), (2.6,)).peaks_ev) == 1


def test_a_wavelength_is_of_its_energy():
    assert wavelength_nm(2.0) == pytest.approx(619.92, abs=0.01)
    assert wavelength_nm(wavelength_nm(2.0)) == pytest.approx(2.0)
