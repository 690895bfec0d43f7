"""Free energies of small molecules: against measured entropies, against PySCF, and in the limits that are known."""

from __future__ import annotations

import numpy as np
import pytest
from ase.build import molecule as from_ase

from qcdriver.models.molecule import Molecule
from qcdriver.optimize.free_energy import Treatment, free_energy
from qcdriver.units import ANGSTROM, KCAL_MOL, KELVIN

JOULE = KCAL_MOL * 4184
"""One hartree in joule per mole."""
# Measured fundamentals, 1/cm (Shimanouchi, NSRDS-NBS 39, 1972), and entropies at 298.15 K and 1 bar, J/(mol K)
# (CODATA key values for thermodynamics, 1989; methane: NIST Chemistry WebBook).
MEASURED = {
    "H2O": ((1595, 3657, 3756), 188.835),
    "CO2": ((667, 667, 1333, 2349), 213.785),
    "N2": ((2330,), 191.609),
    "NH3": ((950, 1627, 1627, 3337, 3444, 3444), 192.770),
    "CH4": ((1306, 1306, 1306, 1534, 1534, 2917, 3019, 3019, 3019), 186.25),
}


def molecule(name: str) -> Molecule:
    atoms = from_ase(name)
    return Molecule(symbols=tuple(atoms.get_chemical_symbols()), geometry=atoms.positions / ANGSTROM)


def entropy(name: str, wavenumbers) -> float:
    found = free_energy(molecule(name), np.array(wavenumbers, dtype=float), 298.15, Treatment())
    return -found.entropy_term / 298.15 * JOULE


@pytest.mark.parametrize("name", MEASURED)
def test_entropies_are_the_measured_ones(name):
    wavenumbers, measured = MEASURED[name]
    at_one_atmosphere = measured - 8.314 * np.log(1.01325)
    assert entropy(name, wavenumbers) == pytest.approx(at_one_atmosphere, abs=0.5)  # bonds by MP2 are a little longer


@pytest.mark.parametrize("temperature", [200.0, 298.15, 1000.0])
def test_hard_vibrations_give_what_pyscf_gives(temperature):
    from pyscf import gto
    from pyscf.data import nist
    from pyscf.hessian import thermo

    water, wavenumbers = molecule("H2O"), np.array([1595.0, 3657.0, 3756.0])
    atoms = list(zip(water.symbols, water.geometry, strict=True))
    field = gto.M(atom=atoms, unit="B", basis="sto-3g", verbose=0).RHF()
    field.kernel()
    in_its_units = 2 * np.pi * wavenumbers * nist.LIGHT_SPEED_SI * 100
    in_its_units *= (nist.ATOMIC_MASS * nist.BOHR_SI**2 / nist.HARTREE2J) ** 0.5
    there = thermo.thermo(field, in_its_units, temperature, 101325)
    here = free_energy(water, wavenumbers, temperature, Treatment())
    assert here.gibbs == pytest.approx(there["G_tot"][0] - field.e_tot, abs=2e-6)  # its masses are of one isotope
    assert here.zero_point == pytest.approx(there["ZPE"][0], abs=1e-8)


def test_a_mole_per_litre_is_24_5_times_denser_than_an_ideal_gas_at_one_atmosphere_and_25_degrees():
    gas, solution = (
        free_energy(molecule("H2O"), np.array([1595.0, 3657, 3756]), 298.15, Treatment(standard_state=state))
        for state in ("1 atm", "1 M")
    )
    assert solution.gibbs - gas.gibbs == pytest.approx(298.15 / KELVIN * np.log(24.4654), abs=1e-7)


def test_a_soft_vibration_has_the_entropy_of_a_free_rotation_and_a_raised_one_that_of_the_cut_off():
    soft, softer = (entropy("H2O", (cm, 3657, 3756)) for cm in (2.0, 1.0))
    assert 0 < softer - soft < 4  # a harmonic vibration gains R ln 2 = 5.76 J/(mol K) with every halving
    hard = np.array([100.0, 3657, 3756])
    raised = [free_energy(molecule("H2O"), hard * [x, 1, 1], 298.15, Treatment()).gibbs_raised for x in (0.1, 0.9)]
    assert raised[0] == raised[1]


@pytest.mark.parametrize(("wavenumber", "temperature"), [(-50.0, 298.15), (0.0, 298.15), (50.0, 0.0), (50.0, -1.0)])
def test_an_imaginary_mode_or_a_temperature_of_zero_has_no_free_energy(wavenumber, temperature):
    with pytest.raises(ValueError, match="must be positive"):
        free_energy(molecule("H2O"), np.array([wavenumber, 3657, 3756]), temperature, Treatment())


@pytest.mark.filterwarnings("error")
def test_near_absolute_zero_the_zero_point_is_left_and_nothing_overflows():
    water = free_energy(molecule("H2O"), np.array([1595.0, 3657.0, 3756.0]), 1.0, Treatment())
    vibrating = water.enthalpy - 4 / KELVIN  # 3/2 kT each for translation and rotation, and kT
    assert vibrating == pytest.approx(water.zero_point, rel=1e-12)
