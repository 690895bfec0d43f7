"""Excited states are those of PySCF called by hand, none is missed, and what has none is refused at once."""

from __future__ import annotations

import numpy as np
import pytest

from qcdriver.engines import find
from qcdriver.errors import ConvergenceError, InputError
from qcdriver.models.excitations import ExcitationRequest
from qcdriver.models.level import Model, Resources
from qcdriver.models.molecule import Molecule
from qcdriver.models.outcomes import WarningCode
from qcdriver.units import ANGSTROM

PYSCF = find("pyscf")
SAME_CALL = 2e-6
"""Hartree, beside PySCF: excitation energies are first order in what the SCF leaves unconverged."""


def molecule(*atoms, **more):
    places = np.array([place for _, place in atoms]) / ANGSTROM
    return Molecule(symbols=tuple(symbol for symbol, _ in atoms), geometry=places, **more)


FORMALDEHYDE = molecule(("C", (0, 0, 0)), ("O", (0, 0, 1.21)), ("H", (0.94, 0, -0.59)), ("H", (-0.94, 0, -0.59)))
GOLD_CHLORIDE = molecule(("Au", (0, 0, 0)), ("Cl", (0, 0, 2.25)))
WATER = molecule(("O", (0, 0, 0)), ("H", (0, 0.76, 0.59)), ("H", (0, -0.76, 0.59)))
IMIDOGEN = molecule(("N", (0, 0, 0)), ("H", (0, 0, 1.04)))
AMIDOGEN = molecule(("N", (0, 0, 0)), ("H", (0, 0.8, 0.6)), ("H", (0, -0.8, 0.6)), molecular_multiplicity=2)


def excited(molecule, method, basis, approximation="tda", n_states=3, up_to=None, **keywords):
    request = ExcitationRequest(
        approximation=approximation, n_states=None if up_to else n_states, up_to=up_to, max_states=30
    )
    level = PYSCF.level(Model(method=method, basis=basis), {"grid_level": 0, "conv_tol": 1e-10, **keywords})
    PYSCF.check_excitations(molecule, level.model, PYSCF.keywords(level.keywords), request)
    return PYSCF.prepare(molecule, level, Resources(), lambda _line: None).excite(molecule.geometry, request)


def by_hand(molecule, method, basis):
    """Converge PySCF's own RKS object with the same fit, guess and grid."""
    from pyscf import dft, gto

    atoms = list(zip(molecule.symbols, molecule.geometry.tolist(), strict=True))
    ecp = basis if basis == "LANL2DZ" else {}
    mol = gto.M(atom=atoms, unit="Bohr", basis=basis, ecp=ecp, verbose=0)
    fit = "def2-universal-jfit" if method == "pbe" else "def2-universal-jkfit"
    mean_field = dft.RKS(mol, xc=method).density_fit(auxbasis=fit)
    mean_field.grids.level, mean_field.init_guess, mean_field.conv_tol = 0, "atom", 1e-10
    mean_field.kernel()
    return mean_field


@pytest.mark.parametrize("approximation", ["tda", "tddft"])
@pytest.mark.parametrize("method", ["pbe", "pbe0"])
@pytest.mark.parametrize(
    ("molecule", "basis"), [(FORMALDEHYDE, "6-31G"), (GOLD_CHLORIDE, "LANL2DZ")], ids=["CH2O", "AuCl"]
)
def test_energies_and_strengths_are_those_of_pyscf_called_by_hand(molecule, basis, method, approximation):
    mean_field = by_hand(molecule, method, basis)
    response = mean_field.TDA() if approximation == "tda" else mean_field.TDDFT()
    response.nstates, response.conv_tol = 12, 1e-6  # more than are compared, so that PySCF misses none of those
    response.kernel()
    found = excited(molecule, method, basis, approximation)
    assert found.n_unconverged == 0
    assert [state.energy for state in found.states] == pytest.approx(response.e[:3], abs=SAME_CALL)
    strengths = [state.oscillator_strength for state in found.states]
    assert sum(strengths) == pytest.approx(response.oscillator_strength()[:3].sum(), abs=1e-5)
    assert found.result.energy == pytest.approx(mean_field.e_tot, abs=1e-8)


def test_no_state_is_missed_where_pyscf_itself_misses_one():
    """Of formaldehyde's three lowest singlets by PBE0/def2-SVP, beside all eigenvalues of the whole matrix."""
    mean_field = by_hand(FORMALDEHYDE, "pbe0", "def2-svp")
    product, diagonal = mean_field.TDA().gen_vind()
    whole = np.linalg.eigvalsh(product(np.eye(diagonal.size)))
    found = excited(FORMALDEHYDE, "pbe0", "def2-SVP")
    assert [state.energy for state in found.states] == pytest.approx(whole[:3], abs=SAME_CALL)


def test_the_first_state_of_formaldehyde_is_from_the_lone_pair_into_the_double_bond_and_dark():
    first = excited(FORMALDEHYDE, "pbe0", "6-31G", n_states=1).states[0]
    assert first.oscillator_strength < 1e-6
    assert (first.pairs[0].occupied, first.pairs[0].empty) == (0, 0)
    assert first.pairs[0].weight > 0.95
    carbon, oxygen, *_ = first.electrons_gained
    assert carbon > 0.3
    assert oxygen < -0.2


def test_all_states_of_a_small_basis_have_weights_and_strengths_that_add_up():
    """Water in STO-3G: 5 occupied and 2 empty orbitals."""
    found = excited(WATER, "pbe", "STO-3G", n_states=10)
    assert len(found.states) == 10
    assert 0 < sum(state.oscillator_strength for state in found.states) < 10
    for state in found.states:
        dipole = (state.transition_dipole**2).sum()
        assert state.oscillator_strength == pytest.approx(2 / 3 * state.energy * dipole)
        assert sum(pair.weight for pair in state.pairs) == pytest.approx(1, abs=0.06)
        assert state.electrons_gained.sum() == pytest.approx(0, abs=1e-10)


def test_all_states_up_to_an_energy_are_found_though_fewer_orbitals_lie_so_close():
    """A hybrid's excitations lie below its orbital gaps, from which the first number of states is taken."""
    many = [state.energy for state in excited(GOLD_CHLORIDE, "bhandhlyp", "LANL2DZ", n_states=12).states]
    up_to = (many[8] + many[9]) / 2
    found = excited(GOLD_CHLORIDE, "bhandhlyp", "LANL2DZ", up_to=up_to)
    assert [state.energy for state in found.states] == pytest.approx(many[:9], abs=SAME_CALL)


def test_the_electrons_of_a_solvent_follow_and_its_nuclei_do_not():
    """The permittivity that responds is the square of toluene's refractive index, not water's, which PySCF has."""
    from pyscf.solvent.smd import solvent_db

    mean_field = by_hand(FORMALDEHYDE, "pbe", "6-31G").PCM()
    mean_field.with_solvent.method, mean_field.with_solvent.eps = "IEF-PCM", solvent_db["toluene"][5]
    mean_field.kernel()
    response = mean_field.TDA(equilibrium_solvation=False)
    response.with_solvent.eps = 1.4961**2
    response.with_solvent.build()
    response.nstates = 8
    response.kernel()
    found = excited(FORMALDEHYDE, "pbe", "6-31G", solvent="toluene")
    assert [state.energy for state in found.states] == pytest.approx(response.e[:3], abs=1e-6)


def test_a_ground_state_that_is_none_is_told():
    """The closed shell of NH, whose two highest electrons share one of two like orbitals: an excited state of it."""
    found = excited(IMIDOGEN, "pbe0", "6-31G", n_states=2)
    assert [warning.code for warning in found.result.warnings] == [WarningCode.LOWER_STATE]
    assert "an excited singlet lies -0.7" in found.result.warnings[0].sentence
    assert all(state.energy > 0 for state in found.states)
    with pytest.raises(ConvergenceError, match="the ground state is not stable"):
        excited(IMIDOGEN, "pbe0", "6-31G", "tddft", n_states=2)


@pytest.mark.parametrize(
    ("molecule", "method", "keywords", "n_states", "complaint"),
    [
        (AMIDOGEN, "pbe", {}, 3, "singlets of a closed shell here, not of multiplicity 2"),
        (WATER, "pbe", {"unrestricted": True}, 3, "not of spins that are parted"),
        (WATER, "pbe", {"electronic_temperature_k": 1000}, 3, "leave out electronic_temperature_k"),
        (WATER, "pbe", {}, 11, "11 excited states are more than 'STO-3G' has: 5 occupied and 2 empty .* make 10"),
    ],
)
def test_what_has_no_excited_states_here_is_refused_before_any_computation(
    molecule, method, keywords, n_states, complaint
):
    request = ExcitationRequest(approximation="tda", n_states=n_states)
    with pytest.raises(InputError, match=complaint):
        PYSCF.check_excitations(molecule, Model(method=method, basis="STO-3G"), PYSCF.keywords(keywords), request)


@pytest.mark.parametrize("engine", ["xtb", "tblite"])
def test_an_engine_without_excited_states_says_so(engine):
    request = ExcitationRequest(approximation="tda", n_states=1)
    with pytest.raises(InputError, match=f"no excited states by tda with {engine}, which computes none"):
        find(engine).check_excitations(WATER, Model(method="GFN1-xTB"), find(engine).keywords({}), request)


def test_excited_states_need_more_memory_than_the_ground_state_and_are_refused_where_it_is_not_there():
    level = Model(method="pbe", basis="def2-TZVP"), PYSCF.keywords({})
    request = ExcitationRequest(approximation="tda", n_states=100)
    ground = PYSCF.estimate(FORMALDEHYDE, *level, Resources())
    needs = PYSCF.estimate_excitations(FORMALDEHYDE, *level, request, Resources())
    assert needs.memory_mb > ground.memory_mb
    little = Resources(memory_mb=ground.memory_mb + 1)
    assert "fewer states" in PYSCF.estimate_excitations(FORMALDEHYDE, *level, request, little).too_large
    assert any("100 excited states" in line for line in needs.lines())
