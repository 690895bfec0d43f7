"""The network of a grid with symmetry: equal minima are one, and every way from it to its own image shows."""

from __future__ import annotations

import numpy as np
import pytest

from qcdriver.workflow.scan.grid import Grid, Operation
from qcdriver.workflow.scan.unfolding import place, unfolded_network

SAME, MIRRORED = Operation((1,)), Operation((-1,), mirrored=True)


def torsion(start, stop, step, *operations, period=360.0):
    axis = tuple(float(value) for value in np.arange(start, stop + 1e-6, step))
    return Grid((axis,), (period,), (False,), operations or (SAME,))


def network(grid, energy, **kept):
    energies = {index: float(energy(*np.radians(grid.values(index)))) for index in grid.unique}
    return unfolded_network(grid, energies, **kept)


def disulfane(angle):
    """Two minima near 90 and -90 degrees, the cis barrier higher than trans."""
    return np.cos(2 * angle) + 0.1 * np.cos(angle)


def values(grid, found):
    """Give minima and tops by value and the ends of each pass by number."""
    minima = [grid.values(each.index)[0] for each in found.minima]
    return minima, [(grid.values(each.index)[0], each.between) for each in found.passes]


@pytest.mark.parametrize(
    "grid",
    [
        torsion(0, 180, 10, SAME, MIRRORED),
        torsion(-180, 170, 10, SAME, MIRRORED),
        torsion(-90, 180, 10, SAME, MIRRORED),
    ],
    ids=["half", "whole", "more than half"],
)
def test_a_minimum_and_its_mirror_image_are_one_with_a_pass_over_cis_and_one_over_trans(grid):
    found = network(grid, disulfane)
    minima, passes = values(grid, found)
    assert list(np.abs(minima)) == [90]
    assert [(abs(value) % 360, between) for value, between in passes] == [(180, (0, 0)), (0, (0, 0))]
    assert not found.merges


def test_without_mirror_images_these_are_two_minima():
    grid = torsion(-180, 170, 10)
    minima, passes = values(grid, network(grid, disulfane))
    assert sorted(minima) == [-90, 90]
    assert sorted(passes) == [(-180, (0, 1)), (0, (0, 1))]


def test_a_single_minimum_is_left_over_the_only_barrier_and_met_again_a_period_on():
    grid = torsion(0, 110, 10, period=120.0)
    found = network(grid, lambda angle: np.cos(3 * angle))
    minima, passes = values(grid, found)
    assert minima == [60]
    assert passes == [(0, (0, 0))]
    path = [place(grid, each)[0][0] for each in found.passes[0].path]
    assert path in ([6, 5, 4, 3, 2, 1, 0, 11, 10, 9, 8, 7, 6], [6, 7, 8, 9, 10, 11, 0, 1, 2, 3, 4, 5, 6])


def test_beyond_the_ends_of_a_grid_without_symmetry_is_nothing():
    grid = torsion(30, 90, 10)
    minima, passes = values(grid, network(grid, lambda angle: np.cos(3 * angle)))
    assert minima == [60]
    assert not passes
    assert place(grid, (-1,)) is None


def test_a_path_says_which_of_its_points_are_mirror_images():
    grid = torsion(0, 180, 30, SAME, MIRRORED)
    found = network(grid, disulfane)
    mirrored = [place(grid, each)[1] for each in found.passes[1].path]
    there, either, here = [(True,)] * 3, [(False, True)], [(False,)] * 3
    assert mirrored in (there + either + here, here + either + there)


ROD = (
    Operation((1, 1)),
    Operation((-1, -1), mirrored=True),
    Operation((-1, 1), mirrored=True, flipped=True),
    Operation((1, -1), flipped=True),
)


@pytest.mark.parametrize("seed", [1, 3, 4])
def test_of_a_rod_any_part_that_holds_every_point_once_gives_the_same_network(seed):
    """Twist and belt, with the rod's periods and all its symmetries, and a random energy that has them too."""
    heights = np.random.default_rng(seed).normal(size=(3, 3))

    def rod(twist, belt):
        return sum(heights[n, m] * np.cos(5 * n * twist) * np.cos(30 * m * belt) for n in range(3) for m in range(3))

    shapes = []
    for first, last in (((0, 72), (0, 12)), ((-36, 36.1), (-6, 6.1)), ((0, 36.1), (0, 6.1))):
        axes = (np.arange(*first, 4.0), np.arange(*last, 1.0))
        grid = Grid(tuple(tuple(map(float, axis)) for axis in axes), (72.0, 12.0), (False, False), ROD)
        found = network(grid, rod)
        places = [np.abs(grid.values(each.index)).round(6).tolist() for each in (*found.minima, *found.passes)]
        shapes.append((places, [each.between for each in found.passes], len(found.merges)))
    assert shapes[0] == shapes[1] == shapes[2]
    assert shapes[0][1]  # passes
