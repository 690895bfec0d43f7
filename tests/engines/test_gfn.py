"""The tables of the GFN methods and what they refuse, against tblite's own."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from qcdriver.engines import find
from qcdriver.engines.gfn import N_VALENCE, n_orbitals
from qcdriver.errors import InputError
from qcdriver.schema import ELEMENTS, Model, Molecule, Resources


def _atom(symbol, charge=0, multiplicity=None):
    number = ELEMENTS.index(symbol) + 1
    multiplicity = multiplicity or 1 + (number - charge) % 2
    return Molecule(
        symbols=(symbol,), geometry=[[0, 0, 0]], molecular_charge=charge, molecular_multiplicity=multiplicity
    )


@pytest.mark.parametrize("method", ["GFN1-xTB", "GFN2-xTB"])
def test_orbitals_of_every_element_are_those_of_tblite(method):
    interface = pytest.importorskip("tblite.interface")
    for number, symbol in enumerate(ELEMENTS[:86], start=1):
        calculator = interface.Calculator(method, np.array([number]), np.zeros((1, 3)), uhf=number % 2)
        assert n_orbitals(_atom(symbol), method) == len(calculator.get("orbital-map")), symbol


@pytest.mark.parametrize("symbol", ["H", "C", "Cl", "Fe", "Zn", "Ag", "Xe", "Gd", "Au", "Hg", "Bi"])
def test_valence_electrons_are_those_of_tblite(symbol):
    interface = pytest.importorskip("tblite.interface")
    number = ELEMENTS.index(symbol) + 1
    valence = N_VALENCE[number - 1]
    # hydrogens around make every element closed-shell and easy to converge
    positions = np.vstack([[0, 0, 0], 20.0 * np.eye(3)[: 1 + valence % 2]])
    calculator = interface.Calculator(
        "GFN1-xTB", np.array([number, *[1] * (1 + valence % 2)]), positions, uhf=(valence + 1 + valence % 2) % 2
    )
    calculator.set("verbosity", 0)
    calculator.set("temperature", 0.02)
    occupations = calculator.singlepoint()["orbital-occupations"]
    assert occupations.sum() == pytest.approx(valence + 1 + valence % 2)


@pytest.mark.parametrize("engine", ["xtb", "tblite"])
@pytest.mark.parametrize(
    ("molecule", "complaint"),
    [
        (_atom("U"), "has no U; it ends at Rn"),
        (_atom("He", multiplicity=3), "multiplicity 3 is impossible"),
        (_atom("Ce"), "multiplicity 1 is impossible"),  # its f electron is in the core
    ],
    ids=["beyond radon", "no room for the spin", "an odd number of valence electrons"],
)
def test_what_would_crash_the_library_is_refused(engine, molecule, complaint):
    level = find(engine).level(Model(method="GFN1-xTB"))
    with pytest.raises(InputError, match=complaint):
        find(engine).prepare(molecule, level, Resources(), print)


def test_a_force_field_takes_no_scc_keywords():
    level = find("xtb").level(Model(method="GFN-FF"), {"max_iterations": 10})
    with pytest.raises(InputError, match="GFN-FF has no SCC"):
        find("xtb").check(_atom("Ar"), level)


def test_a_basis_is_not_for_tight_binding():
    with pytest.raises(InputError, match="its own minimal basis"):
        find("tblite").check(_atom("Ar"), find("tblite").level(Model(method="GFN2-xTB", basis="def2-SVP")))


def test_gfn_ff_prints_nothing_not_even_when_the_process_ends():
    if lack := find("xtb").missing():
        pytest.skip(lack)
    script = (
        "from qcdriver.engines import find; from qcdriver.schema import Model, Molecule, Resources\n"
        "h2 = Molecule(symbols=('H', 'H'), geometry=[[0, 0, 0], [0, 0, 1.4]])\n"
        "level = find('xtb').level(Model(method='GFN-FF'))\n"
        "find('xtb').prepare(h2, level, Resources(), print).compute(h2.geometry, 'gradient')\n"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout == ""


def test_gfn_ff_keeps_the_bonds_of_the_first_geometry():
    h2 = Molecule(symbols=("H", "H"), geometry=[[0, 0, 0], [0, 0, 1.4]])
    far = h2.moved(np.array([[0, 0, 0], [0, 0, 3.0]]))
    level = find("xtb").level(Model(method="GFN-FF"))
    if lack := find("xtb").missing():
        pytest.skip(lack)
    kept = find("xtb").prepare(h2, level, Resources(), print).compute(far.geometry, "energy").energy
    fresh = find("xtb").prepare(far, level, Resources(), print).compute(far.geometry, "energy").energy
    assert abs(kept - fresh) > 0.01
