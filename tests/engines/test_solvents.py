"""Implicit solvents: one word for every engine, energy and gradient that belong together, and a level that names it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qcdriver import engines
from qcdriver.engines import find
from qcdriver.engines.solvents import SOLVENTS, solvent_name
from qcdriver.errors import InputError
from qcdriver.models.level import Level, Model, Resources
from qcdriver.models.molecule import Molecule
from qcdriver.models.tasks import SinglePoint
from qcdriver.store.keys import task_key
from qcdriver.units import KCAL_MOL

HOOH = Molecule(
    symbols=("O", "O", "H", "H"),
    geometry=[[0.0, 1.37, 0.0], [0.0, -1.37, 0.0], [1.6, 1.7, 0.8], [-1.6, -1.7, 0.9]],
)
CASES = [
    ("xtb", "GFN1-xTB", {}),
    ("xtb", "GFN2-xTB", {}),
    ("xtb", "GFN-FF", {}),
    *(("tblite", method, {"solvent_model": model}) for method in ("GFN1-xTB", "GFN2-xTB")
      for model in ("alpb", "gbsa", "cpcm")),
]  # fmt: skip


def calculation(engine, method, **keywords):
    if lack := find(engine).missing():
        pytest.skip(lack)
    level = find(engine).level(Model(method=method), keywords)
    return find(engine).prepare(HOOH, level, Resources(), lambda _: None)


@pytest.mark.parametrize(("engine", "method", "keywords"), CASES)
def test_the_gradient_in_a_solvent_is_the_slope_of_the_energy(engine, method, keywords):
    there = calculation(engine, method, solvent="water", **keywords)
    direction = np.random.default_rng(3).normal(size=HOOH.geometry.shape)
    gradient = there.compute(HOOH.geometry, "gradient").gradient
    energies = [there.compute(HOOH.geometry + step * direction, "energy").energy for step in (2e-3, -2e-3, 4e-3, -4e-3)]
    slope = (8 * (energies[0] - energies[1]) - (energies[2] - energies[3])) / (12 * 2e-3)
    assert (gradient * direction).sum() == pytest.approx(slope, abs=5e-6)
    gas = calculation(engine, method).compute(HOOH.geometry, "energy").energy
    assert -20 < (there.compute(HOOH.geometry, "energy").energy - gas) * KCAL_MOL < -3  # peroxide likes water


@pytest.mark.parametrize("method", ["GFN1-xTB", "GFN2-xTB"])
def test_the_two_programs_have_the_same_generalised_born_model(method):
    shifts = [
        calculation(engine, method, solvent="ch2cl2", **keywords).compute(HOOH.geometry, "energy").energy
        - calculation(engine, method).compute(HOOH.geometry, "energy").energy
        for engine, keywords in (("xtb", {}), ("tblite", {"solvent_model": "gbsa"}))
    ]
    assert shifts[0] == pytest.approx(shifts[1], abs=1e-5)  # the gas phase differs as much


@given(st.sampled_from(SOLVENTS), st.booleans())
def test_every_word_for_a_solvent_is_one_name_in_every_engine(solvent, upper):
    for word in (solvent.name, solvent.gfn, *solvent.others):
        assert solvent_name(word.upper() if upper else word) == solvent.name


def test_no_word_is_of_two_solvents():
    words = [word.lower() for each in SOLVENTS for word in {each.name, each.gfn, *each.others}]
    assert len(words) == len(set(words))


def test_the_names_are_those_of_pyscf_where_it_has_the_solvent():
    from pyscf.solvent.smd import solvent_db

    assert {each.name for each in SOLVENTS} - set(solvent_db) == {"furan", "phenol", "wet 1-octanol"}


@pytest.mark.parametrize("engine", ["xtb", "tblite", "pyscf"])
def test_one_word_makes_the_same_level_in_every_engine(engine):
    model = Model(method="pbe", basis="STO-3G") if engine == "pyscf" else Model(method="GFN1-xTB")
    level, long = (find(engine).level(model, {"solvent": word}) for word in ("CH2Cl2", "dichloromethane"))
    assert level == long
    assert level.keywords["solvent"] == "dichloromethane"
    assert "(dichloromethane)" in engines.title(level)
    engines.check(HOOH, level)


def test_titles_name_the_model_too():
    assert engines.title(find("xtb").level(Model(method="GFN1-xTB"), {"solvent": "dcm"})) == (
        "GFN1-xTB, GBSA(dichloromethane) (xtb)"
    )
    model = {"solvent": "thf", "solvent_model": "cpcm"}
    assert engines.title(find("tblite").level(Model(method="GFN2-xTB"), model)) == (
        "GFN2-xTB, CPCM(tetrahydrofuran) (tblite)"
    )


def test_in_the_gas_phase_level_and_key_are_those_of_before():
    for engine in ("xtb", "tblite"):
        now = find(engine).level(Model(method="GFN1-xTB"))
        before = {"accuracy": 1.0, "electronic_temperature_k": 300.0, "max_iterations": 250}
        assert now.keywords == before
        wet = find(engine).level(now.model, {"solvent": "water"})
        level = Level(engine=engine, engine_version=now.engine_version, model=now.model, keywords=before)
        keys = [task_key(SinglePoint(molecule=HOOH, level=each)) for each in (now, level, wet)]
        assert keys[0] == keys[1] != keys[2]


@pytest.mark.parametrize(
    ("engine", "method", "keywords", "complaint"),
    [
        ("xtb", "GFN1-xTB", {"solvent": "wter"}, "did you mean 'water'"),
        ("xtb", "GFN1-xTB", {"solvent": "dmf"}, "GFN1-xTB with GBSA in xtb has no parameters for the solvent"),
        ("xtb", "GFN2-xTB", {"solvent": "oil"}, "there are acetone, acetonitrile, benzene, carbon disulfide"),
        ("tblite", "GFN1-xTB", {"solvent": "phenol", "solvent_model": "gbsa"}, "GFN1-xTB with GBSA in tblite has no"),
        ("tblite", "GFN1-xTB", {"solvent_model": "gbsa"}, "solvent_model = 'gbsa' without a solvent"),
        ("pyscf", "pbe", {"solvent": "oil"}, "no solvent named 'oil'; for instance water, dichloromethane"),
    ],
)
def test_a_solvent_without_parameters_is_answered_with_those_that_have_them(engine, method, keywords, complaint):
    model = Model(method=method, basis="STO-3G" if engine == "pyscf" else None)
    with pytest.raises(InputError) as caught:
        engines.check(HOOH, find(engine).level(model, keywords))
    assert complaint in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("engine", "model"), [("xtb", "gbsa"), ("tblite", "gbsa"), ("tblite", "alpb"), ("tblite", "cpcm")]
)
@pytest.mark.parametrize("method", ["GFN1-xTB", "GFN2-xTB"])
def test_every_solvent_that_is_listed_computes(engine, model, method):
    chosen = {} if engine == "xtb" else {"solvent_model": model}
    gas = calculation(engine, method).compute(HOOH.geometry, "energy").energy
    computed = 0
    for solvent in SOLVENTS:
        level = find(engine).level(Model(method=method), {"solvent": solvent.name, **chosen})
        try:
            engines.check(HOOH, level)
        except InputError:
            continue
        wet = find(engine).prepare(HOOH, level, Resources(), lambda _: None).compute(HOOH.geometry, "energy")
        assert wet.energy < gas
        computed += 1
    assert computed == (len(SOLVENTS) if model in ("alpb", "cpcm") else 12 if method == "GFN1-xTB" else 14)
