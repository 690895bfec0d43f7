"""Symmetry: the rotations of a cluster are found from its structure, in any atom order and though it is not exact."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from qcdriver.geometry.symmetry import atom_orbits, common_symmetry
from qcdriver.geometry.topology import find_topology
from qcdriver.models.molecule import Molecule
from qcdriver.systems.au13ag12.model import RodModel, build_rod
from qcdriver.systems.cu14 import Cu14Model, build_cu14

CU14 = build_cu14(Cu14Model(skew_deg=15))


def found(*conformers):
    return common_symmetry(conformers, find_topology(conformers[0]))


def sizes(symmetry, molecule, symbol):
    return sorted(len(orbit) for orbit in atom_orbits(symmetry) if molecule.symbols[orbit[0]] == symbol)


def test_cu14_has_c3_and_the_orbits_of_its_nmr():
    symmetry = found(CU14)
    assert symmetry.name == "C3"
    assert symmetry.order == 3
    assert abs(symmetry.axis @ [0, 0, 1]) == pytest.approx(1)
    assert sizes(symmetry, CU14, "Cu") == [1, 1, 3, 3, 3, 3]
    assert sizes(symmetry, CU14, "P") == [1, 1, 3, 3]
    assert sizes(symmetry, CU14, "S") == [3]
    assert sizes(symmetry, CU14, "H") == [1, 3, 3, 3], "the hydrides; ligand H are none of the core"


@pytest.mark.parametrize("seed", range(5))
def test_neither_orientation_nor_noise_hides_the_axis(seed):
    rng = np.random.default_rng(seed)
    turn = Rotation.random(rng=rng)
    order = rng.permutation(len(CU14.symbols))
    xyz = (CU14.geometry @ turn.as_matrix().T)[order] + rng.normal(scale=0.05, size=CU14.geometry.shape)
    symmetry = found(Molecule(symbols=tuple(CU14.symbols[i] for i in order), geometry=xyz, molecular_charge=1))
    assert symmetry.name == "C3"
    assert abs(symmetry.axis @ turn.apply([0, 0, 1])) == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("twist_deg", [0, 20, 36])
def test_the_rod_has_d5_at_any_twist_though_its_belt_has_not(twist_deg):
    rod = build_rod(RodModel(twist_deg=twist_deg))
    symmetry = found(rod)
    assert symmetry.name == "D5"
    assert len(symmetry.operations) == 10
    assert sizes(symmetry, rod, "Au") == [1, 2, 10]
    assert sizes(symmetry, rod, "Ag") == [2, 10]
    assert sizes(symmetry, rod, "Cl") == [], "six halides cannot follow a five-fold axis"


def test_what_one_conformer_lacks_none_has():
    broken = CU14.geometry.copy()
    broken[1] += 3.0  # one of three equivalent Cu
    assert found(CU14, CU14.moved(broken)).name == "C1"


def test_images_form_a_group():
    operations = found(build_rod(RodModel())).operations[:, :33][:, :25]
    rows = {tuple(row) for row in operations}
    assert tuple(range(25)) in rows
    assert all(tuple(one[other]) in rows for one in operations for other in operations)
