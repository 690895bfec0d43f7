"""The grid of a scan: neighbours, periods, and the part of it that symmetry leaves to compute."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qcdriver.workflow.scan.grid import Grid, Operation, apart

ROD = (Operation((1,)), Operation((-1,), mirrored=True))
ROD_AND_BELT = (
    Operation((1, 1)),
    Operation((-1, -1), mirrored=True),
    Operation((-1, 1), mirrored=True, flipped=True),
    Operation((1, -1), flipped=True),
)


def axis(start, stop, step):
    return tuple(float(value) for value in np.arange(start, stop + step / 2, step))


def test_of_a_period_of_the_rod_only_half_is_computed():
    grid = Grid((axis(0, 72, 6),), (72.0,), (False,), ROD)
    assert [grid.values(index)[0] for index in grid.unique] == [0, 6, 12, 18, 24, 30, 36]
    home, operation = grid.home((11,))
    assert grid.values(home) == (6.0,)
    assert operation.mirrored
    assert grid.home((12,)) == ((0,), ROD[0])


def test_of_a_map_of_twist_and_belt_a_quarter_is_computed():
    """By hand: 0 to 36 of 72 and 0 to 6 of 12, as the mirror changes both signs and the other end that of the belt."""
    grid = Grid((axis(0, 66, 6), axis(0, 9, 3)), (72.0, 12.0), (False, False), ROD_AND_BELT)
    unique = [grid.values(index) for index in grid.unique]
    assert unique == [(float(twist), float(belt)) for twist in range(0, 37, 6) for belt in (0, 3, 6)]


def test_a_grid_over_its_whole_period_closes():
    grid = Grid((axis(0, 330, 30),), (360.0,), (False,), (Operation((1,)),))
    assert [(step.to, step.by, step.direct) for step in grid.steps((0,))] == [((11,), -30.0, False), ((1,), 30.0, True)]


def test_a_grid_over_part_of_its_period_has_ends():
    grid = Grid((axis(0, 300, 30),), (360.0,), (False,), (Operation((1,)),))
    assert [step.to for step in grid.steps((0,))] == [(1,)]
    assert [step.to for step in grid.steps((10,))] == [(9,)]


def test_at_a_mirror_plane_a_step_over_the_end_leads_to_the_mirror_image_of_the_neighbour():
    grid = Grid((axis(0, 36, 6),), (72.0,), (False,), ROD)
    assert [(step.to, step.by, step.operation.mirrored) for step in grid.steps((0,))] == [
        ((1,), -6.0, True),
        ((1,), 6.0, False),
    ]
    assert [(step.to, step.by, step.operation.mirrored) for step in grid.steps((6,))] == [
        ((5,), -6.0, False),
        ((5,), 6.0, True),
    ]


def test_beside_a_mirror_plane_a_step_leads_to_the_mirror_image_of_the_point_itself():
    grid = Grid((axis(3, 33, 6),), (72.0,), (False,), ROD)
    assert [(step.to, step.operation.mirrored) for step in grid.steps((0,))] == [((0,), True), ((1,), False)]


def test_a_point_of_a_map_has_eight_points_around_it():
    grid = Grid((axis(0, 4, 1), axis(0, 4, 1)), (None, None), (True, True), (Operation((1, 1)),))
    assert len(grid.around((2, 2))) == 8
    assert sorted(grid.around((0, 0))) == [(0, 1), (1, 0), (1, 1)]


def test_lengths_are_shown_in_angstrom():
    grid = Grid(((1.0, 2.0), (0.0, 6.0)), (None, 360.0), (True, False), (Operation((1, 1)),))
    assert grid.shown((1, 1)) == "1.05835 A, 6 deg"


@given(
    st.integers(2, 12),
    st.integers(2, 5),
    st.floats(-200, 200),
    st.sampled_from([ROD_AND_BELT, ROD_AND_BELT[:2], ROD_AND_BELT[:1]]),
)
def test_home_is_unique_and_its_operation_leads_there(n_twist, n_belt, start, operations):
    grid = Grid(
        (tuple(start + 6.0 * k for k in range(n_twist)), tuple(3.0 * k for k in range(n_belt))),
        (72.0, 12.0),
        (False, False),
        operations,
    )
    for index in grid:
        home, operation = grid.home(index)
        assert grid.home(home) == (home, operations[0])
        for sign, value, there, period in zip(
            operation.signs, grid.values(index), grid.values(home), grid.periods, strict=True
        ):
            assert apart(sign * value, there, period) < 1e-6


@given(st.floats(-500, 500), st.floats(-50, 50))
def test_every_structure_of_the_rod_has_an_image_on_the_unique_part(twist, belt):
    grid = Grid((axis(0, 36, 6), axis(0, 6, 3)), (72.0, 12.0), (False, False), ROD_AND_BELT)
    images = list(grid.images((twist, belt)))
    assert images
    for operation, values in images:
        for sign, value, image, period in zip(operation.signs, (twist, belt), values, grid.periods, strict=True):
            assert apart(sign * value, image, period) < 1e-6
        assert -3.0 <= values[0] <= 39.0
        assert -1.5 <= values[1] <= 7.5


def test_a_length_beyond_the_grid_has_no_image_on_it():
    grid = Grid(((2.0, 3.0, 4.0),), (None,), (True,), (Operation((1,)),))
    assert list(grid.images((5.0,))) == []
    assert grid.nearest((5.0,)) == (2,)


@pytest.mark.parametrize(("value", "index"), [(1.0, 0), (359.0, 0), (20.0, 3), (90.0, 6)])
def test_the_nearest_point_goes_the_short_way_round(value, index):
    grid = Grid((axis(0, 36, 6),), (360.0,), (False,), (Operation((1,)),))
    assert grid.nearest((value,)) == (index,)


def test_a_grid_ends_where_neither_a_period_nor_an_image_leads_on():
    mirror = (Operation((1,)), Operation((-1,), mirrored=True))
    open_ends = Grid((axis(0, 36, 6),), (360.0,), (False,), mirror[:1])
    assert [open_ends.at_end((k,)) for k in (0, 3, 6)] == [True, False, True]
    half_a_turn = Grid((axis(0, 180, 60),), (360.0,), (False,), mirror)
    assert not any(half_a_turn.at_end(index) for index in half_a_turn)
    quarter = Grid((axis(0, 90, 30),), (360.0,), (False,), mirror)
    assert [quarter.at_end(index) for index in quarter] == [False, False, False, True]
    whole_turn = Grid((axis(0, 300, 60),), (360.0,), (False,), mirror[:1])
    assert not any(whole_turn.at_end(index) for index in whole_turn)
    stretch = Grid((axis(0, 300, 60), (2.0, 3.0, 4.0)), (360.0, None), (False, True), (Operation((1, 1)),))
    assert [stretch.at_end((0, k)) for k in range(3)] == [True, False, True]
