"""Relaxation with DFT: its minimum under a constraint is PySCF's own, and an SCF that does not converge ends it."""

from __future__ import annotations

import pytest

from qcdriver.engines import find
from qcdriver.errors import ConvergenceError
from qcdriver.models.coordinates import Torsion, held
from qcdriver.models.level import Convergence, Model, Resources
from qcdriver.models.molecule import Molecule
from qcdriver.optimize.relax import relax
from qcdriver.units import ANGSTROM, EV, EV_PER_ANGSTROM

PYSCF = find("pyscf")
PEROXIDE = Molecule(
    symbols=("O", "O", "H", "H"),
    geometry=[[0, 0, 1.37], [0, 0, -1.37], [-0.6, 1.7, 1.7], [1.8, 0.0, -1.7]],
)
TORSION = Torsion(kind="dihedral", quadruples=((2, 0, 1, 3),))
UNTIL = Convergence(max_force=2e-4, energy_change=1e-6, max_steps=50)
HELD_DEG = 105.0


def prepare(**keywords):
    level = PYSCF.level(Model(method="pbe", basis="sto-3g"), {"grid_level": 3, **keywords})
    return PYSCF.prepare(PEROXIDE, level, Resources(), lambda _line: None)


def bare_minimum():
    """Energy of the constrained minimum by ASE's constraint and optimiser over bare PySCF; hartree."""
    from ase import Atoms
    from ase.calculators.calculator import Calculator
    from ase.constraints import FixInternals
    from ase.optimize import BFGS
    from pyscf import dft, gto

    mol = gto.M(
        atom=list(zip(PEROXIDE.symbols, PEROXIDE.geometry, strict=True)), unit="Bohr", basis="sto-3g", verbose=0
    )
    scanner = dft.RKS(mol, xc="pbe").density_fit(auxbasis="def2-universal-jfit").nuc_grad_method().as_scanner()

    class Bare(Calculator):
        implemented_properties = ["energy", "forces"]  # noqa: RUF012

        def calculate(self, atoms=None, properties=None, system_changes=()):
            super().calculate(atoms, properties, system_changes)
            energy, gradient = scanner(mol.set_geom_(atoms.positions / ANGSTROM, unit="Bohr", inplace=False))
            self.results = {"energy": energy * EV, "forces": -gradient * EV_PER_ANGSTROM}

    atoms = Atoms(PEROXIDE.symbols, positions=PEROXIDE.geometry * ANGSTROM, calculator=Bare())
    atoms.set_dihedral(2, 0, 1, 3, HELD_DEG)
    atoms.set_constraint(FixInternals(dihedrals_deg=[[HELD_DEG, [2, 0, 1, 3]]]))
    BFGS(atoms, logfile=None).run(fmax=0.01, steps=100)
    return atoms.get_potential_energy() / EV


def test_the_minimum_under_a_held_torsion_is_that_of_bare_pyscf_and_ase():
    relaxed = relax(PEROXIDE, prepare(), UNTIL, targets=[held(TORSION, HELD_DEG)])
    assert relaxed.reached == pytest.approx([HELD_DEG], abs=1e-5)
    assert relaxed.max_force <= UNTIL.max_force
    assert relaxed.result.energy == pytest.approx(bare_minimum(), abs=2e-6)
    free = relax(PEROXIDE, prepare(), UNTIL)
    assert free.result.energy < relaxed.result.energy - 1e-5


def test_each_scf_of_a_relaxation_starts_from_the_last_geometry():
    relaxed = relax(PEROXIDE, prepare(grid_level=1), UNTIL, targets=[held(TORSION, HELD_DEG)])
    assert [attempt.strategy for attempt in relaxed.result.scf] == ["DIIS from the last geometry"]


def test_an_scf_that_does_not_converge_ends_the_relaxation_with_its_history():
    with pytest.raises(ConvergenceError, match="the SCF did not converge in 1 attempts") as caught:
        relax(PEROXIDE, prepare(max_cycle=2, scf_ladder=["diis"]), UNTIL, targets=[held(TORSION, HELD_DEG)])
    assert caught.value.history[0]["strategy"] == "DIIS"


def test_the_net_force_of_a_rough_grid_does_not_keep_it_from_its_end():
    """Formic acid: no step lowers a net force, and 41 gradients were needed where 6 do."""
    formic = Molecule(
        symbols=("C", "O", "O", "H", "H"),
        geometry=[[0, 0.79, 0], [-1.95, -0.83, 0], [2.19, 0.21, 0], [-0.72, 2.74, 0], [-3.55, 0.06, 0]],
    )
    level = PYSCF.level(Model(method="pbe", basis="sto-3g"), {"grid_level": 1})
    calculation = PYSCF.prepare(formic, level, Resources(), lambda _line: None)
    relaxed = relax(formic, calculation, UNTIL)
    assert relaxed.n_gradients < 15


def test_one_that_was_killed_goes_on_with_its_last_density(tmp_path):
    level = PYSCF.level(Model(method="pbe", basis="sto-3g"), {"grid_level": 1})
    resources, lines = Resources(checkpoint=str(tmp_path / "a.chk"), keep_checkpoint=True), []

    class KilledError(BaseException):
        pass

    def told(line):
        lines.append(line)
        if line.startswith("step 2"):
            raise KilledError

    calculation = PYSCF.prepare(PEROXIDE, level, resources, lines.append)
    with pytest.raises(KilledError):
        relax(PEROXIDE, calculation, UNTIL, progress=told, steps_file=tmp_path / "a.steps")
    lines.clear()
    calculation = PYSCF.prepare(PEROXIDE, level, resources, lines.append)
    found = relax(PEROXIDE, calculation, UNTIL, progress=lines.append, steps_file=tmp_path / "a.steps")
    assert found.resumed_after >= 3
    assert "SCF starts from its checkpoint" in lines
    whole = relax(PEROXIDE, PYSCF.prepare(PEROXIDE, level, Resources(), lambda _line: None), UNTIL)
    assert found.result.energy == pytest.approx(whole.result.energy, abs=1e-6)
    assert whole.n_cycles is not None
    assert found.n_cycles <= whole.n_cycles + 5
