"""Every kind of functional, fit and solvent gives the number of a PySCF script written by hand."""

from __future__ import annotations

import pytest

from qcdriver.engines import find
from qcdriver.engines.pyscf.functionals import is_meta, is_range_separated
from qcdriver.errors import InputError
from qcdriver.models.level import Model, Resources
from qcdriver.models.molecule import Molecule

PYSCF = find("pyscf")
SAME_CALL = 1e-8
WATER = Molecule(symbols=("O", "H", "H"), geometry=[[0, 0, 0], [1.5, 1.1, 0], [-1.5, 1.1, 0.1]])
# A radical whose odd electron has one orbital to be in: OH's two differ by 3e-8 hartree on this grid.
AMIDOGEN = Molecule(
    symbols=("N", "H", "H"), geometry=[[0, 0, 0], [1.5, 1.2, 0], [-1.5, 1.2, 0.1]], molecular_multiplicity=2
)
COPPER_HYDRIDE = Molecule(symbols=("Cu", "H"), geometry=[[0, 0, 0], [0.1, 0.2, 2.77]])
JFIT, JKFIT = "def2-universal-jfit", "def2-universal-jkfit"


def _engine(molecule, method, basis="def2-SVP", driver="energy", **keywords):
    level = PYSCF.level(Model(method=method, basis=basis), {"grid_level": 1, **keywords})
    return PYSCF.prepare(molecule, level, Resources(), lambda _line: None).compute(molecule.geometry, driver)


def _by_hand(molecule, method, basis="def2-svp", fit=None, only_dfj=None, disp=None):
    from pyscf import dft, gto

    mol = gto.M(
        atom=list(zip(molecule.symbols, molecule.geometry.tolist(), strict=True)),
        unit="Bohr",
        basis=basis,
        ecp=basis,
        charge=molecule.molecular_charge,
        spin=molecule.molecular_multiplicity - 1,
        verbose=0,
    )
    mf = (dft.UKS if mol.spin else dft.RKS)(mol, xc=method)
    if fit is not None:
        mf = mf.density_fit(auxbasis=fit, only_dfj=only_dfj)
    mf.grids.level, mf.nlcgrids.level, mf.init_guess, mf.conv_tol = 1, 0, "atom", 1e-8
    if disp:
        mf.disp = disp
    return mf


@pytest.mark.parametrize(
    ("molecule", "method", "keywords", "fit", "only_dfj", "disp"),
    [
        (WATER, "r2scan", {"dispersion": "d4"}, JFIT, None, "d4"),
        (AMIDOGEN, "pbe0", {"dispersion": "d3bj"}, JKFIT, None, "d3bj"),
        (WATER, "b3lyp", {"density_fit": "coulomb"}, JFIT, True, None),
        (AMIDOGEN, "pbe0", {"density_fit": False}, None, None, None),
        (WATER, "wb97x-v", {}, JKFIT, None, None),
        (WATER, "hse06", {}, JKFIT, None, None),
        (COPPER_HYDRIDE, "pbe", {"dispersion": "d3bj"}, JFIT, None, "d3bj"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_the_energy_is_that_of_a_script_written_by_hand(molecule, method, keywords, fit, only_dfj, disp):
    by_hand = _by_hand(molecule, method, fit=fit, only_dfj=only_dfj, disp=disp)
    by_hand.kernel()
    result = _engine(molecule, method, **keywords)
    assert by_hand.converged
    assert result.energy == pytest.approx(by_hand.e_tot, abs=SAME_CALL)
    assert sum(attempt.cycles for attempt in result.scf) <= by_hand.cycles + 1


def test_a_core_potential_comes_with_its_basis_set():
    by_hand = _by_hand(Molecule(symbols=("Ag", "H"), geometry=[[0, 0, 0], [0, 0, 3.1]]), "pbe", fit=JFIT)
    by_hand.kernel()
    result = _engine(Molecule(symbols=("Ag", "H"), geometry=[[0, 0, 0], [0, 0, 3.1]]), "pbe")
    assert result.energy == pytest.approx(by_hand.e_tot, abs=SAME_CALL)


@pytest.mark.parametrize(
    ("model", "solvent"), [("iefpcm", "water"), ("cpcm", "dichloromethane"), ("smd", "acetonitrile")]
)
def test_a_solvent_gives_the_energy_of_a_script_written_by_hand(model, solvent):
    from pyscf.solvent.smd import solvent_db

    gas = _by_hand(WATER, "pbe", fit=JFIT)
    if model == "smd":
        by_hand = gas.SMD()
        by_hand.with_solvent.solvent = solvent
    else:
        by_hand = gas.PCM()
        by_hand.with_solvent.method = {"iefpcm": "IEF-PCM", "cpcm": "C-PCM"}[model]
        by_hand.with_solvent.eps = solvent_db[solvent][5]
    by_hand.kernel()
    result = _engine(WATER, "pbe", solvent=solvent, solvent_model=model)
    assert result.energy == pytest.approx(by_hand.e_tot, abs=SAME_CALL)
    assert result.energy < _engine(WATER, "pbe").energy - 0.003


def test_the_gradient_in_a_solvent_is_the_slope_of_its_energy():
    keywords = {"solvent": "water", "grid_level": 4, "conv_tol": 1e-9}
    gradient = _engine(WATER, "pbe", driver="gradient", **keywords).gradient
    step = 5e-3
    moved = [WATER.geometry.copy() for _ in range(2)]
    moved[0][1, 0] += step
    moved[1][1, 0] -= step
    ahead, behind = (_engine(WATER.moved(each), "pbe", **keywords).energy for each in moved)
    assert gradient[1, 0] == pytest.approx((ahead - behind) / (2 * step), abs=5e-5)


def test_a_smaller_basis_set_prepares_the_density_and_changes_no_number():
    plain, prepared = (
        _engine(COPPER_HYDRIDE, "pbe", "def2-TZVP"),
        _engine(COPPER_HYDRIDE, "pbe", "def2-TZVP", guess_basis="def2-SVP"),
    )
    assert prepared.energy == pytest.approx(plain.energy, abs=1e-7)
    in_full = [attempt.cycles for attempt in prepared.scf if not attempt.strategy.startswith("def2-SVP: ")]
    assert sum(in_full) < sum(attempt.cycles for attempt in plain.scf)
    assert prepared.scf[0].strategy.startswith("def2-SVP: ")


@pytest.mark.parametrize(
    ("method", "keywords", "complaint"),
    [
        ("pbe", {"density_fit": "coulomb"}, "is for hybrids"),
        ("pbe", {"solvent": "watre"}, "did you mean 'water'"),
        ("pbe", {"solvent": "xyz"}, "for instance water"),
        ("pbe", {"solvent_model": "smd"}, "without a solvent"),
        ("pbe", {"solvent": "water", "solvent_model": "smd"}, "takes Ag for lighter elements"),
        ("pbe", {"guess_basis": "def2-TZVP"}, "not smaller"),
        ("pbe", {"guess_basis": "STO-3G"}, "another core of Ag"),
        ("pbe", {"smearing": [0.001, 0.01]}, "does not fall"),
        ("pbe", {"electronic_temperature_k": 0}, "greater than 0"),
    ],
)
def test_settings_that_contradict_one_another_are_refused(method, keywords, complaint):
    silver_hydride = Molecule(symbols=("Ag", "H"), geometry=[[0, 0, 0], [0, 0, 3.1]])
    with pytest.raises(InputError, match=complaint) as caught:
        _engine(silver_hydride, method, **keywords)
    assert "\n" not in str(caught.value)


def test_kinds_of_functionals_are_told_apart():
    assert [name for name in ("pbe", "r2scan", "tpss", "m06-2x") if is_meta(name)] == ["r2scan", "tpss", "m06-2x"]
    assert [name for name in ("pbe0", "b3lyp", "wb97x-v", "hse06") if is_range_separated(name)] == ["wb97x-v", "hse06"]
