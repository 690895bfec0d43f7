"""How far three atoms are from a straight line: exact derivatives there and away from it, no preferred direction."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qcdriver.geometry.primitives import bends

TRIPLE = np.array([[0, 1, 2]])
ANGLES = st.floats(90.0, 180.0) | st.just(180.0)
SEEDS = st.integers(0, 2**32 - 1)


def bent(angle_deg: float, seed: int) -> np.ndarray:
    """Three atoms with an angle at the second, turned at random; bohr."""
    rng = np.random.default_rng(seed)
    turn = np.radians(angle_deg)
    places = np.array([[2.0, 0.0, 0.0], [0.0, 0.0, 0.0], [2.5 * np.cos(turn), 2.5 * np.sin(turn), 0.0]])
    axes, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    return places @ axes + rng.normal(size=3)


@given(angle_deg=ANGLES, seed=SEEDS)
def test_the_length_of_the_bend_is_that_of_the_angle_left_to_180_degrees(angle_deg: float, seed: int) -> None:
    values, _ = bends(bent(angle_deg, seed), TRIPLE)
    assert np.linalg.norm(values) == pytest.approx(2 * np.cos(np.radians(angle_deg) / 2), abs=1e-9)


@given(angle_deg=ANGLES, seed=SEEDS)
def test_derivatives_of_a_bend_are_those_of_its_values(angle_deg: float, seed: int) -> None:
    geometry = bent(angle_deg, seed)
    direction = np.random.default_rng(seed + 1).normal(size=(3, 3))
    h = 1e-5
    up, down = (bends(geometry + sign * h * direction, TRIPLE)[0] for sign in (1, -1))
    _, derivatives = bends(geometry, TRIPLE)
    np.testing.assert_allclose(np.einsum("ncad,ad->nc", derivatives, direction), (up - down) / (2 * h), atol=1e-8)


@given(seed=SEEDS)
def test_a_straight_line_bends_as_readily_in_every_direction(seed: int) -> None:
    _, derivatives = bends(bent(180.0, seed), TRIPLE)
    by_middle = np.linalg.svd(derivatives[0, :, 1])[1]
    assert by_middle == pytest.approx([1 / 2.0 + 1 / 2.5, 1 / 2.0 + 1 / 2.5, 0.0], abs=1e-12)
