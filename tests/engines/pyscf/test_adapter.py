"""What `adapter` changes inside PySCF still reaches its SCF; when it does not, the message says what has moved."""

from __future__ import annotations

from importlib.metadata import version

import numpy as np
import pytest
from pyscf import dft, gto
from pyscf.dft import numint

from qcdriver.engines.pyscf import adapter

RISE = 0.01
"""Hartree an electron, by which a multiple of the overlap added to a Hamiltonian must raise the energy."""


@pytest.fixture
def water():
    mol = gto.M(atom="O 0 0 0; H 0 0.76 0.59; H 0 -0.76 0.59", basis="sto-3g", verbose=0)
    mean_field = dft.RKS(mol, xc="pbe").density_fit(auxbasis="def2-universal-jfit")
    mean_field.grids.level = 0
    return mean_field


def energy(mean_field):
    return mean_field.copy().kernel()


def keep_core_hamiltonian(mean_field, _monkeypatch):
    before = energy(mean_field)
    adapter.keep_core_hamiltonian(mean_field)
    kept = mean_field.get_hcore()
    kept += RISE * mean_field.get_ovlp()
    return energy(mean_field) - before == pytest.approx(RISE * mean_field.mol.nelectron, abs=1e-8)


def add_fixed_potential(mean_field, _monkeypatch):
    shifted = adapter.add_fixed_potential(mean_field, RISE * mean_field.get_ovlp())
    return energy(shifted) - energy(mean_field) == pytest.approx(RISE * mean_field.mol.nelectron, abs=1e-8)


def limit_grid_block(mean_field, monkeypatch):
    sizes = []
    plain = numint.NumInt.block_loop

    def watched(*arguments, **words):
        for block in plain(*arguments, **words):
            sizes.append(len(block[2]))
            yield block

    monkeypatch.setattr(numint.NumInt, "block_loop", watched)
    points = 4 * dft.gen_grid.BLKSIZE
    adapter.limit_grid_block(mean_field, points)
    energy(mean_field)
    return bool(sizes) and max(sizes) <= points


def store_integrals(mean_field, _monkeypatch):
    fit = mean_field.with_df
    allowed = fit.max_memory = 1
    adapter.store_integrals(fit, 100)
    return isinstance(fit._cderi, np.ndarray) and fit.max_memory == allowed


def continue_diis(mean_field, _monkeypatch):
    scf = mean_field.copy()
    scf.kernel()
    density, fock = scf.make_rdm1(), scf.get_fock()
    asked, held = [], []
    scf = mean_field.copy()
    scf.diis_start_cycle = 0
    adapter.continue_diis(scf, lambda first: asked.append(first) or [(density, fock)])
    scf.callback = lambda words: held.append(words["mf_diis"].get_num_vec())
    scf.kernel()
    return len(asked) == 1 and held[0] == 2


def exchange_correlation_potential(mean_field, _monkeypatch):
    density = mean_field.get_init_guess()
    found = adapter.exchange_correlation_potential(mean_field, density)
    expected = mean_field.get_veff(dm=density) - mean_field.get_j(dm=density)
    return found == pytest.approx(expected, abs=1e-10)


def density_on_grid(mean_field, _monkeypatch):
    mean_field.kernel()
    electrons = adapter.density_on_grid(mean_field, mean_field.grids) @ mean_field.grids.weights
    return electrons == pytest.approx(mean_field.mol.nelectron, abs=0.01)


def apply_in_pieces(mean_field, _monkeypatch):
    mean_field.kernel()
    plain, method, said = mean_field.TDA(), mean_field.TDA(), []
    plain.nstates = method.nstates = 3
    width = adapter.apply_in_pieces(method, 2, said.append)
    plain.kernel()
    method.kernel()
    return width == 10 and len(said) > 3 and method.e == pytest.approx(plain.e, abs=1e-8)


def range_separation(mean_field, _monkeypatch):
    mean_field.xc = "camb3lyp"
    return adapter.range_separation(mean_field) == pytest.approx((0.33, 0.65, 0.19))


CHECKS = (
    keep_core_hamiltonian,
    add_fixed_potential,
    limit_grid_block,
    store_integrals,
    continue_diis,
    exchange_correlation_potential,
    range_separation,
    density_on_grid,
    apply_in_pieces,
)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_what_is_changed_inside_pyscf_is_still_there(check, water, monkeypatch):
    try:
        works = check(water, monkeypatch)
    except (AttributeError, TypeError, KeyError) as error:
        works = False
        print(f"{type(error).__name__}: {error}")
    assert works, (
        f"PySCF {version('pyscf')} has moved what qcdriver.engines.pyscf.adapter.{check.__name__} relies on: mend it, "
        "or bound pyscf below this version in pyproject.toml"
    )


def test_every_function_of_the_adapter_is_checked():
    own = {name for name, value in vars(adapter).items() if getattr(value, "__module__", "") == adapter.__name__}
    assert own == {check.__name__ for check in CHECKS}
