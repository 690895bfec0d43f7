"""Averages of numbers that are known by hand, and how often a point of a grid counts."""

from __future__ import annotations

import math

import pytest

from qcdriver.workflow.scan.grid import Grid, Operation
from qcdriver.workflow.thermochemistry.averages import Member, average, grid_weights


def test_means_and_percentages_by_hand():
    members = [Member(1.0, (0.0,), "5d+1q"), Member(2.0, (36.0,), "4d+2t"), Member(3.0, (18.0,), "5d+1q")]
    gap, values, belts = average(members, [1, 2, 1])
    assert gap == pytest.approx(2.0)
    assert values == pytest.approx((22.5,))
    assert belts == {"5d+1q": pytest.approx(50), "4d+2t": pytest.approx(50)}


def test_a_gap_that_one_lacks_has_no_mean():
    gap, values, belts = average([Member(1.0, (), None), Member(None, (), None)], [1, 1])
    assert (gap, values, belts) == (None, (), {})


def turn(stop, step, *signs, period=72.0):
    axis = tuple(float(value) for value in range(0, stop + 1, step))
    return Grid((axis,), (period,), (False,), tuple(Operation((sign,)) for sign in signs))


@pytest.mark.parametrize(
    "grid", [turn(72, 12, 1, -1), turn(36, 12, 1, -1), turn(60, 12, 1, -1)], ids=["whole", "half", "closed"]
)
def test_a_structure_counts_as_often_as_it_is_there_however_much_of_the_turn_is_computed(grid):
    """0 and 36 degrees are once on a whole turn, 12 and 24 twice, there and as mirror images."""
    weights = {grid.values(index)[0]: weight for index, weight in grid_weights(grid).items()}
    assert {value: weight / weights[0.0] for value, weight in weights.items()} == {0: 1, 12: 2, 24: 2, 36: 1}


def test_the_mean_over_a_cosine_is_that_of_the_integral():
    """E = cos 3 x of ethane, 2.9 kcal/mol: mean of x over half a turn from eclipsed, by quadrature of 1 degree."""
    height, rt = 2.9 / 2, 0.0019872 * 298.15
    grid = turn(60, 5, 1, -1, period=120.0)
    points = {grid.values(index)[0]: weight for index, weight in grid_weights(grid).items()}
    shares = [weight * math.exp(-height * math.cos(math.radians(3 * x)) / rt) for x, weight in points.items()]
    _, (mean,), _ = average([Member(None, (x,), None) for x in points], shares)
    fine = [math.exp(-height * math.cos(math.radians(3 * x)) / rt) for x in range(61)]
    fine[0], fine[-1] = fine[0] / 2, fine[-1] / 2
    assert mean == pytest.approx(sum(x * share for x, share in enumerate(fine)) / sum(fine), abs=0.2)
