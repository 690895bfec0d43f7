"""How many orientations of a molecule look the same: the rotational symmetry number of statistical thermodynamics."""

from __future__ import annotations

import numpy as np
import pytest
from ase.build import molecule as from_ase
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from qcdriver.geometry.rotations import is_linear, symmetry_number
from qcdriver.models.molecule import Molecule
from qcdriver.units import ANGSTROM

KNOWN = {  # of the point group: C2v 2, C3v 3, Td 12, D3d 6, D6h 12, D2h 4, D2d 4, D3h 6; Dinfh 2, Cinfv 1, C1 1
    "H2O": 2,
    "NH3": 3,
    "CH4": 12,
    "C2H6": 6,
    "C6H6": 12,
    "C2H4": 4,
    "C3H4_D2d": 4,
    "BF3": 6,
    "CO2": 2,
    "N2": 2,
    "N2O": 1,
    "HF": 1,
    "CH3CH2OH": 1,
}


def molecule(name: str) -> Molecule:
    atoms = from_ase(name)
    return Molecule(symbols=tuple(atoms.get_chemical_symbols()), geometry=atoms.positions / ANGSTROM)


@pytest.mark.parametrize(("name", "number"), KNOWN.items())
def test_the_symmetry_number_is_that_of_the_point_group(name, number):
    assert symmetry_number(molecule(name)) == number


@pytest.mark.parametrize(("name", "linear"), [("CO2", True), ("N2O", True), ("HF", True), ("H2O", False)])
def test_linear_molecules_are_recognised(name, linear):
    assert is_linear(molecule(name)) == linear


@given(seed=st.integers(0, 10_000), name=st.sampled_from(["CH4", "C2H6", "NH3", "CO2"]))
def test_it_does_not_depend_on_where_a_molecule_lies_nor_on_the_order_of_its_atoms(seed, name):
    rng = np.random.default_rng(seed)
    start = molecule(name)
    order = rng.permutation(len(start.symbols))
    moved = start.geometry[order] @ Rotation.random(random_state=seed).as_matrix().T + rng.normal(size=3)
    shaken = moved + rng.uniform(-0.01, 0.01, moved.shape)
    assert symmetry_number(Molecule(symbols=tuple(start.symbols[i] for i in order), geometry=shaken)) == KNOWN[name]
