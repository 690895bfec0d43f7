"""What a time and a temperature say of a free barrier: Eyring's equation, with constants of its own."""

from __future__ import annotations

import math

import pytest

from qcdriver.workflow.conversions.bounds import bounds_of, free_barrier_kcal_mol, half_life_s

DAY = 86400


def eyring_kcal_mol(rate_per_s, temperature_k):
    """CODATA 2018: Boltzmann's, Planck's and the gas constant."""
    return 8.314462618 * temperature_k * math.log(1.380649e-23 * temperature_k / 6.62607015e-34 / rate_per_s) / 4184


def test_a_rate_of_1e_6_per_second_at_25_c_is_a_free_barrier_of_25_6():
    assert free_barrier_kcal_mol(1e-6, 298.15) == pytest.approx(eyring_kcal_mol(1e-6, 298.15), rel=1e-8)
    assert free_barrier_kcal_mol(1e-6, 298.15) == pytest.approx(25.64, abs=0.01)


def test_the_half_life_over_a_barrier_is_that_of_its_rate():
    assert half_life_s(eyring_kcal_mol(3e-7, 263.15), 263.15) == pytest.approx(math.log(2) / 3e-7, rel=1e-6)
    assert half_life_s(1e6, 10.0) > 1e290  # and no overflow


@pytest.mark.parametrize(
    ("start", "product", "slowest", "fastest"),
    [
        (False, True, -math.log(0.05) / (28 * DAY), None),  # less than 5 % is left
        (True, False, None, -math.log(0.95) / (28 * DAY)),  # less than 5 % has gone
        (True, True, -math.log(0.95) / (28 * DAY), -math.log(0.05) / (28 * DAY)),
    ],
)
def test_what_was_seen_bounds_the_rate(start, product, slowest, fastest):
    found = bounds_of(start, product, 28, 298.15)
    highest = None if slowest is None else pytest.approx(eyring_kcal_mol(slowest, 298.15))
    lowest = None if fastest is None else pytest.approx(eyring_kcal_mol(fastest, 298.15))
    assert (found.lowest_kcal_mol, found.highest_kcal_mol) == (lowest, highest)


def test_e_alone_after_6_weeks_and_s_alone_after_4_weeks_leave_24_8_to_25_5():
    """Where the eclipsed rotor is what stayed, and the staggered one what came of it."""
    assert bounds_of(True, False, 42, 263.15).lowest_kcal_mol == pytest.approx(24.8, abs=0.05)
    assert bounds_of(False, True, 28, 298.15).highest_kcal_mol == pytest.approx(25.5, abs=0.05)
