"""A converged state that is no minimum is left for the lower one, when that is asked for."""

from __future__ import annotations

import pytest

from qcdriver import engines
from qcdriver.engines import find
from qcdriver.errors import InputError
from qcdriver.models.level import Model, Resources
from qcdriver.models.molecule import Molecule

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


def test_a_closed_shell_whose_bond_is_broken_is_left_for_parted_spins():
    stretched = Molecule(symbols=("H", "H"), geometry=[[0, 0, 0], [0, 0, 5.7]])
    atom = Molecule(symbols=("H",), geometry=[[0, 0, 0]], molecular_multiplicity=2)
    followed = _compute(stretched, STO, stability=True)
    assert _compute(stretched, STO).energy > followed.energy + 0.1
    assert followed.energy == pytest.approx(2 * _compute(atom, STO).energy, abs=1e-3)  # size consistency
    assert followed.stable is True
    assert followed.spin_square == pytest.approx(1.0, abs=0.01)
    assert [each.code for each in followed.warnings] == ["mixed_spin"]


def test_a_state_that_is_tested_for_more_has_another_key_than_before():
    level = PYSCF.level(STO, {"stability": True})
    assert level.keywords["stability"] == "external"
    assert PYSCF.level(STO, level.keywords) == level
    assert PYSCF.level(STO).keywords["stability"] is False


def test_nitrogen_with_a_broken_bond_in_a_closed_shell_is_doubtful():
    stretched = Molecule(symbols=("N", "N"), geometry=[[0, 0, 0], [0, 0, 7.56]])
    result = _compute(stretched, Model(method="pbe", basis="STO-3G"), density_fit=True)
    assert [each.code for each in result.warnings] == ["small_gap"]


def test_all_electrons_of_gold_without_relativity_are_refused_unless_asked_for():
    gold = Molecule(symbols=("Au", "H"), geometry=[[0, 0, 0], [0, 0, 2.9]])
    model = Model(method="pbe", basis="ano-rcc")
    with pytest.raises(InputError, match="all electrons of Au, and no relativistic Hamiltonian is here"):
        engines.check(gold, PYSCF.level(model))
    engines.check(gold, PYSCF.level(model, {"nonrelativistic": True}))
    engines.check(gold, PYSCF.level(Model(method="pbe", basis="def2-SVP")))
    copper = gold.model_copy(update={"symbols": ("Cu", "H")})
    engines.check(copper, PYSCF.level(Model(method="pbe", basis="def2-SVP")))
    assert "nonrelativistic" not in PYSCF.level(model).keywords


def test_stability_and_a_temperature_exclude_each_other():
    with pytest.raises(InputError, match="integer occupations"):
        _compute(WATER, STO, stability=True, electronic_temperature_k=1000.0)
