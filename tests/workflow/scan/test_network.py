"""The network of a grid: on a potential with known stationary points, and on random grids against brute force."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qcdriver.workflow.scan.network import grid_network, lowest_path, merge_tree


def grid(shape, periodic=False, holes=()):
    """Give the points of a grid, and a function to the points next to a point, diagonal ones included."""
    points = set(np.ndindex(*shape)) - set(holes)

    def neighbours(point):
        for step in itertools.product((-1, 0, 1), repeat=len(shape)):
            near = tuple(
                (at + by) % length if periodic else at + by for at, by, length in zip(point, step, shape, strict=True)
            )
            if near != point and near in points:
                yield near

    return sorted(points), neighbours


def muller_brown(x, y):
    """Müller and Brown 1979, doi:10.1007/BF00547608."""
    height = (-200, -100, -170, 15)
    xx, xy, yy = (-1, -1, -6.5, 0.7), (0, 0, 11, 0.6), (-10, -10, -6.5, 0.7)
    x0, y0 = (1, 0, -0.5, -1), (0, 0.5, 1.5, 1)
    return sum(
        h * np.exp(a * (x - p) ** 2 + b * (x - p) * (y - q) + c * (y - q) ** 2)
        for h, a, b, c, p, q in zip(height, xx, xy, yy, x0, y0, strict=True)
    )


SPACING = 0.02


@pytest.fixture(scope="module")
def valley():
    """The potential on a fine grid, its neighbours and the places of the points."""
    x, y = np.arange(-1.5, 1.2, SPACING), np.arange(-0.2, 2.0, SPACING)
    points, neighbours = grid((len(x), len(y)))
    energies = {(i, j): float(muller_brown(x[i], y[j])) for i, j in points}
    return energies, neighbours, lambda point: (x[point[0]], y[point[1]])


def test_muller_browns_minima_and_saddles_are_found_within_the_grid_spacing(valley):
    """Places and energies as published for this potential."""
    energies, neighbours, place = valley
    network = grid_network(energies, neighbours)
    minima = [(-0.558, 1.442, -146.70), (0.623, 0.028, -108.17), (-0.050, 0.467, -80.77)]
    saddles = [(0.212, 0.293, -72.25, (1, 2)), (-0.822, 0.624, -40.66, (0, 2))]
    assert len(network.minima) == 3
    assert len(network.passes) == 2
    for found, (x, y, energy) in zip(network.minima, minima, strict=True):
        assert place(found.index) == pytest.approx((x, y), abs=SPACING)
        assert found.energy == pytest.approx(energy, abs=1)
    for found, (x, y, energy, between) in zip(network.passes, saddles, strict=True):
        assert place(found.index) == pytest.approx((x, y), abs=SPACING)
        assert found.energy == pytest.approx(energy, abs=1)
        assert found.between == between
    assert [merge.children for merge in network.merges] == [(1, 2), (0, 3)]


def test_a_valley_aslant_is_one_minimum():
    points, neighbours = grid((9, 9))
    energies = {(i, j): 1.0 * (i - j) ** 2 + 0.01 * (i + j - 8) ** 2 for i, j in points}
    assert [each.index for each in grid_network(energies, neighbours).minima] == [(4, 4)]


@pytest.mark.parametrize("length", [20, 21])
def test_basins_that_touch_at_a_maximum_alone_have_no_pass(length):
    """Four wells in a square around a hill: each is next to two others, and across the hill lies no saddle."""
    points, neighbours = grid((length, length))
    phase = {point: (2 * np.pi * point[0] / (length - 1), 2 * np.pi * point[1] / (length - 1)) for point in points}
    energies = {point: float(-np.cos(x) - np.cos(y) + 0.02 * x + 0.01 * y) for point, (x, y) in phase.items()}
    network = grid_network(energies, neighbours)
    assert len(network.minima) == 4
    assert [each.between for each in network.passes] == [(0, 1), (0, 2), (1, 3), (2, 3)]


def test_a_plateau_is_one_minimum_and_a_flat_pass_one_pass():
    points, neighbours = grid((9,))
    energies = dict(zip(points, [2.0, 1.0, 1.0, 1.0, 3.0, 3.0, 0.0, 4.0, 5.0], strict=True))
    network = grid_network(energies, neighbours)
    assert [each.plateau for each in network.minima] == [((6,),), ((1,), (2,), (3,))]
    assert [(each.between, each.energy) for each in network.passes] == [((0, 1), 3.0)]
    assert network.passes[0].path[0] == (6,)
    assert network.passes[0].path[-1] == (1,)


def test_round_a_ring_every_pass_is_found_also_the_one_that_closes_it():
    points, neighbours = grid((6,), periodic=True)
    energies = dict(zip(points, [0.0, 3.0, 0.1, 4.0, 0.2, 5.0], strict=True))
    network = grid_network(energies, neighbours)
    assert [(each.between, each.energy) for each in network.passes] == [((0, 1), 3.0), ((1, 2), 4.0), ((0, 2), 5.0)]
    assert network.passes[2].path == ((0,), (5,), (4,))
    assert [merge.energy for merge in network.merges] == [3.0, 4.0]


def test_a_ripple_is_no_minimum_and_belongs_to_the_basin_it_flows_into():
    points, neighbours = grid((9,))
    energies = dict(zip(points, [0.0, 1.0, 0.9, 5.0, 4.9, 9.0, 2.0, 3.0, 2.5], strict=True))
    network = grid_network(energies, neighbours, ripple=0.2)
    assert [each.index for each in network.minima] == [(0,), (6,), (8,)]
    assert [(each.between, each.energy) for each in network.passes] == [((1, 2), 3.0), ((0, 1), 9.0)]
    assert network.passes[1].path == tuple((index,) for index in range(7))
    assert len(grid_network(energies, neighbours).minima) == 5


def test_what_a_hole_separates_is_never_merged():
    points, neighbours = grid((5,), holes=[(2,)])
    energies = dict.fromkeys(points, 1.0) | {(0,): 0.0, (4,): 0.5}
    network = grid_network(energies, neighbours)
    assert len(network.minima) == 2
    assert not network.passes
    assert not network.merges
    assert lowest_path(energies, neighbours, (0,), (4,)) is None


@st.composite
def landscapes(draw, longest=6):
    """Random grids with few different energies, so that plateaus and ties are common."""
    shape = draw(st.one_of(st.tuples(st.integers(1, 3 * longest)), st.tuples(*[st.integers(1, longest)] * 2)))
    every = sorted(np.ndindex(*shape))
    holes = draw(st.sets(st.sampled_from(every), max_size=len(every) - 1))
    points, neighbours = grid(shape, draw(st.booleans()), holes)
    levels = draw(st.sampled_from((3, 10, 1000)))
    values = draw(st.lists(st.integers(0, levels), min_size=len(points), max_size=len(points)))
    return {point: float(value) for point, value in zip(points, values, strict=True)}, neighbours


def flooded(energies, neighbours, level):
    """Give the connected parts of what lies at or below a level."""
    left = {point for point, energy in energies.items() if energy <= level}
    parts = []
    while left:
        front = [left.pop()]
        part = set(front)
        while front:
            new = {near for near in neighbours(front.pop()) if near in left}
            left -= new
            part |= new
            front += new
        parts.append(part)
    return parts


def ceiling_between(energies, neighbours, one, other):
    """Find by trying every level how high one has to go from one point to another."""
    for level in sorted(set(energies.values())):
        if any(one in part and other in part for part in flooded(energies, neighbours, level)):
            return level
    return None


def is_minimum(energies, neighbours, point):
    """Tell whether the plateau of a point has no lower neighbour."""
    flat = next(part for part in flooded(energies, neighbours, energies[point]) if point in part)
    return min(energies[each] for each in flat) == energies[point]


@given(landscapes())
@settings(deadline=None, max_examples=200)
def test_minima_and_barriers_are_those_of_brute_force(landscape):
    energies, neighbours = landscape
    network = grid_network(energies, neighbours)
    expected = {point for point in energies if is_minimum(energies, neighbours, point)}
    assert sorted(expected) == sorted(point for each in network.minima for point in each.plateau)
    assert [each.index for each in network.minima] == [each.plateau[0] for each in network.minima]
    bottoms = {count: [each.energy] for count, each in enumerate(network.minima)}
    members = [{count} for count in bottoms]
    for merge in network.merges:
        one, other = (members[child] for child in merge.children)
        for a, b in itertools.product(one, other):
            ends = network.minima[a].index, network.minima[b].index
            assert ceiling_between(energies, neighbours, *ends) == merge.energy
        members.append(one | other)
    apart = flooded(energies, neighbours, max(energies.values()))
    assert len(network.minima) - len(network.merges) == len(apart)


@given(landscapes())
@settings(deadline=None, max_examples=200)
def test_a_pass_leads_from_basin_to_basin_and_is_the_top_of_its_path(landscape):
    energies, neighbours = landscape
    network = grid_network(energies, neighbours)
    bottoms = {point: count for count, each in enumerate(network.minima) for point in each.plateau}
    assert len({(each.between, each.index) for each in network.passes}) == len(network.passes)
    assert len({each.between for each in network.passes}) == len({(p.between, p.energy) for p in network.passes})
    for each in network.passes:
        ends = [network.minima[number].index for number in each.between]
        assert [each.path[0], each.path[-1]] == ends
        assert all(b in neighbours(a) for a, b in itertools.pairwise(each.path))
        assert max(energies[point] for point in each.path) == each.energy == energies[each.index]
        assert {bottoms[point] for point in each.path if point in bottoms} == set(each.between)


@given(landscapes(longest=3), st.data())
@settings(deadline=None, max_examples=200)
def test_the_lowest_path_is_the_lowest_of_all(landscape, data):
    energies, neighbours = landscape
    start, end = (data.draw(st.sampled_from(sorted(energies))) for _ in range(2))
    found = lowest_path(energies, neighbours, start, end)
    floor = min(energies.values())

    def walks(path):
        if path[-1] == end:
            yield path
            return
        for near in neighbours(path[-1]):
            if near not in path:
                yield from walks((*path, near))

    def cost(path):
        return max(energies[each] for each in path), sum(energies[each] - floor for each in path[1:])

    every = list(walks((start,)))
    if not every:
        assert found is None
    else:
        assert all(b in neighbours(a) for a, b in itertools.pairwise(found))
        assert (found[0], found[-1]) == (start, end)
        assert cost(found) == min(map(cost, every))


@given(landscapes(), st.floats(0, 10))
@settings(deadline=None, max_examples=100)
def test_no_basin_left_is_as_shallow_as_a_ripple(landscape, ripple):
    energies, neighbours = landscape
    every, network = grid_network(energies, neighbours), grid_network(energies, neighbours, ripple)
    assert {each.index for each in network.minima} <= {each.index for each in every.minima}
    lowest = dict(enumerate(each.energy for each in network.minima))
    for count, merge in enumerate(network.merges, start=len(lowest)):
        depths = [merge.energy - lowest[child] for child in merge.children]
        assert min(depths) >= ripple
        lowest[count] = min(lowest[child] for child in merge.children)
    tall = [merge.energy for merge in every.merges]
    assert all(merge.energy in tall for merge in network.merges)
    for each in network.passes:
        assert max(energies[point] for point in each.path) == each.energy


def test_a_tree_merges_by_rising_energy():
    merges = merge_tree(4, [(0, 1, 3.0), (2, 3, 1.0), (1, 2, 2.0), (0, 3, 9.0)])
    assert [(each.children, each.energy) for each in merges] == [((2, 3), 1.0), ((1, 4), 2.0), ((0, 5), 3.0)]
