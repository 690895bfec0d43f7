"""What a converged DFT result says beside its energy: spin, charges, orbitals, a free energy that is named so."""

from __future__ import annotations

import numpy as np
import pytest

from qcdriver.engines import find
from qcdriver.engines.pyscf.properties import ORBITAL_WINDOW_EV, write_frontier_cubes, write_molden
from qcdriver.errors import InputError
from qcdriver.models.level import Model, Resources
from qcdriver.models.molecule import Molecule
from qcdriver.units import EV, KELVIN

PYSCF = find("pyscf")
SVP = Model(method="pbe", basis="def2-SVP")
OXYGEN = Molecule(symbols=("O", "O"), geometry=[[0, 0, 0], [0, 0, 2.28]], molecular_multiplicity=3)
WATER = Molecule(symbols=("O", "H", "H"), geometry=[[0, 0, 0], [1.5, 1.1, 0], [-1.5, 1.1, 0.1]])
SILVER_CHLORIDE = Molecule(symbols=("Ag", "Cl"), geometry=[[0.1, 0, 0], [0.3, 0.5, 4.3]])


def _compute(molecule, driver="energy", model=SVP, resources=None, **keywords):
    level = PYSCF.level(model, {"grid_level": 1, **keywords})
    calculation = PYSCF.prepare(molecule, level, resources or Resources(), lambda _line: None)
    return calculation.compute(molecule.geometry, driver)


def test_the_spin_of_an_open_shell_is_told_and_a_closed_shell_has_none():
    assert _compute(OXYGEN).spin_square == pytest.approx(2.0, abs=0.02)
    assert _compute(WATER).spin_square is None


def test_hirshfeld_charges_add_up_and_are_smaller_than_ionic():
    # Water: -0.33 and +0.16 e at BLYP, doi:10.1002/jcc.20114; a def2-SVP basis moves them by a few hundredths.
    charges = _compute(WATER).hirshfeld_charges
    assert charges.sum() == pytest.approx(0, abs=1e-8)
    assert charges[0] == pytest.approx(-0.31, abs=0.06)
    assert charges[1] == pytest.approx(charges[2], abs=0.01)


def test_hirshfeld_charges_leave_out_the_cores_that_potentials_replace():
    result = _compute(SILVER_CHLORIDE, model=Model(method="pbe", basis="LANL2DZ"))
    assert 0.1 < result.hirshfeld_charges[0] < 0.8
    anion = Molecule(symbols=("O", "H"), geometry=[[0, 0, 0], [0, 0, 1.83]], molecular_charge=-1)
    assert _compute(anion).hirshfeld_charges.sum() == pytest.approx(-1, abs=1e-8)


def test_orbitals_around_the_gap_belong_to_it():
    result = _compute(OXYGEN)
    up, down = (np.array(spin) for spin in result.orbitals.energies)
    occupied = [np.array(spin) > 0.5 for spin in result.orbitals.occupations]
    assert max(up[occupied[0]].max(), down[occupied[1]].max()) == result.homo
    assert min(up[~occupied[0]].min(), down[~occupied[1]].min()) == result.lumo
    assert occupied[0].sum() - occupied[1].sum() == 2
    assert min(up.min(), down.min()) >= result.homo - ORBITAL_WINDOW_EV / EV
    assert list(up) == sorted(up)


def test_at_a_temperature_the_energy_is_the_free_energy_and_is_named_so():
    from pyscf import dft, gto

    kelvin = 20000.0
    result = _compute(WATER, electronic_temperature_k=kelvin, dispersion="d3bj")
    atoms = list(zip(WATER.symbols, WATER.geometry.tolist(), strict=True))
    mol = gto.M(atom=atoms, unit="Bohr", basis="def2-svp", verbose=0)
    mf = dft.RKS(mol, xc="pbe").density_fit(auxbasis="def2-universal-jfit")
    mf.grids.level = 1
    smeared = mf.smearing(sigma=kelvin / KELVIN, method="fermi")
    smeared.kernel()
    mf.disp = "d3bj"
    assert result.energy == pytest.approx(smeared.e_free + mf.get_dispersion(), abs=1e-7)
    assert result.entropy_term == pytest.approx(smeared.e_free - smeared.e_tot, abs=1e-6)
    assert result.entropy_term < -1e-4
    assert _compute(WATER).entropy_term is None


def test_the_gradient_at_a_temperature_is_the_slope_of_the_free_energy():
    hot = {"electronic_temperature_k": 15000.0, "grid_level": 4, "conv_tol": 1e-9}
    gradient = _compute(WATER, "gradient", **hot).gradient
    step = np.zeros((3, 3))
    step[1, 0] = 5e-3
    ahead, behind = (_compute(WATER.moved(WATER.geometry + sign * step), **hot).energy for sign in (1, -1))
    assert gradient[1, 0] == pytest.approx((ahead - behind) / 1e-2, abs=5e-5)


def test_a_hot_electron_gas_keeps_its_spin():
    assert _compute(OXYGEN, electronic_temperature_k=5000.0).spin_square > 1.9


def test_frontier_orbitals_of_a_kept_checkpoint_become_cube_files(tmp_path):
    path = tmp_path / "triplet.chk"
    _compute(OXYGEN, resources=Resources(checkpoint=str(path), keep_checkpoint=True))
    written = write_frontier_cubes(path, tmp_path / "triplet", spacing_angstrom=0.4)
    assert [each.name for each in written] == [
        f"triplet-{orbital}-{spin}.cube" for spin in ("up", "down") for orbital in ("homo", "lumo")
    ]
    lines = written[0].read_text().splitlines()
    assert int(lines[2].split()[0]) == 2
    steps = [[float(word) for word in lines[axis].split()] for axis in (3, 4, 5)]
    values = np.array(" ".join(lines[8:]).split(), dtype=float)
    volume = abs(np.linalg.det([step[1:] for step in steps]))
    assert (values**2).sum() * volume == pytest.approx(1, abs=0.05)  # one orbital, one electron


def test_a_molden_file_holds_all_orbitals_of_both_spins(tmp_path):
    from pyscf.tools import molden

    path = tmp_path / "triplet.chk"
    result = _compute(OXYGEN, resources=Resources(checkpoint=str(path), keep_checkpoint=True))
    written = write_molden(path, tmp_path / "triplet")
    assert written.name == "triplet.molden"
    mol, energies, orbitals, occupations, _, spins = molden.load(str(written))
    assert {spin.lower() for spin in np.ravel(spins)} == {"alpha", "beta"}
    assert [int(np.sum(each)) for each in occupations] == [9, 7]
    overlap = mol.intor("int1e_ovlp")
    for of_spin in orbitals:
        np.testing.assert_allclose(of_spin.T @ overlap @ of_spin, np.eye(of_spin.shape[1]), atol=1e-5)
    occupied = [energy for energy, n in zip(np.ravel(energies), np.ravel(occupations), strict=True) if n > 0]
    assert max(occupied) == pytest.approx(result.homo, abs=1e-5)


def test_no_molden_file_is_written_of_functions_that_it_cannot_hold(tmp_path):
    from pyscf import dft, gto

    mean_field = dft.RKS(gto.M(atom="Ne 0 0 0", basis={"Ne": "sto-3g"}, verbose=0), xc="pbe")
    mean_field.mol = gto.M(atom="Ne 0 0 0", basis="cc-pv5z", verbose=0)
    mean_field.chkfile = str(tmp_path / "ne.chk")
    mean_field.kernel()
    with pytest.raises(InputError, match="functions beyond g"):
        write_molden(tmp_path / "ne.chk", tmp_path / "ne")


def test_no_cube_is_written_of_an_scf_that_was_not_done(tmp_path):
    (tmp_path / "empty.chk").write_bytes(b"")
    with pytest.raises(InputError, match="no checkpoint"):
        write_frontier_cubes(tmp_path / "empty.chk", tmp_path / "empty")


def test_hirshfeld_charges_from_tabulated_free_atoms_are_those_from_their_basis_functions():
    from pyscf import dft, gto
    from pyscf.dft import gen_grid, numint

    from qcdriver.engines.pyscf.hirshfeld import hirshfeld_charges

    mol = gto.M(
        atom="Ag 0 0 0; P 2.4 0 0; H 2.9 1.3 0; H 2.9 -.6 1.1; H 2.9 -.6 -1.1; Cl -2.3 .2 0",
        basis="def2-svp",
        ecp={"Ag": "def2-svp"},
        verbose=0,
    )
    mean_field = dft.RKS(mol, xc="pbe").density_fit(auxbasis="def2-universal-jfit")
    mean_field.grids.level = 0
    mean_field.max_cycle = 3
    mean_field.kernel()
    grids = gen_grid.Grids(mol)
    grids.level = 0
    grids.build()
    values = numint.eval_ao(mol, grids.coords)
    atoms = mean_field.init_guess_by_atom()
    free = np.array(
        [
            np.einsum("gi,ij,gj->g", values[:, i:j], atoms[i:j, i:j], values[:, i:j]).clip(0)
            for i, j in mol.aoslice_by_atom()[:, 2:]
        ]
    )
    electrons = np.einsum("gi,ij,gj->g", values, mean_field.make_rdm1(), values) * grids.weights
    total = free.sum(axis=0)
    populations = (free * np.divide(electrons, total, out=np.zeros_like(total), where=total > 1e-15)).sum(axis=1)
    expected = mol.atom_charges() - populations * mol.nelectron / populations.sum()
    np.testing.assert_allclose(hirshfeld_charges(mean_field), expected, atol=1e-6)
