"""What a DFT calculation needs is estimated from tables; what cannot fit is refused at once, with what would."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from qcdriver import engines
from qcdriver.engines import find
from qcdriver.engines.base import Gpu
from qcdriver.engines.pyscf.estimate import count_grid_points
from qcdriver.errors import ResourceError
from qcdriver.models.level import Model, Resources
from qcdriver.models.molecule import Molecule
from qcdriver.systems.au13ag12.model import RodModel, build_rod

PYSCF = find("pyscf")
BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "memory.py"
WATER = Molecule(symbols=("O", "H", "H"), geometry=[[0, 0, 0], [1.5, 1.1, 0], [-1.5, 1.1, 0.1]])
LINED_UP = [[0, 0, 0], [1.43, 1.1, 0], [-1.43, 1.1, 0]]


def _expect(molecule, method="pbe", basis="def2-SVP", memory_mb=8000, device="cpu", **keywords):
    level = PYSCF.level(Model(method=method, basis=basis), keywords)
    return engines.estimate(molecule, level, Resources(memory_mb=memory_mb, device=device, threads=2))


def test_sizes_are_those_of_the_calculation_that_pyscf_sets_up():
    from pyscf import df, dft, gto

    atoms = list(zip(WATER.symbols, WATER.geometry.tolist(), strict=True))
    mol = gto.M(atom=atoms, unit="Bohr", basis="def2-svp", verbose=0)
    grids = dft.gen_grid.Grids(mol)
    grids.level = 2
    grids.build()
    plan = _expect(WATER, grid_level=2)
    assert plan.n_basis_functions == mol.nao
    assert plan.n_auxiliary_functions == df.addons.make_auxmol(mol, "def2-universal-jfit").nao
    assert plan.n_grid_points == pytest.approx(grids.weights.size, rel=0.1)
    assert plan.tensor_mb == pytest.approx(mol.nao * (mol.nao + 1) / 2 * plan.n_auxiliary_functions * 8 / 2**20, abs=1)


def test_the_full_cluster_is_known_for_what_it_is_before_anything_is_computed():
    full = build_rod(RodModel(phosphine="PPh3"))
    pure, hybrid = _expect(full), _expect(full, "pbe0")
    assert pure.n_basis_functions == 4382
    assert pure.tensor_mb > 900_000  # a terabyte: the fit of a pure functional does without
    assert not pure.stores_tensor
    assert pure.memory_mb < 20_000
    assert "density_fit = 'coulomb' stores no tensor" in hybrid.too_large
    assert _expect(full, "pbe0", memory_mb=20_000, density_fit="coulomb").too_large is None


@pytest.mark.parametrize("model", ["iefpcm", "smd"])
def test_a_solvent_s_cavity_counts(model):
    from pyscf import dft, gto

    mol = gto.M(atom=list(zip(WATER.symbols, WATER.geometry.tolist(), strict=True)), unit="Bohr", verbose=0)
    solvated = dft.RKS(mol).SMD() if model == "smd" else dft.RKS(mol).PCM()
    solvated.with_solvent.solvent = "water"  # which SMD's radii depend on
    solvated.with_solvent.build()
    plan = _expect(WATER, solvent="water", solvent_model=model)
    assert plan.n_cavity_points == len(solvated.with_solvent.surface["grid_coords"])
    assert plan.memory_mb > _expect(WATER).memory_mb


def test_a_cavity_that_does_not_fit_is_named():
    full = _expect(build_rod(RodModel(phosphine="PPh3")), memory_mb=64_000, solvent="dichloromethane")
    assert "are the solvent's cavity" in full.too_large
    assert full.n_cavity_points > 30_000


def test_fitted_integrals_are_kept_where_they_fit_and_give_the_same_number_where_they_do_not():
    waters = Molecule(
        symbols=WATER.symbols * 4,
        geometry=[[x + 5.5 * (i % 2), y + 5.5 * (i // 2), z] for i in range(4) for x, y, z in LINED_UP],
    )
    kept, direct = _expect(waters, memory_mb=4000), _expect(waters, memory_mb=1)
    assert (kept.stores_tensor, direct.stores_tensor) == (True, False)
    assert direct.memory_mb < kept.memory_mb
    level = PYSCF.level(Model(method="pbe", basis="def2-SVP"), {"grid_level": 0})
    energies = [
        PYSCF.prepare(waters, level, Resources(memory_mb=memory_mb), lambda _line: None)
        .compute(waters.geometry, "energy")
        .energy
        for memory_mb in (4000, direct.memory_mb)
    ]
    assert energies[0] == pytest.approx(energies[1], abs=1e-8)


def test_what_does_not_fit_is_refused_before_any_integral_with_what_would():
    level = PYSCF.level(Model(method="pbe0", basis="def2-SVP"))
    with pytest.raises(ResourceError, match=r"need about \d+ MB, and 50 MB are allowed; .* memory_mb = \d+") as caught:
        PYSCF.prepare(WATER, level, Resources(memory_mb=50), lambda _line: None)
    assert "\n" not in str(caught.value)


def test_a_gpu_too_small_is_refused_as_well(monkeypatch):
    monkeypatch.setattr("qcdriver.engines.pyscf.engine.gpus", lambda: (Gpu("small", 500, 500),))
    plan = _expect(WATER, device="gpu")
    assert not plan.stores_tensor
    assert "on the GPU, which has 500 MB" in plan.too_large


def test_a_tensor_too_large_for_the_gpu_lies_in_the_host_s_memory_and_one_too_large_for_both_is_refused(monkeypatch):
    full = build_rod(RodModel(phosphine="PH3"))
    kept, spilled = [], []
    for total_mb, found in ((10**6, kept), (8000, spilled)):
        monkeypatch.setattr("qcdriver.engines.pyscf.engine.gpus", lambda: (Gpu("a GPU", total_mb, total_mb),))  # noqa: B023
        found += [_expect(full, "pbe0", memory_mb=10**6, device="gpu"), _expect(full, "pbe0", device="gpu")]
    assert kept[0].gpu_memory_mb - spilled[0].gpu_memory_mb == pytest.approx(kept[0].tensor_mb, abs=2)
    assert spilled[0].memory_mb - kept[0].memory_mb == pytest.approx(kept[0].tensor_mb, abs=2)
    assert kept[1].too_large is spilled[0].too_large is None
    assert "8000 MB are allowed; density_fit = 'coulomb' stores no tensor" in spilled[1].too_large
    assert _expect(full, "pbe0", device="gpu", density_fit="coulomb").too_large is None


def test_a_cavity_whose_matrices_fill_the_gpu_is_done_without_them(monkeypatch):
    rod = build_rod(RodModel(phosphine="PH3"))
    monkeypatch.setattr("qcdriver.engines.pyscf.engine.gpus", lambda: (Gpu("a GPU", 12_000, 12_000),))
    plain, solvated = (_expect(rod, device="gpu", solvent=each) for each in (None, "dichloromethane"))
    assert plain.stores_cavity
    assert not solvated.stores_cavity
    assert solvated.too_large is None
    assert solvated.gpu_memory_mb == plain.gpu_memory_mb


def test_finer_grids_and_more_threads_are_counted():
    counts = [count_grid_points(WATER, level) for level in range(5)]
    assert counts == sorted(counts)
    assert _expect(WATER, grid_level=4).cycle_s >= _expect(WATER, grid_level=1).cycle_s


@pytest.mark.parametrize(("waters", "method"), [(2, "pbe"), (6, "pbe0")])
def test_the_peak_of_memory_is_within_a_fifth_of_what_was_foretold(waters, method):
    command = [sys.executable, str(BENCHMARK), "--only", f"{waters} {method} def2-SVP"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert 0.8 < float(said.splitlines()[-1].split()[-1]) < 1.2
