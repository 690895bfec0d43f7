"""The phosphines: sensible lengths and angles at any rotor angle."""

import numpy as np
import pytest

from qcdriver.systems.ligands.phosphines import PHOSPHINES


def angle(a, b, c):
    u, v = a - b, c - b
    return np.degrees(np.arccos(u @ v / np.linalg.norm(u) / np.linalg.norm(v)))


@pytest.mark.parametrize("name", ["PH3", "PMe3", "PPh3"])
@pytest.mark.parametrize("turn", [0.0, 77.0])
def test_phosphorus_is_pyramidal_with_the_metal_on_its_fourth_side(name, turn):
    phosphine = PHOSPHINES[name]
    xyz = phosphine.positions(turn, np.array([10.0, 130.0, -60.0]))
    n = len(phosphine.symbols)
    metal, bound = np.array([-2.3, 0.0, 0.0]), xyz[1::n]
    assert len(xyz) == len(phosphine.all_symbols) == 1 + 3 * n
    for i in range(3):
        assert np.linalg.norm(bound[i]) == pytest.approx(phosphine.bond_angstrom)
        assert angle(bound[i], xyz[0], bound[i - 1]) == pytest.approx(phosphine.angle_deg)
        assert 112 < angle(metal, xyz[0], bound[i]) < 121


def test_phenyl_is_flat_and_its_rotor_turns_it_about_the_bond_to_phosphorus():
    phosphine = PHOSPHINES["PPh3"]
    rings = [phosphine.positions(0.0, np.array([angle, 0.0, 0.0]))[1:12] for angle in (0.0, 40.0)]
    normals = []
    for ring in rings:
        spread = np.linalg.svd(ring - ring.mean(axis=0))
        assert spread[1][2] == pytest.approx(0.0, abs=1e-9)
        normals.append(spread[2][2])
    metal_plane = np.cross([1.0, 0.0, 0.0], rings[0][0])
    assert np.allclose(np.cross(normals[0], metal_plane), 0.0), "at rotor 0 the ring's plane holds the metal"
    assert np.degrees(np.arccos(abs(normals[0] @ normals[1]))) == pytest.approx(40.0)
    assert np.allclose(rings[0][[0, 3]], rings[1][[0, 3]]), "ipso and para C lie on the rotor's axis"


def test_methyl_is_tetrahedral():
    xyz = PHOSPHINES["PMe3"].positions(0.0, np.zeros(3))
    phosphorus, carbon, hydrogens = xyz[0], xyz[1], xyz[2:5]
    for h in hydrogens:
        assert np.linalg.norm(h - carbon) == pytest.approx(1.09)
        assert angle(phosphorus, carbon, h) == pytest.approx(109.5)
