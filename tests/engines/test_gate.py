"""An engine's success is a number only if it breaks no law of physics; doubts about its state are typed."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qcdriver.engines import find
from qcdriver.engines.base import Calculation
from qcdriver.engines.gate import Limits, broken_law, doubts
from qcdriver.errors import UnphysicalError
from qcdriver.models.level import Model, Resources
from qcdriver.models.molecule import Molecule
from qcdriver.models.outcomes import Result, WarningCode
from qcdriver.units import EV

WATER = Molecule(symbols=("O", "H", "H"), geometry=[[0, 0, 0], [1.5, 1.1, 0], [-1.5, 1.1, 0.1]])
LIMITS = Limits(lowest_energy=-12.0, force_noise=1e-4, small_gap=0.25 / EV)


def balanced(rng):
    """A gradient without net force or torque: of distances alone."""
    gradient = np.zeros((3, 3))
    for i in range(3):
        for j in range(i):
            pull = rng.normal() * (WATER.geometry[i] - WATER.geometry[j])
            gradient[i] += pull
            gradient[j] -= pull
    return gradient


RIGHT = Result(energy=-5.0, gradient=balanced(np.random.default_rng(0)), gap=0.4, mulliken_charges=[-0.6, 0.3, 0.3])


@given(st.integers(0, 10**6), st.floats(-11.9, 14.0))
def test_whatever_obeys_the_laws_passes(seed, energy):
    result = RIGHT.model_copy(update={"energy": energy, "gradient": balanced(np.random.default_rng(seed))})
    assert broken_law(result, WATER, LIMITS) is None


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"energy": 2.257e307}, "an energy of 2.257e+307 hartree; H2O with 10 electrons has one between -12 and"),
        ({"energy": -13.0}, "an energy of -13 hartree"),
        ({"gap": -0.01}, "a LUMO 0.272 eV below the HOMO of a closed shell"),
        ({"mulliken_charges": np.array([-0.6, 0.3, 0.4])}, "atomic charges that add up to +0.1000, not to +0"),
        ({"gradient": np.array([[0.0, 0, 0.01], [0, 0, 0], [0, 0, 0]])}, "a net force of 0.01 hartree/bohr"),
        ({"gradient": np.array([[0.0, 0, 0], [0, 0.1, 0], [0, -0.1, 0]])}, "a net torque of 0.3 hartree"),
    ],
)
def test_what_breaks_a_law_is_named(change, complaint):
    assert broken_law(RIGHT.model_copy(update=change), WATER, LIMITS).startswith(complaint)


def test_electrons_that_collapse_to_one_atom_break_a_law_where_a_basis_cannot_share_them_at_will():
    ionic = RIGHT.model_copy(update={"mulliken_charges": np.array([-3.0, 1.5, 1.5])})
    assert broken_law(ionic, WATER, LIMITS) is None
    law = broken_law(ionic, WATER, replace(LIMITS, most_gained=2.5))
    assert law.startswith("a charge of -3.00 on atom 0 (O), where no atom has less than -2.50")


def test_the_free_energy_of_hot_electrons_is_judged_without_its_entropy():
    assert broken_law(RIGHT.model_copy(update={"energy": -20.0, "entropy_term": -9.0}), WATER, LIMITS) is None


class Broken(Calculation):
    """Gives wrong numbers first, and the right one at the last."""

    def __init__(self, results):
        self._results = results

    def compute(self, geometry, driver):
        return Result.model_validate(self._results.pop(0))


def gated(monkeypatch, *results):
    engine, left, threads = find("xtb"), list(results), []
    level = engine.level(Model(method="GFN1-xTB"))

    def start(molecule, model, keywords, resources, progress):
        threads.append(resources.threads)
        return Broken(left)

    monkeypatch.setattr(engine, "start", start)
    return engine.prepare(WATER, level, Resources(threads=2), print), threads


def test_a_wrong_number_is_computed_once_more_on_one_thread_and_says_so(monkeypatch):
    calculation, threads = gated(monkeypatch, RIGHT.model_copy(update={"energy": 2e307}), RIGHT, RIGHT)
    result = calculation.compute(WATER.geometry, "gradient")
    assert result.energy == RIGHT.energy
    assert [each.code for each in result.warnings] == [WarningCode.SECOND_TRY]
    assert threads == [2, 1]
    assert calculation.compute(WATER.geometry, "gradient").warnings == ()


def test_a_number_that_is_wrong_twice_is_a_typed_failure(monkeypatch):
    wrong = RIGHT.model_copy(update={"energy": 2e307})
    calculation, _ = gated(monkeypatch, wrong, wrong)
    with pytest.raises(UnphysicalError, match=r"the program returned an energy of 2e\+307 hartree"):
        calculation.compute(WATER.geometry, "gradient")


def test_what_is_not_a_finite_number_fails_like_what_breaks_a_law(monkeypatch):
    wrong = {**RIGHT.model_dump(), "energy": float("nan")}
    calculation, threads = gated(monkeypatch, wrong, wrong)
    with pytest.raises(UnphysicalError, match="a number that is not finite"):
        calculation.compute(WATER.geometry, "gradient")
    assert threads == [2, 1]


def test_two_helium_atoms_far_apart_on_two_threads_have_twice_the_energy_of_one():
    if lack := find("xtb").missing():
        pytest.skip(lack)
    script = (
        "from qcdriver.engines import find\n"
        "from qcdriver.models.level import Model, Resources\n"
        "from qcdriver.models.molecule import Molecule\n"
        "xtb = find('xtb')\n"
        "level = xtb.level(Model(method='GFN1-xTB'))\n"
        "for far in ([[0, 0, 0], [0.1, 0.2, 50.0]], [[0, 0, 0]]):\n"
        "    molecule = Molecule(symbols=('He',) * len(far), geometry=far)\n"
        "    calculation = xtb.prepare(molecule, level, Resources(threads=2), print)\n"
        "    print(calculation.compute(molecule.geometry, 'gradient').energy)\n"
    )
    environment = {**os.environ, "OMP_NUM_THREADS": "2"}
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env=environment)
    pair, atom = map(float, run.stdout.split())
    assert pair == pytest.approx(2 * atom, abs=1e-6)


@pytest.mark.parametrize(
    ("change", "multiplicity", "codes"),
    [
        ({}, 1, []),
        ({"gap": 0.001}, 1, ["small_gap"]),
        ({"gap": -0.05, "spin_square": 0.75}, 1, ["other_multiplicity", "mixed_spin"]),
        ({"gap": 0.3, "spin_square": 2.01}, 3, []),
        ({"gap": 0.3, "spin_square": 2.2}, 3, ["mixed_spin"]),
        ({"stable": False}, 1, ["lower_state"]),
    ],
)
def test_doubts_about_a_state_are_typed(change, multiplicity, codes):
    molecule = Molecule.model_validate({**WATER.model_dump(), "molecular_multiplicity": multiplicity})
    assert [each.code for each in doubts(RIGHT.model_copy(update=change), molecule, LIMITS)] == codes


def test_a_result_without_doubts_has_the_json_of_earlier_versions():
    assert "warnings" not in RIGHT.model_dump(mode="json")
    doubtful = RIGHT.model_copy(update={"warnings": doubts(RIGHT.model_copy(update={"gap": 0.0}), WATER, LIMITS)})
    assert Result.model_validate_json(doubtful.model_dump_json()) == doubtful
    assert doubtful.model_dump(mode="json")["warnings"][0]["code"] == "small_gap"


@pytest.mark.parametrize("multiplicity", [1, 3])
@pytest.mark.parametrize("engine", ["xtb", "tblite"])
def test_the_singlet_of_oxygen_that_gfn_puts_below_the_triplet_is_doubtful_and_the_triplet_is_not(engine, multiplicity):
    if lack := find(engine).missing():
        pytest.skip(lack)
    oxygen = Molecule(symbols=("O", "O"), geometry=[[0, 0, 0], [0.1, 0.2, 2.28]], molecular_multiplicity=multiplicity)
    level = find(engine).level(Model(method="GFN2-xTB"))
    result = find(engine).prepare(oxygen, level, Resources(), print).compute(oxygen.geometry, "energy")
    assert [each.code for each in result.warnings] == ["small_gap"] * (multiplicity == 1)
