"""Drawn hydride placements: symmetric, apart, where copper can bind them; and the preparation that holds the frame."""

from __future__ import annotations

import numpy as np
import pytest

from qcdriver.systems.cu14.draws import CU_H_ANGSTROM, HH_ANGSTROM, binding_places
from qcdriver.systems.cu14.model import Cu14Model, build_cu14
from qcdriver.units import ANGSTROM


@pytest.mark.parametrize("start", range(5))
def test_a_drawn_placement_is_ten_hydrides_in_orbits_of_the_axis(start):
    molecule = build_cu14(Cu14Model(hydrides="drawn"), start=start, seed=3)
    hydrides = molecule.geometry[14:24] * ANGSTROM
    copper = molecule.geometry[:14] * ANGSTROM
    assert np.hypot(*hydrides[0, :2]) < 1e-6
    turn = np.radians(120.0)
    third = np.array([[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]])
    for orbit in hydrides[1:].reshape(3, 3, 3):
        assert orbit @ third.T == pytest.approx(np.roll(orbit, -1, axis=0), abs=1e-6)
    apart = np.linalg.norm(hydrides[:, None] - hydrides, axis=-1)[~np.eye(10, dtype=bool)]
    assert apart.min() >= HH_ANGSTROM
    to_copper = np.sort(np.linalg.norm(hydrides[:, None] - copper, axis=-1), axis=1)
    assert (to_copper[:, 0] >= 1.4).all()
    assert (to_copper[:, 1] < 1.9).all()


def test_starts_draw_different_placements_and_one_start_always_the_same():
    drawn = [build_cu14(Cu14Model(hydrides="drawn"), start=start, seed=1).geometry[14:24] for start in (0, 1, 2, 1)]
    assert abs(drawn[0] - drawn[1]).max() > 0.5
    assert abs(drawn[1] - drawn[2]).max() > 0.5
    assert (drawn[1] == drawn[3]).all()


def test_a_tetrahedron_has_its_hole_its_caps_and_its_bridges():
    edge = 2.58
    copper = edge / np.sqrt(8) * np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]])
    places = binding_places(copper)
    to_copper = np.linalg.norm(places[:, None] - copper, axis=-1)
    counts = [int((row < row.min() + 0.01).sum()) for row in to_copper]
    assert sorted(counts) == [2] * 6 + [3] * 4 + [4] * 2  # no caps from inside; the middle is found twice
    for row, count in zip(to_copper, counts, strict=True):
        if count in CU_H_ANGSTROM:
            assert row.min() == pytest.approx(CU_H_ANGSTROM[count])
