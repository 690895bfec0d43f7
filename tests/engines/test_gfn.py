"""The tables of the GFN methods and what they refuse, against tblite's own."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from qcdriver import compute, engines, level
from qcdriver.engines import find
from qcdriver.engines.checks import spelled
from qcdriver.engines.gfn import N_VALENCE, n_orbitals
from qcdriver.errors import ConvergenceError, InputError, UnphysicalError
from qcdriver.models.base import ELEMENTS
from qcdriver.models.level import Model, Resources
from qcdriver.models.molecule import Molecule
from qcdriver.models.outcomes import WarningCode
from qcdriver.systems.au13ag12.model import RodModel, build_rod


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
        engines.check(_atom("Ar"), level)


def test_a_basis_is_not_for_tight_binding():
    with pytest.raises(InputError, match="its own minimal basis"):
        engines.check(_atom("Ar"), find("tblite").level(Model(method="GFN2-xTB", basis="def2-SVP")))


def test_gfn_ff_prints_nothing_not_even_when_the_process_ends():
    if lack := find("xtb").missing():
        pytest.skip(lack)
    script = (
        "from qcdriver.engines import find; from qcdriver.models.level import Model, Resources\n"
        "from qcdriver.models.molecule import Molecule\n"
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


@pytest.mark.parametrize("word", ["GFN2-xTB", "gfn2-xtb", "GFN2", "gfn2xtb", "GFN2-XTB"])
def test_a_method_has_one_spelling_in_levels_whatever_the_users(word):
    assert find("tblite").level(Model(method=word)).model.method == "GFN2-xTB"
    assert spelled("", ["xtb"]) == ""
    assert engines.choose("auto", word).level(Model(method=word)).model.method == "GFN2-xTB"


@pytest.mark.parametrize(("scale", "off", "codes"), [(0.965, 2e-7, []), (0.9685, 2e-6, [WarningCode.MEAN_GRADIENT])])
def test_the_gradient_of_a_squeezed_gold_core_is_the_slope_of_its_energy(scale, off, codes):
    """libxtb's own is infinite here: the coordination number of the middle gold atoms is 11.9, and 11.78."""
    rod = build_rod(RodModel(phosphine="PH3"))
    rod = rod.moved(scale * rod.geometry)
    if lack := find("xtb").missing():
        pytest.skip(lack)
    calculation = find("xtb").prepare(rod, find("xtb").level(Model(method="GFN1-xTB")), Resources(), print)
    result = calculation.compute(rod.geometry, "gradient")
    assert [warning.code for warning in result.warnings] == codes
    along = np.random.default_rng(0).normal(size=rod.geometry.shape)
    along *= 0.01 / np.linalg.norm(along)
    energies = [calculation.compute(rod.geometry + side * along, "energy").energy for side in (1, -1)]
    assert (result.gradient * along).sum() == pytest.approx((energies[0] - energies[1]) / 2, abs=off)


def iron_cluster():
    """Thirteen atoms of a cubic crystal, on which libxtb's SCC at 300 K does not converge in 250 cycles."""
    corners = [(i, j, k) for i in (-1, 0, 1) for j in (-1, 0, 1) for k in (-1, 0, 1) if abs(i) + abs(j) + abs(k) == 2]
    places = 1.8 / 0.529177 * np.array([(0, 0, 0), *corners])
    return Molecule(symbols=("Fe",) * 13, geometry=places, molecular_multiplicity=3)


def test_an_scc_that_fails_at_its_temperature_gets_there_from_a_higher_one_and_says_so():
    if lack := find("xtb").missing() or find("tblite").missing():
        pytest.skip(lack)
    iron = iron_cluster()
    # In a worker, which has one thread for the matrices: with two, xtb rounds otherwise and its SCC gets there at once.
    found = {name: compute(iron, level("GFN2-xTB", engine=name), threads=1) for name in ("xtb", "tblite")}
    assert [(each.strategy, each.converged) for each in found["xtb"].scf] == [
        ("SCC at 300 K from a fresh guess", False),
        ("SCC at 1000 K from a fresh guess", True),
        ("SCC at 600 K from 1000 K", True),
        ("SCC at 300 K from 600 K", True),
    ]
    # tblite's other mixer needs no such way, and its number is the same state's at 300 K.
    assert found["tblite"].scf == ()
    assert found["xtb"].energy == pytest.approx(found["tblite"].energy, abs=1e-6)


def test_after_a_way_round_the_next_scc_is_at_the_levels_temperature_again():
    if lack := find("xtb").missing():
        pytest.skip(lack)
    iron, level = iron_cluster(), find("xtb").level(Model(method="GFN2-xTB"))
    calculation = find("xtb").prepare(iron, level, Resources(), print)
    first = calculation.compute(iron.geometry, "energy")
    again = calculation.compute(iron.geometry, "energy")
    assert again.scf == ()  # from the last wavefunction
    assert again.energy == pytest.approx(first.energy, abs=1e-6)


@pytest.mark.parametrize("engine", ["xtb", "tblite"])
def test_an_scc_in_which_the_electrons_collapse_to_one_atom_is_no_number(engine):
    if lack := find(engine).missing():
        pytest.skip(lack)
    golden = (1 + 5**0.5) / 2
    shell = np.array([(0, i, j * golden) for i in (1, -1) for j in (1, -1)])
    shell = np.vstack([shell, shell[:, [2, 0, 1]], shell[:, [1, 2, 0]]])
    places = np.vstack([[0, 0, 0], 2.76 * shell / np.linalg.norm(shell[0])]) / 0.529177
    gold = Molecule(symbols=("Au",) * 13, geometry=places, molecular_charge=5)
    level = find(engine).level(Model(method="GFN2-xTB"))
    with pytest.raises(UnphysicalError, match=r"a charge of -6\.\d\d on atom 0 \(Au\)"):
        find(engine).prepare(gold, level, Resources(), print).compute(gold.geometry, "energy")


def test_what_no_way_helps_lists_all_that_were_tried():
    iron, level = iron_cluster(), find("tblite").level(Model(method="GFN2-xTB"), {"max_iterations": 2})
    with pytest.raises(ConvergenceError, match="did not converge in 2 cycles, by any of 3 routes") as failure:
        find("tblite").prepare(iron, level, Resources(), print).compute(iron.geometry, "energy")
    assert [each["strategy"] for each in failure.value.history] == [
        "SCC at 300 K from a fresh guess",
        "SCC at 300 K, damping 0.1, memory of 20 from a fresh guess",
        "SCC at 1000 K, damping 0.1, memory of 20 from a fresh guess",
    ]


def test_a_gradient_starts_no_program(monkeypatch):
    """Starting one takes longer than the gradient of a small molecule."""
    water = Molecule(symbols=("O", "H", "H"), geometry=np.array([[0.0, 0, 0], [1.8, 0, 0], [-0.45, 1.75, 0]]))
    engine = find("xtb")
    calculation = engine.prepare(water, engine.level(Model(method="GFN1-xTB")), Resources(), lambda line: None)
    calculation.compute(water.geometry, "gradient")

    def refused(*words, **options):
        raise AssertionError(f"{words} {options} was started")

    monkeypatch.setattr(subprocess, "Popen", refused)
    calculation.compute(1.01 * water.geometry, "gradient")
