"""Duplicates: the same conformer in any disguise is the same, another conformer is not."""

import numpy as np
import pytest
from ase.build import molecule as g2_molecule
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from qcdriver.geometry.likeness import likeness
from qcdriver.models.molecule import Molecule
from qcdriver.systems.au13ag12.model import RodModel, build_rod
from qcdriver.units import ANGSTROM

ROD = build_rod(RodModel(phosphine="PMe3", twist_deg=20))


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32 - 1), st.booleans())
def test_atom_order_orientation_and_small_noise_make_no_new_structure_and_the_hand_is_told(seed, mirror):
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(ROD.symbols))
    xyz = ROD.geometry[order] @ Rotation.random(rng=rng).as_matrix() * ([1, 1, -1] if mirror else [1, 1, 1])
    xyz = xyz + rng.normal(scale=0.02, size=xyz.shape)
    other = Molecule(symbols=tuple(ROD.symbols[i] for i in order), geometry=xyz, molecular_charge=1)
    assert likeness(ROD, other) == ("mirror image" if mirror else "same")


def test_another_twist_is_another_structure():
    assert not likeness(ROD, build_rod(RodModel(phosphine="PMe3", twist_deg=26)))


def test_one_phenyl_turned_is_another_structure():
    rod = build_rod(RodModel(phosphine="PPh3"))
    ring = np.arange(34, 45)  # C6H5, the carbon bound to P first
    axis = rod.geometry[34] - rod.geometry[33]
    turned = rod.geometry.copy()
    turn = Rotation.from_rotvec(np.radians(20) * axis / np.linalg.norm(axis))
    turned[ring] = turn.apply(rod.geometry[ring] - rod.geometry[34]) + rod.geometry[34]
    assert not likeness(rod, rod.moved(turned))


def test_one_halide_moved_is_another_structure():
    moved = ROD.geometry.copy()
    moved[25] += [0.0, 0.0, 0.5 / ANGSTROM]
    assert not likeness(ROD, ROD.moved(moved))


@pytest.mark.parametrize(("one", "other"), [("CH3CH2OH", "CH3OCH3"), ("H2O", "H2O2")])
def test_other_molecules_are_other_structures(one, other):
    a, b = (
        Molecule(symbols=tuple(x.get_chemical_symbols()), geometry=x.positions / ANGSTROM)
        for x in map(g2_molecule, (one, other))
    )
    assert not likeness(a, b)
    assert likeness(a, a) == "same"


def test_another_charge_is_another_structure():
    neutral = Molecule(symbols=("H", "H"), geometry=[[0, 0, 0], [0, 0, 1.4]])
    dication = Molecule(symbols=("H", "H"), geometry=[[0, 0, 0], [0, 0, 1.4]], molecular_charge=2)
    assert not likeness(neutral, dication)


def test_a_structure_without_a_hand_is_the_same_as_its_mirror_image():
    water = g2_molecule("H2O")
    this = Molecule(symbols=tuple(water.get_chemical_symbols()), geometry=water.positions / ANGSTROM)
    assert likeness(this, this.moved(-this.geometry)) == "same"


def test_one_atom_far_off_is_not_lost_in_the_mean():
    rod = build_rod(RodModel(phosphine="PPh3"))
    moved = rod.geometry.copy()
    moved[25, 2] += 0.4 / ANGSTROM
    assert np.sqrt(((rod.geometry - moved) ** 2).sum() / 373) * ANGSTROM < 0.03
    assert likeness(rod, rod.moved(moved)) is None
