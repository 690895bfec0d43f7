"""Matching: points in any order and orientation find their places, by either way of assigning them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from qcdriver.geometry import matching
from qcdriver.geometry.matching import matchings

seeds = st.integers(0, 2**32 - 1)
ICOSAHEDRON = np.array([(0, s, t * 1.618034) for s in (1, -1) for t in (1, -1)])
ICOSAHEDRON = 3.0 * np.vstack([np.roll(ICOSAHEDRON, k, axis=1) for k in range(3)])


def points(rng, count=12):
    """Points in a cloud, none nearer to another than 2.5 bohr."""
    found = []
    while len(found) < count:
        point = rng.uniform(-8, 8, size=3)
        if all(np.linalg.norm(point - other) > 2.5 for other in found):
            found.append(point)
    return np.array(found)


def disguised(rng, geometry, noise=0.0):
    """The same points in another order, orientation and place, with noise; and the order."""
    order = rng.permutation(len(geometry))
    turned = geometry[order] @ Rotation.random(rng=rng).as_matrix().T + rng.normal(size=3)
    return turned + noise * rng.uniform(-1, 1, turned.shape), order


def one_kind(count):
    return [(np.arange(count)[:, None],) * 2]


@settings(max_examples=30, deadline=None)
@given(seed=seeds, within=st.sampled_from([None, 1.9]))
def test_a_disguised_cloud_lies_on_itself_by_either_assignment(seed, within):
    rng = np.random.default_rng(seed)
    cloud = points(rng)
    other, order = disguised(rng, cloud, noise=0.05)
    best = matchings(cloud, other, one_kind(12), nearest_within=within)[0]
    assert (order[best.order] == np.arange(12)).all()
    assert best.rmsd < 0.1


def test_every_rotation_of_an_icosahedron_is_found():
    found = matchings(ICOSAHEDRON, ICOSAHEDRON, one_kind(12))
    assert sum(each.rmsd < 1e-5 for each in found) == 60


@settings(max_examples=20, deadline=None)
@given(seed=seeds)
def test_clouds_that_are_not_congruent_match_by_the_optimal_assignment_only(seed):
    rng = np.random.default_rng(seed)
    cloud, other = points(rng), points(rng)
    assert matchings(cloud, other, one_kind(12))
    assert matchings(cloud, other, one_kind(12), nearest_within=0.5) == []


def test_kinds_do_not_mix_and_what_is_in_no_group_does_not_count():
    rng = np.random.default_rng(1)
    cloud = points(rng, 10)
    groups = [(np.array([[0], [1]]), np.array([[2], [3]])), (np.array([[2], [3], [4]]), np.array([[0], [1], [4]]))]
    order = matchings(cloud, cloud, groups)[0].order
    assert set(order[:2]) == {2, 3}
    assert set(order[2:5]) == {0, 1, 4}
    assert (order[5:] == -1).all()


def test_a_unit_stays_together():
    rng = np.random.default_rng(2)
    cloud = points(rng, 8)
    other, order = disguised(rng, cloud)
    place = np.argsort(order)
    units = np.arange(8).reshape(4, 2)
    best = matchings(cloud, other, [(units, place[units][::-1])])[0]
    assert (order[best.order] == np.arange(8)).all()


@pytest.mark.parametrize("within", [None, 1.9])
def test_a_long_chain_whose_points_all_lie_near_one_line_is_matched(within):
    chain = np.array([[1.2, 1.6, 5.6], [1.0, 0, 2.8], [-1.0, 0, -2.8], [-1.2, 1.6, -5.6]])
    kinds = np.array([0, 1, 1, 0])
    rng = np.random.default_rng(3)
    other, order = disguised(rng, chain)
    groups = [(np.flatnonzero(kinds == k)[:, None], np.flatnonzero(kinds[order] == k)[:, None]) for k in (0, 1)]
    assert matchings(chain, other, groups, nearest_within=within)[0].rmsd == pytest.approx(0, abs=1e-8)


def test_the_search_ends_with_what_is_good_enough(monkeypatch):
    refined = []
    refine = matching._refined
    monkeypatch.setattr(matching, "_refined", lambda *given: refined.append(given) or refine(*given))
    matchings(ICOSAHEDRON, ICOSAHEDRON, one_kind(12), good_enough=0.01)
    assert len(refined) == 1
    refined.clear()
    matchings(ICOSAHEDRON, ICOSAHEDRON, one_kind(12), max_starts=7)
    assert len(refined) == 7


def test_a_large_set_is_compared_in_parts(monkeypatch):
    rng = np.random.default_rng(4)
    cloud = points(rng)
    other, _ = disguised(rng, cloud, noise=0.3)
    whole = [(each.rmsd, each.order.tolist()) for each in matchings(cloud, other, one_kind(12))]
    monkeypatch.setattr(matching, "_CHUNK", 300)
    assert [(each.rmsd, each.order.tolist()) for each in matchings(cloud, other, one_kind(12))] == whole
