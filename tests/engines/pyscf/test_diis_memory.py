"""DIIS goes on where it was when the grid changes."""

from __future__ import annotations

import pytest
from pyscf import dft, gto

from qcdriver.engines.pyscf.diis_memory import DiisMemory
from qcdriver.engines.pyscf.keywords import PyscfKeywords
from qcdriver.engines.pyscf.mean_field import coarse
from qcdriver.engines.pyscf.scf_ladder import Start, converge, prepare
from qcdriver.engines.pyscf.scf_strategies import ladder

PLAIN = ladder(PyscfKeywords(scf_ladder=("diis",)))


def _silent(line: str) -> None:
    del line


def _mean_field(atoms: str, spin: int):
    mol = gto.M(atom=atoms, basis="lanl2dz", ecp="lanl2dz", spin=spin, verbose=0)
    mean_field = (dft.UKS if spin else dft.RKS)(mol, xc="pbe").density_fit(auxbasis="def2-universal-jfit")
    mean_field.grids.level = 2
    mean_field.init_guess = "atom"
    return mean_field


@pytest.mark.parametrize(
    ("atoms", "spin"),
    [("Au 0 0 0; Au 2.7 0 0; Au 1.35 2.4 0; Cl 1.4 0.8 2.2", 0), ("Cu 0 0 0; Cl 0 0 2.05; Cl 0 0.3 -2.05", 1)],
    ids=["closed shell", "open shell"],
)
def test_what_diis_learned_on_a_coarse_grid_saves_cycles_on_the_fine_one(atoms, spin):
    fine, lines = _mean_field(atoms, spin), []
    start, _ = prepare(coarse(fine), None, PLAIN, lines.append, "coarse grid")
    assert lines[0].startswith("coarse grid: SCF cycle 1  E = -")
    forgetful, (without,) = converge(fine, Start(start.density, "the coarse grid"), PLAIN, _silent)
    found, (with_memory,) = converge(fine, start, PLAIN, _silent)
    assert with_memory.cycles < without.cycles
    assert found.e_tot == pytest.approx(forgetful.e_tot, abs=1e-8)


def test_the_memory_outlives_one_use():
    fine = _mean_field("Cu 0 0 0; Cl 0 0 2.1", 0)
    start, _ = prepare(coarse(fine), None, PLAIN, _silent, "coarse grid")
    (_, (first,)), (_, (second,)) = (converge(fine, start, PLAIN, _silent) for _ in range(2))
    assert (first.cycles, first.energy) == (second.cycles, pytest.approx(second.energy, abs=1e-10))


def test_all_fock_matrices_move_as_that_of_the_last_density_did():
    told = []

    class Diis:
        def get_num_vec(self):
            return len(told)

        def update(self, overlap, density, fock):
            told.append((density, fock))

    scf = type("Scf", (), {"DIIS": Diis})()
    memory = DiisMemory()
    for density, fock in ((1.0, 10.0), (2.0, 20.0)):
        memory.add(density, fock)
    memory.teach(scf)
    scf.DIIS().update(None, 2.0, 20.5)
    assert told == [(1.0, 10.5), (2.0, 20.5)]
