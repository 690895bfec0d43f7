"""A converged state that is no minimum is left for the lower one, when that is asked for."""

from __future__ import annotations

import pytest

from qcdriver.engines import find
from qcdriver.errors import InputError
from qcdriver.schema import Model, Molecule, Resources

PYSCF = find("pyscf")
STO = Model(method="hf", basis="6-31G")
DICARBON = Molecule(symbols=("C", "C"), geometry=[[0, 0, 0], [0, 0, 2.36]])
WATER = Molecule(symbols=("O", "H", "H"), geometry=[[0, 0, 0], [1.5, 1.1, 0], [-1.5, 1.1, 0.1]])


def _compute(molecule, model, **keywords):
    level = PYSCF.level(model, {"grid_level": 1, "density_fit": False, **keywords})
    return PYSCF.prepare(molecule, level, Resources(), lambda _line: None).compute(molecule.geometry, "energy")


def test_a_stable_state_is_said_to_be_one():
    result = _compute(WATER, STO, stability=True)
    assert result.stable is True
    assert len(result.scf) == 1
    assert _compute(WATER, STO).stable is None


def test_an_unstable_state_is_followed_to_the_lower_one():
    plain = _compute(DICARBON, STO)
    followed = _compute(DICARBON, STO, stability=True)
    assert followed.energy < plain.energy - 1e-4
    assert followed.stable is True
    assert followed.scf[-1].strategy.startswith("second order")


def test_stability_and_a_temperature_exclude_each_other():
    with pytest.raises(InputError, match="integer occupations"):
        _compute(WATER, STO, stability=True, electronic_temperature_k=1000.0)
