"""Infrared intensities: as ASE computes them, as PySCF's analytic Hessian gives them, and where no origin matters."""

from __future__ import annotations

import numpy as np
import pytest

from qcdriver.engines import find
from qcdriver.models.level import Convergence, Model, Resources
from qcdriver.models.molecule import Molecule
from qcdriver.models.outcomes import Frequencies, Result
from qcdriver.models.tasks import Vibrations
from qcdriver.optimize.relax import relax
from qcdriver.optimize.vibrations import vibrations
from qcdriver.units import ANGSTROM

TIGHT = Convergence(max_force=2e-5, energy_change=1e-9, max_steps=200)
WATER = Molecule(symbols=("O", "H", "H"), geometry=[[0, 0, 0], [1.8, 0, 0], [-0.4, 1.75, 0]])
HYDRONIUM = Molecule(
    symbols=("O", "H", "H", "H"),
    geometry=[[0, 0, 0.3], [1.75, 0, -0.2], [-0.875, 1.516, -0.2], [-0.875, -1.516, -0.2]],
    molecular_charge=1,
)
AMU_PER_DEBYE_ANGSTROM = 42.2561
"""Km/mol of one (debye/Angstrom)^2 per amu (Wilson, Decius, Cross)."""


def computed(engine, model, molecule, relaxed=True, **keywords):
    """Relax a molecule, and compute its vibrations."""
    level = engine.level(model, keywords)

    def calculation(of):
        return engine.prepare(of, level, Resources(), lambda line: None)

    if relaxed:
        molecule = relax(molecule, calculation(molecule), TIGHT).molecule
    task = Vibrations(molecule=molecule, level=level)
    return molecule, vibrations(task, calculation(molecule), lambda line: None)


@pytest.mark.parametrize("start", [WATER, HYDRONIUM], ids=["water", "hydronium"])
def test_intensities_are_those_of_ase_with_the_same_method(start, tmp_path):
    """A charged molecule's dipole depends on its origin; the vibration leaves the centre of mass where it is."""
    from ase import Atoms
    from ase.vibrations import Infrared

    if missing := find("tblite").missing():
        pytest.skip(missing)
    molecule, found = computed(find("tblite"), Model(method="GFN1-xTB"), start)
    calculator = pytest.importorskip("tblite.ase").TBLite(method="GFN1-xTB", charge=start.molecular_charge, verbosity=0)
    atoms = Atoms(molecule.symbols, molecule.geometry * ANGSTROM, calculator=calculator)
    theirs = Infrared(atoms, name=str(tmp_path / "ase"), delta=0.005 * ANGSTROM)
    theirs.run()
    theirs.read()
    internal = 3 * len(molecule.symbols) - 6
    order = np.argsort(theirs.get_frequencies().real)[-internal:]
    known = np.array(theirs.intensities)[order] * AMU_PER_DEBYE_ANGSTROM
    assert found.intensities_km_mol == pytest.approx(known, rel=0.02, abs=0.5)
    assert max(found.intensities_km_mol) > 50


def analytic(molecule, basis):
    """Km/mol, from PySCF's Hessian by its derivatives, and dipoles at geometries displaced here."""
    from pyscf import gto
    from pyscf.hessian import thermo

    def field(geometry):
        atoms = list(zip(molecule.symbols, geometry, strict=True))
        found = gto.M(atom=atoms, unit="Bohr", basis=basis, verbose=0).RHF()
        found.conv_tol = 1e-12
        found.kernel()
        return found

    middle = field(molecule.geometry)
    modes = thermo.harmonic_analysis(middle.mol, middle.Hessian().kernel())["norm_mode"]  # per sqrt(amu)
    change = np.zeros((*molecule.geometry.shape, 3))
    for place in np.ndindex(*molecule.geometry.shape):
        shift = np.zeros_like(molecule.geometry)
        shift[place] = 0.01
        ahead, behind = (field(molecule.geometry + way * shift).dip_moment(unit="AU", verbose=0) for way in (1, -1))
        change[place] = (ahead - behind) / 0.02
    of_modes = np.einsum("mai,aix->mx", modes, change)
    return 974.8801 * (of_modes**2).sum(axis=1)  # of e^2/amu


def test_intensities_are_those_of_pyscfs_analytic_hessian():
    engine = find("pyscf")
    if missing := engine.missing():
        pytest.skip(missing)
    molecule, found = computed(engine, Model(method="hf", basis="6-31G*"), WATER, conv_tol=1e-10, density_fit=False)
    assert found.intensities_km_mol == pytest.approx(analytic(molecule, "6-31G*"), rel=5e-3)


class Silent:
    """Springs, and no dipole."""

    def compute(self, geometry, driver):
        vector = geometry[1] - geometry[0]
        pull = 0.3 * (1 - 2.1 / np.linalg.norm(vector)) * vector
        return Result(energy=0.0, gradient=np.array([-pull, pull]))


def test_without_dipoles_there_are_no_intensities_and_the_record_is_as_it_was():
    nitrogen = Molecule(symbols=("N", "N"), geometry=[[0, 0, 0], [0, 0, 2.1]])
    task = Vibrations(molecule=nitrogen, level=find("tblite").level(Model(method="GFN1-xTB")))
    found = vibrations(task, Silent(), lambda line: None)
    assert found.intensities_km_mol is None
    assert "intensities_km_mol" not in found.model_dump(mode="json")
    again = Frequencies.model_validate_json(found.model_dump_json())
    assert again == found
