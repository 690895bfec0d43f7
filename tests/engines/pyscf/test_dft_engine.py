"""The DFT engine: restart, spin, errors by what helps, contradictory keywords."""

from __future__ import annotations

import numpy as np
import pytest

from qcdriver.engines import find
from qcdriver.errors import EngineError, InputError, ResourceError
from qcdriver.models.level import Model, Resources
from qcdriver.models.molecule import Molecule

PYSCF = find("pyscf")
PBE = Model(method="pbe", basis="STO-3G")
WATER = Molecule(symbols=("O", "H", "H"), geometry=[[0, 0, 0], [1.5, 1.1, 0], [-1.5, 1.1, 0.1]])
OXYGEN = Molecule(symbols=("O", "O"), geometry=[[0, 0, 0], [0, 0, 2.28]], molecular_multiplicity=3)


def _silent(_line):
    pass


def _prepare(molecule=WATER, model=PBE, device="cpu", progress=_silent, **keywords):
    level = PYSCF.level(model, {"grid_level": 1, **keywords}, device)
    return PYSCF.prepare(molecule, level, Resources(device=device), progress)


def test_the_next_geometry_starts_from_the_last_density():
    calculation = _prepare()
    first = calculation.compute(WATER.geometry, "energy")
    second = calculation.compute(1.001 * WATER.geometry, "energy")
    assert len(first.scf) == len(second.scf) == 1
    assert second.scf[0].cycles < first.scf[0].cycles


@pytest.mark.parametrize("molecule", [WATER, OXYGEN], ids=lambda molecule: molecule.formula)
def test_a_small_molecule_costs_the_cycles_of_pyscf_alone(molecule):
    from pyscf import dft, gto

    mol = gto.M(
        atom=list(zip(molecule.symbols, molecule.geometry.tolist(), strict=True)),
        unit="Bohr",
        basis="def2-svp",
        spin=molecule.molecular_multiplicity - 1,
        verbose=0,
    )
    mf = (dft.UKS if mol.spin else dft.RKS)(mol, xc="pbe").density_fit(auxbasis="def2-universal-jfit")
    mf.grids.level, mf.conv_tol, mf.init_guess = 1, 1e-8, "atom"
    mf.kernel()
    result = _prepare(molecule, Model(method="pbe", basis="def2-SVP")).compute(molecule.geometry, "energy")
    assert [attempt.cycles for attempt in result.scf] == [mf.cycles]
    assert result.energy == pytest.approx(mf.e_tot, abs=1e-8)


@pytest.mark.parametrize(
    ("molecule", "model", "keywords"),
    [
        (WATER, Model(method="pbe", basis="def2-SVP"), {"dispersion": "d3bj"}),
        (OXYGEN, Model(method="r2scan", basis="def2-SVP"), {}),
        (OXYGEN, Model(method="pbe0", basis="STO-3G"), {"electronic_temperature_k": 5000.0}),
        (WATER, Model(method="wb97x-v", basis="STO-3G"), {}),
        (WATER, Model(method="pbe", basis="STO-3G"), {"solvent": "water"}),
    ],
    ids=["RKS", "UKS meta", "hot hybrid", "VV10", "solvent"],
)
def test_the_coarse_grid_that_a_large_molecule_begins_on_leaves_no_trace(molecule, model, keywords, monkeypatch):
    plain = _prepare(molecule, model, **{"grid_level": 2, **keywords}).compute(molecule.geometry, "gradient")
    monkeypatch.setattr("qcdriver.engines.pyscf.mean_field.COARSE_FROM_BASIS_FUNCTIONS", 0)
    begun = _prepare(molecule, model, **{"grid_level": 2, **keywords}).compute(molecule.geometry, "gradient")
    assert begun.energy == pytest.approx(plain.energy, abs=1e-8)
    assert begun.gap == pytest.approx(plain.gap, abs=1e-4)
    np.testing.assert_allclose(begun.gradient, plain.gradient, atol=2e-4)
    rough = [attempt for attempt in begun.scf if attempt.strategy.startswith("coarse grid")]
    assert len(rough) == 2
    on_the_fine_grid = sum(attempt.cycles for attempt in begun.scf) - sum(attempt.cycles for attempt in rough)
    assert on_the_fine_grid <= sum(attempt.cycles for attempt in plain.scf) / 2


def test_a_coarse_grid_that_fails_leaves_the_fine_one_the_last_word(monkeypatch):
    from qcdriver.engines.pyscf.mean_field import coarse

    def hopeless(mean_field):
        rough = coarse(mean_field)
        rough.max_cycle = 1
        return rough

    plain = _prepare(grid_level=2).compute(WATER.geometry, "energy")
    monkeypatch.setattr("qcdriver.engines.pyscf.mean_field.COARSE_FROM_BASIS_FUNCTIONS", 0)
    monkeypatch.setattr("qcdriver.engines.pyscf.engine.coarse", hopeless)
    result = _prepare(grid_level=2).compute(WATER.geometry, "energy")
    assert result.energy == pytest.approx(plain.energy, abs=1e-8)
    assert not any(attempt.converged for attempt in result.scf if attempt.strategy == "coarse grid: DIIS")
    assert (result.scf[-1].strategy, result.scf[-1].converged) == ("DIIS", True)


def test_a_triplet_is_computed_as_a_triplet():
    triplet = _prepare(OXYGEN).compute(OXYGEN.geometry, "gradient")
    singlet = Molecule.model_validate({**OXYGEN.model_dump(), "molecular_multiplicity": 1})
    assert triplet.energy < _prepare(singlet).compute(OXYGEN.geometry, "energy").energy - 0.02
    assert triplet.mulliken_charges == pytest.approx([0, 0], abs=1e-6)


def test_the_orbitals_of_an_open_shell_are_the_highest_filled_and_lowest_empty_of_either_spin():
    from pyscf import dft, gto

    result = _prepare(OXYGEN, density_fit=False).compute(OXYGEN.geometry, "energy")
    mol = gto.M(atom="O 0 0 0; O 0 0 2.28", unit="Bohr", basis="sto-3g", spin=2, verbose=0)
    mf = dft.UKS(mol, xc="pbe")
    mf.grids.level = 1
    mf.kernel()
    assert result.homo == pytest.approx(max(mf.mo_energy[0][8], mf.mo_energy[1][6]), abs=1e-5)
    assert result.lumo == pytest.approx(min(mf.mo_energy[0][9], mf.mo_energy[1][7]), abs=1e-5)


def test_a_person_sees_cycles_and_the_gradient():
    lines = []
    _prepare(progress=lines.append).compute(WATER.geometry, "gradient")
    assert lines[0].startswith("SCF cycle 1  E = -")
    assert lines[-1] == "gradient"


@pytest.mark.parametrize(
    ("model", "keywords", "complaint"),
    [
        (Model(method="pbe"), {}, "needs a basis"),
        (PBE, {"density_fit": False, "auxbasis": "def2-universal-jfit"}, "has no use"),
        (PBE, {"auxbasis": "def2-nothing"}, "unknown or has no functions for H"),
        (PBE, {"scf_ladder": ["smearing", "diis"]}, "not with 'diis'"),
        (PBE, {"dispersion": "d5"}, "dispersion = 'd5': input should be 'd3bj' or 'd4'"),
        (PBE, {"conv_tol": 0}, "conv_tol = 0"),
    ],
)
def test_contradictions_are_refused_before_any_integral(model, keywords, complaint):
    with pytest.raises(InputError, match=complaint):
        _prepare(model=model, **keywords)


def test_a_bare_nucleus_has_nothing_to_compute():
    proton = Molecule(symbols=("H",), geometry=[[0, 0, 0]], molecular_charge=1)
    with pytest.raises(InputError, match="0 electrons"):
        _prepare(proton)


@pytest.mark.parametrize(
    ("failure", "error"),
    [
        (MemoryError(), ResourceError),
        (RuntimeError("cudaErrorMemoryAllocation: out of memory"), ResourceError),  # CuPy's, of large arrays
        (RuntimeError("odd"), EngineError),
    ],
)
def test_errors_say_what_would_help(monkeypatch, failure, error):
    def fail(*_, **__):
        raise failure

    monkeypatch.setattr("qcdriver.engines.pyscf.engine.converge", fail)
    with pytest.raises(error, match="pyscf"):
        _prepare().compute(WATER.geometry, "energy")
