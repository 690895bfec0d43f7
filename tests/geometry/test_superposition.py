"""Superposition: a rotation that was applied is found again, and no atom is mirrored but with the whole."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from qcdriver.geometry.superposition import (
    distances_superposed,
    local_rotations,
    principal_axes,
    rotation_about_origin,
    rotation_onto,
    superpose,
)

seeds = st.integers(0, 2**32 - 1)
hands = st.sampled_from([1, -1])
PEROXIDE = np.array([[0, 1.3, -0.1], [0, -1.3, -0.1], [1.4, 1.7, 0.8], [-1.4, -1.7, 0.8]])
ROTATION = np.array([[0.36, 0.48, -0.8], [-0.8, 0.6, 0.0], [0.48, 0.64, 0.6]])


@given(seed=seeds, hand=hands)
def test_points_that_were_turned_and_moved_lie_on_themselves_inverted_only_where_that_is_allowed(seed, hand):
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(7, 3))
    rotation = hand * Rotation.random(rng=rng).as_matrix()
    found = superpose(points @ rotation.T + rng.normal(size=3), points, improper=True)
    assert found.rotation == pytest.approx(rotation)
    assert found.rmsd == pytest.approx(0, abs=1e-12)
    proper = rotation_onto(points @ rotation.T, points)
    assert np.linalg.det(proper) == pytest.approx(1)
    assert (distances_superposed(points @ rotation.T, points).max() < 1e-12) == (hand == 1)


@given(seed=seeds)
def test_no_rotation_lays_points_nearer_than_the_one_found(seed):
    rng = np.random.default_rng(seed)
    points, others = rng.normal(size=(2, 6, 3))
    found = superpose(points, others)
    centre = others.mean(axis=0)
    for small in (0.03, 0.5):
        turned = (others - centre) @ (Rotation.from_rotvec(small * rng.normal(size=3)).as_matrix() @ found.rotation).T
        left = points - turned - points.mean(axis=0)
        assert np.sqrt((left**2).sum(axis=1).mean()) >= found.rmsd - 1e-12
    assert np.sqrt((distances_superposed(points, others) ** 2).mean()) == pytest.approx(found.rmsd)


def test_two_directions_are_laid_on_each_other_about_the_origin():
    pair = np.array([[1.0, 0, 0], [0, 1.0, 0]])
    assert rotation_about_origin(pair @ ROTATION.T, pair) == pytest.approx(ROTATION)
    assert rotation_onto(pair @ ROTATION.T, pair) @ [1, -1, 0] == pytest.approx(ROTATION @ [1, -1, 0])


@pytest.mark.parametrize("hand", [1, -1])
def test_surroundings_that_turn_as_a_whole_turn_every_atom_alike(hand):
    with_one_alone = np.vstack([PEROXIDE, [40, 0, 0]])
    onto = hand * with_one_alone @ ROTATION.T
    found = local_rotations(with_one_alone, onto, reach=3.0, anchor=0.1)
    assert found == pytest.approx(np.array([hand * ROTATION] * 5))


def test_a_part_that_turns_by_itself_has_its_own_rotation():
    part = np.array([[0, 0, 0], [2.0, 0, 0], [0, 2.0, 0], [0, 0, 2.0]])
    geometry, onto = np.vstack([part, part + 60]), np.vstack([part, part @ ROTATION.T + 60])
    found = local_rotations(geometry, onto, reach=3.0, anchor=1e-9)
    assert found[:4] == pytest.approx(np.array([np.eye(3)] * 4), abs=1e-6)
    assert found[4:] == pytest.approx(np.array([ROTATION] * 4), abs=1e-6)


@given(seed=seeds, hand=hands)
def test_no_atom_is_mirrored_but_with_the_whole(seed, hand):
    noise = np.random.default_rng(seed).normal(size=(2, 7, 3))
    flat = np.array([[0, 0, 0], [2, 0, 0], [0, 2, 0], [20, 0, 0], [22, 0, 0], [20, 2, 0], [9, 9, 20]])
    geometry, onto = flat + 0.6 * noise[0], hand * (flat + 0.6 * noise[1]) @ ROTATION.T
    whole = np.linalg.det(rotation_onto(onto, geometry, improper=True))
    assert np.linalg.det(local_rotations(geometry, onto, reach=3.0, anchor=0.1)) == pytest.approx(whole)


def test_a_rod_has_its_longest_axis_first():
    rod = np.array([[0, 0, z] for z in range(5)] + [[0.5, 0, 2.0], [-0.5, 0, 2.0]]) @ ROTATION.T + 7.0
    extents, axes = principal_axes(rod)
    assert extents == pytest.approx([np.sqrt(10), np.sqrt(0.5), 0], abs=1e-7)
    assert abs(axes[0] @ ROTATION @ [0, 0, 1]) == pytest.approx(1)
    assert abs(axes[1] @ ROTATION @ [1, 0, 0]) == pytest.approx(1)
