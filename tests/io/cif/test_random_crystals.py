"""Random molecules in random space groups, written and read back."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from crystal_models import off_angstrom
from hypothesis import given, settings
from hypothesis import strategies as st
from random_crystals import random_crystal

from qcdriver.io.cif import read_crystal


def _check(seed: int) -> None:
    made, expected = random_crystal(seed)
    with TemporaryDirectory() as folder:
        crystal = read_crystal(made.write(Path(folder)))
    assert len(crystal.molecules) == 1
    molecule = crystal.molecules[0]
    assert molecule.per_cell == expected.per_cell
    assert off_angstrom(molecule, expected.symbols, expected.positions, made) < 0.01


@given(seed=st.integers(0, 10**9))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_a_molecule_in_any_space_group_is_read_back_whole(seed: int):
    """Any setting, centring, origin and site symmetry; shuffled atoms, each in any image and cell."""
    _check(seed)


@pytest.mark.slow
@given(seed=st.integers(0, 10**9))
@settings(max_examples=200, deadline=None)
def test_many_molecules_in_any_space_group_are_read_back_whole(seed: int):
    _check(seed)
