"""The master equation: against what is known in closed form, against another program, and where rates lie far apart."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.linalg import expm

from qcdriver.workflow.thermochemistry.kinetics import probabilities, reachable, time_until


def in_balance(energies_over_kt, links):
    """Rates over barriers of given heights, which Boltzmann's populations leave in balance."""
    rates = np.zeros((len(energies_over_kt),) * 2)
    for (one, other), (top, prefactor) in links.items():
        rates[one, other] = prefactor * math.exp(energies_over_kt[one] - top)
        rates[other, one] = prefactor * math.exp(energies_over_kt[other] - top)
    populations = np.exp(-np.array(energies_over_kt))
    return rates, populations / populations.sum()


@pytest.mark.parametrize("time_s", [0.0, 1e-9, 0.03, 1.0, 7.0, 1e12])
def test_two_states_follow_their_formula(time_s):
    forth, back = 0.7, 0.2
    found = probabilities(np.array([[0, forth], [back, 0]]), time_s)
    gone = forth / (forth + back) * -math.expm1(-(forth + back) * time_s)
    assert found[0] == pytest.approx([1 - gone, gone], rel=1e-12, abs=1e-15)


def test_rates_alike_give_what_a_matrix_exponential_gives():
    rates = np.random.default_rng(3).uniform(0.1, 2, (5, 5))
    generator = rates - np.diag(np.diag(rates))
    generator -= np.diag(generator.sum(axis=1))
    for time_s in (0.01, 0.5, 4.0):
        assert probabilities(rates, time_s) == pytest.approx(expm(generator * time_s), rel=1e-11)


def test_the_end_is_boltzmanns_for_rates_of_which_the_slowest_is_1e40_times_slower():
    rates, populations = in_balance(
        [0.0, 3.0, 1.0, 6.0], {(0, 1): (8.0, 6e12), (1, 2): (95.0, 6e12), (2, 3): (7.0, 6e12)}
    )
    assert rates[rates > 0].max() / rates[rates > 0].min() > 1e38
    end = probabilities(rates, 1e33)
    for row in end:
        assert row == pytest.approx(populations, rel=1e-9)


def test_a_slow_step_between_fast_ones_has_the_rate_of_the_lumped_pairs():
    """Two pairs that are in equilibrium at once exchange at k times the share of the two that the saddle connects.

    An eigenvalue of 1e-9 per second is below the rounding of the matrix's largest, 1e12 per second.
    """
    rates, populations = in_balance(
        [0.0, 1.0, 0.5, 2.0], {(0, 1): (2.0, 6e12), (1, 2): (50.0, 6e12), (2, 3): (3.0, 6e12)}
    )
    left, right = populations[:2].sum(), populations[2:].sum()
    flow = populations[1] * rates[1, 2]
    relaxing = flow / left + flow / right
    for time_s in (0.1 / relaxing, 1 / relaxing, 4 / relaxing):
        gone = right * -math.expm1(-relaxing * time_s)
        assert probabilities(rates, time_s)[0, 2:].sum() == pytest.approx(gone, rel=1e-9)


def test_half_of_the_way_is_the_half_life_of_the_sum_of_both_rates():
    rates = np.array([[0, 3e-6], [1e-6, 0]])
    assert time_until(rates, 0, 0.5) == pytest.approx(math.log(2) / 4e-6, rel=1e-6)
    assert time_until(rates, 0, 0.01) == pytest.approx(math.log(100) / 4e-6, rel=1e-6)


def test_what_nothing_leaves_stays():
    assert time_until(np.array([[0, 0], [1.0, 0]]), 0, 0.5) is None
    assert time_until(np.array([[0, 1e-40], [1e-40, 0]]), 0, 0.5) is None


def test_only_what_a_chain_of_rates_leads_to_is_reachable():
    rates = np.zeros((4, 4))
    rates[0, 2] = rates[2, 0] = rates[1, 3] = 1
    assert reachable(rates, 0) == [0, 2]
    assert reachable(rates, 1) == [1, 3]
