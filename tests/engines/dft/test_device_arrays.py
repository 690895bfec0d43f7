"""What lives on the card is fetched before NumPy meets it, and leaves it in time; tried without a card.

PySCF on the CPU stands in for gpu4pyscf: its results are arrays that, as CuPy's, NumPy cannot read. So this tests
qcdriver's own lines, not gpu4pyscf.
"""

from __future__ import annotations

import gc
import sys
import types

import numpy as np
import pytest
from pyscf import dft, lib

from qcdriver.engines import find
from qcdriver.schema import Model, Molecule, Resources

PYSCF = find("pyscf")
WATER = Molecule(symbols=("O", "H", "H"), geometry=[[0, 0, 0], [1.5, 1.1, 0], [-1.5, 1.1, 0.1]])
OXYGEN = Molecule(symbols=("O", "O"), geometry=[[0, 0, 0], [0, 0, 2.28]], molecular_multiplicity=3)
DICARBON = Molecule(symbols=("C", "C"), geometry=[[0, 0, 0], [0, 0, 2.36]])
PBE, HARTREE_FOCK = Model(method="pbe", basis="def2-SVP"), Model(method="hf", basis="6-31G")
STATE = ("mo_energy", "mo_coeff", "mo_occ")
NUMBERS = (
    "energy entropy_term gradient homo lumo gap spin_square stable dipole mulliken_charges hirshfeld_charges".split()
)


class OnCard:
    """An array on the card: only `get` brings it back; attributes may be tied to it."""

    def __init__(self, array, **tags):
        self._array = np.array(array)
        vars(self).update(tags)

    def get(self):
        return self._array.copy()

    @property
    def ndim(self):
        return self._array.ndim

    def __array__(self, *_, **__):
        raise TypeError("Implicit conversion to a NumPy array is not allowed")

    def __float__(self):
        return float(self._array)


def up(value):
    return OnCard(value) if isinstance(value, (np.ndarray, np.floating)) else value


def down(value):
    return value.get() if isinstance(value, OnCard) else value


def run_on_card(scf, solve, *arguments):
    told = scf.callback
    scf.callback = lambda variables: told and told({name: up(value) for name, value in variables.items()})
    try:
        solve(*map(down, arguments))
    finally:
        scf.callback = told
    for name in STATE:
        setattr(scf, name, up(getattr(scf, name)))


class Dressed:
    """A PySCF mean field with its results on the card."""

    __name_mixin__ = "OnCard"

    def density_fit(self, **words):
        return dressed(lib.view(self, lib.drop_class(type(self), Dressed)).density_fit(**words))

    def kernel(self, dm0=None):
        run_on_card(self, super().kernel, dm0)

    def newton(self):
        second = super().newton()
        solve = second.kernel

        def kernel(mo_coeff=None, mo_occ=None, dm0=None):
            given = [each for each in (mo_coeff, mo_occ, dm0) if each is not None]
            if not all(isinstance(each, OnCard) for each in given):
                raise TypeError("Unsupported type <class 'numpy.ndarray'>")  # as CuPy has it
            run_on_card(second, solve, mo_coeff, mo_occ, dm0)

        second.kernel = kernel
        return second

    def make_rdm1(self, mo_coeff=None, mo_occ=None, **words):
        orbitals = self.mo_coeff if mo_coeff is None else mo_coeff
        occupations = self.mo_occ if mo_occ is None else mo_occ
        density = super().make_rdm1(down(orbitals), down(occupations), **words)
        return OnCard(density, mo_coeff=orbitals, mo_occ=occupations) if isinstance(orbitals, OnCard) else density

    def canonicalize(self, mo_coeff, mo_occ, fock=None):
        done = super().canonicalize(down(mo_coeff), down(mo_occ), down(fock))
        return tuple(map(up, done)) if isinstance(mo_coeff, OnCard) else done

    def energy_tot(self, dm=None, *rest):
        return super().energy_tot(down(dm), *rest)

    def to_cpu(self):
        there = self.copy()
        for name in STATE:
            setattr(there, name, down(getattr(there, name)))
        return there

    def nuc_grad_method(self):
        return super(Dressed, self.to_cpu()).nuc_grad_method()


def dressed(mean_field):
    return lib.set_class(mean_field, (Dressed, type(mean_field)))


@pytest.fixture
def card(monkeypatch):
    """A machine with the stand-in for gpu4pyscf."""
    kinds = {"RKS": lambda mol, xc: dressed(dft.RKS(mol, xc)), "UKS": lambda mol, xc: dressed(dft.UKS(mol, xc))}
    monkeypatch.setitem(sys.modules, "gpu4pyscf", types.SimpleNamespace(dft=types.SimpleNamespace(**kinds)))
    monkeypatch.setitem(sys.modules, "cupy", types.SimpleNamespace(asarray=OnCard))
    monkeypatch.setattr("qcdriver.engines.dft.engine.gpu4pyscf_version", lambda: "1.9.0")
    monkeypatch.setattr("qcdriver.engines.dft.engine.gpu_missing", lambda: None)
    monkeypatch.setattr("qcdriver.engines.dft.engine.gpus", lambda: ())


def prepare(molecule, model, device, keywords, **resources):
    level = PYSCF.level(model, {"grid_level": 1, **keywords}, device)
    return PYSCF.prepare(molecule, level, Resources(device=device, **resources), lambda _line: None)


@pytest.mark.parametrize(
    ("molecule", "model", "driver", "keywords"),
    [
        (WATER, PBE, "gradient", {"dispersion": "d3bj", "guess_basis": "STO-3G"}),
        (OXYGEN, PBE, "gradient", {}),
        (WATER, PBE, "energy", {"solvent": "water", "electronic_temperature_k": 5000.0}),
        (DICARBON, HARTREE_FOCK, "energy", {"density_fit": False, "stability": True}),
    ],
    ids=["closed shell", "open shell", "solvent and temperature", "an unstable state, followed down"],
)
@pytest.mark.usefixtures("card")
def test_everything_asked_of_a_state_on_the_card_is_what_the_cpu_gives(tmp_path, molecule, model, driver, keywords):
    path = str(tmp_path / "kept.chk")
    there, here = (
        prepare(molecule, model, device, keywords, **kept).compute(molecule.geometry, driver)
        for device, kept in (("gpu", {"checkpoint": path, "keep_checkpoint": True}), ("cpu", {}))
    )
    assert (there.device, here.device) == ("gpu", "cpu")
    for name in NUMBERS:
        value, other = getattr(here, name), getattr(there, name)
        assert (other is None) == (value is None)
        if value is not None:
            np.testing.assert_allclose(other, value, atol=1e-5, err_msg=name)
    assert there.orbitals.occupations == pytest.approx(np.array(here.orbitals.occupations), abs=1e-4)
    again = prepare(molecule, model, "cpu", keywords, checkpoint=path).compute(molecule.geometry, "energy")
    assert again.energy == pytest.approx(there.energy, abs=1e-7)
    assert again.scf[0].strategy.endswith("from its checkpoint")


@pytest.mark.usefixtures("card")
def test_a_geometry_that_is_done_leaves_the_card_at_once():
    calculation = prepare(WATER, PBE, "gpu", {"guess_basis": "STO-3G"})
    calculation.compute(WATER.geometry, "energy")
    gc.collect()
    gc.disable()  # what waits for it keeps the card's memory, of which Python knows nothing
    try:
        calculation.compute(WATER.geometry, "energy")
        assert not [each for each in gc.get_objects() if isinstance(each, Dressed)]
    finally:
        gc.enable()
