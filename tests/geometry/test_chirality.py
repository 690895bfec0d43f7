"""Chirality measures: zero for what is achiral, equal for both hands, blind to scale; the sign tells hands apart."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from qcdriver.geometry.chirality import chiral_index, signed_index
from qcdriver.systems.au13ag12.model import RodModel, build_rod

MIRROR = np.array([1.0, 1.0, -1.0])
few = settings(max_examples=25, deadline=None)


def skewed_triangles(skew_deg):
    """Two parallel equilateral triangles of different kind and size, one turned: achiral at 0 and 60."""
    one = np.radians([0, 120, 240])
    other = one + np.radians(skew_deg)
    lower = np.column_stack([2 * np.cos(one), 2 * np.sin(one), np.zeros(3)])
    upper = np.column_stack([1.5 * np.cos(other), 1.5 * np.sin(other), np.full(3, 1.3)])
    return np.concatenate([lower, upper]), ("Cu",) * 3 + ("S",) * 3


@pytest.mark.parametrize("skew_deg", [0, 60, 120, -60])
def test_eclipsed_and_staggered_triangles_are_achiral(skew_deg):
    positions, kinds = skewed_triangles(skew_deg)
    assert chiral_index(positions, kinds) < 1e-15
    assert abs(signed_index(positions)) < 1e-15


def test_metal_cores_of_the_eclipsed_and_the_staggered_rod_are_achiral_and_those_between_are_not():
    index = {
        twist: chiral_index(rod.geometry[:25], rod.symbols[:25])
        for twist in (0, 12, 36)
        for rod in [build_rod(RodModel(twist_deg=twist))]
    }
    assert index[0] < 1e-15
    assert index[36] < 1e-15
    assert index[12] > 1e-3


def shifted_cube(side, base):
    """A face-centred cube, its face centres shifted round the body diagonal: three, and the other three."""
    axis = np.ones(3) / 3**0.5
    centres = np.concatenate([np.eye(3), -np.eye(3)])
    around = np.cross(axis, centres)
    around /= np.linalg.norm(around, axis=1)[:, None]
    corners = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)])
    return np.concatenate([corners, centres + np.repeat([side, base], 3)[:, None] * around])


def test_shifts_make_the_cube_chiral_unless_they_leave_its_centre_of_inversion():
    kinds = ["Cu"] * 14
    assert chiral_index(shifted_cube(0.0, 0.0), kinds) < 1e-15
    assert chiral_index(shifted_cube(0.2, 0.2), kinds) < 1e-15
    one, both = chiral_index(shifted_cube(0.1, 0.0), kinds), chiral_index(shifted_cube(0.1, -0.1), kinds)
    assert 1e-4 < one < both


@few
@given(st.floats(2, 58), st.floats(0.1, 10), st.integers(0, 2**32 - 1))
def test_index_ignores_hand_scale_orientation_and_order_and_the_sign_follows_the_hand(skew, scale, seed):
    positions, kinds = skewed_triangles(skew)
    rng = np.random.default_rng(seed)
    order = rng.permutation(6)
    moved = scale * Rotation.random(rng=rng).apply(positions)[order] + rng.normal(size=3)
    kinds_moved = [kinds[i] for i in order]
    index, sign = chiral_index(positions, kinds), signed_index(positions)
    assert chiral_index(moved, kinds_moved) == pytest.approx(index)
    assert chiral_index(moved * MIRROR, kinds_moved) == pytest.approx(index)
    assert signed_index(moved) == pytest.approx(sign)
    assert signed_index(moved * MIRROR) == pytest.approx(-sign)


@few
@given(st.integers(4, 8), st.integers(0, 2**32 - 1))
def test_index_lies_between_0_and_1(n, seed):
    rng = np.random.default_rng(seed)
    assert 0 <= chiral_index(rng.normal(size=(n, 3)), rng.choice(["Cu", "S"], n)) <= 1


@pytest.mark.parametrize("skew_deg", [5, 10, 50])
def test_where_one_mirror_plane_is_best_it_is_three_percent_of_the_continuous_symmetry_measure(skew_deg):
    cosymlib = pytest.importorskip("cosymlib")
    positions, kinds = skewed_triangles(skew_deg)
    measure = cosymlib.Geometry(positions.tolist(), list(kinds)).get_symmetry_measure("Cs")
    assert chiral_index(positions, kinds) == pytest.approx(0.03 * measure, rel=1e-6)


def test_the_sign_is_that_of_the_published_formula():
    """Four points, right angles, dihedral +90: the 24 terms of doi:10.1080/00268979500100831 written out."""
    from itertools import permutations

    points = np.array([[1.0, 0, 0], [0, 0, 0], [0, 0, 1], [0, 1, 1]])
    total = 0.0
    for i, j, k, m in permutations(range(4)):
        ij, jk, kl, il = (points[b] - points[a] for a, b in ((i, j), (j, k), (k, m), (i, m)))
        lengths = [np.linalg.norm(each) for each in (ij, jk, kl, il)]
        triple = np.cross(ij, kl) @ il
        total += triple * (ij @ jk) * (jk @ kl) / (np.prod(lengths[:3]) ** 2 * lengths[3])
    expected = 24 / (3 * 4**4) * total
    assert signed_index(points) == pytest.approx(expected)
    assert expected < 0
