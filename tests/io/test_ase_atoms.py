"""ASE's Atoms: nothing that `info` says about charge and spin is dropped."""

from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms

from qcdriver.errors import InputError
from qcdriver.io.ase_atoms import molecule_of_ase


def dioxygen(**info):
    atoms = Atoms("O2", positions=[[0, 0, 0], [0, 0, 1.21]])
    atoms.info.update(info)
    return molecule_of_ase(atoms)


@pytest.mark.parametrize(
    ("info", "charge", "multiplicity"),
    [
        ({}, 0, 1),
        ({"charge": 2}, 2, 1),
        ({"charge": np.int64(-1), "multiplicity": 2.0}, -1, 2),
        ({"charge": "2", "multiplicity": "3"}, 2, 3),
        ({"charge": 0, "spin": 1}, 0, 1),  # 2S + 1, as machine-learned potentials write it
        ({"charge": 0, "spin": 0, "energy": -3.5, "label": "triplet, charge=2"}, 0, 1),
        ({"multiplicity": 3, "uhf": 2, "total_charge": 0}, 0, 3),
    ],
)
def test_charge_and_multiplicity_of_atoms(info, charge, multiplicity):
    molecule = dioxygen(**info)
    assert (molecule.molecular_charge, molecule.molecular_multiplicity) == (charge, multiplicity)


@pytest.mark.parametrize(
    ("info", "said"),
    [
        ({"total_charge": 2}, 'total_charge="2", and the charge is 0; set atoms.info'),
        ({"uhf": 2}, 'uhf="2", and the multiplicity is 1'),
        ({"spin": 3}, 'spin="3", and the multiplicity is 1'),
        ({"charge": 2, "q": -2}, 'q="-2", and the charge is 2'),
        ({"charge": "two"}, "charge two is no integer"),
        ({"charge": None}, "charge None is no integer"),
        ({"multiplicity": 1.5}, "multiplicity 1.5 is no integer"),
    ],
)
def test_what_contradicts_or_is_not_understood_is_named(info, said):
    with pytest.raises(InputError) as refusal:
        dioxygen(**info)
    assert said in str(refusal.value)
