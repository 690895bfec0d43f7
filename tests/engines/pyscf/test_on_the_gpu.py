"""The GPU's numbers are the CPU's, by whichever rung and from whichever start; needs a GPU, or the rehearsal of one.

Small molecules with core potentials; what a real card computes, `tests/device/` checks in breadth.
"""

from __future__ import annotations

import functools
import gc

import numpy as np
import pytest
from pyscf import gto

from qcdriver.engines import find
from qcdriver.engines.pyscf import gpu, gpu_estimate, nuclear_gradient
from qcdriver.engines.pyscf.core_potential_tasks import near_potentials_only
from qcdriver.engines.pyscf.estimate import estimate_needs
from qcdriver.engines.pyscf.keywords import PyscfKeywords
from qcdriver.engines.pyscf.mean_field import build_mean_field
from qcdriver.engines.pyscf.scf_ladder import converge
from qcdriver.engines.pyscf.scf_strategies import ladder
from qcdriver.errors import ResourceError
from qcdriver.execution.local.pool import Pool
from qcdriver.models.excitations import ExcitationRequest
from qcdriver.models.level import Model, Resources
from qcdriver.models.molecule import Molecule
from qcdriver.models.tasks import SinglePoint

PYSCF = find("pyscf")
GOLD_CHLORIDE = Molecule(symbols=("Au", "Cl"), geometry=[[0, 0, 0], [0.3, 0.4, 4.2]])
GOLD_HYDRIDE_CATION = Molecule(
    symbols=("Au", "H"), geometry=[[0, 0, 0], [0.1, 0.2, 2.9]], molecular_charge=1, molecular_multiplicity=2
)
DICARBON = Molecule(symbols=("C", "C"), geometry=[[0, 0, 0], [0, 0, 2.36]])
STRETCHED = Molecule(symbols=("H", "H"), geometry=[[0, 0, 0], [0.2, 0.1, 4.5]])
COPPER_DIMER = Molecule(symbols=("Cu", "Cu"), geometry=[[0, 0, 0], [0.2, 0.1, 4.2]])
UNSTABLE = {"density_fit": False, "stability": True, "conv_tol": 1e-10}
TOLERANCES = {
    "energy": 1e-6,
    "entropy_term": 1e-6,
    "gap": 3e-6,
    "gradient": 1e-5,
    "dipole": 1e-3,
    "spin_square": 1e-5,
    "mulliken_charges": 1e-4,
    "hirshfeld_charges": 1e-4,
}
"""Atomic units: sums on a GPU differ in their last digits, and the SCF is converged to 1e-8 hartree."""

pytestmark = [pytest.mark.gpu, pytest.mark.usefixtures("usable_gpu")]


@pytest.fixture(scope="module")
def usable_gpu():
    """Skip where there is none."""
    gpu._probe.cache_clear()
    if lack := PYSCF.missing("gpu"):
        pytest.skip(lack)


def prepare(molecule, device, method="pbe", basis="LANL2DZ", keywords=None, **kept):
    level = PYSCF.level(Model(method=method, basis=basis), {"grid_level": 0, **(keywords or {})}, device)
    return PYSCF.prepare(molecule, level, Resources(device=device, **kept), lambda _line: None)


def compute(molecule, device, driver="gradient", **case):
    return prepare(molecule, device, **case).compute(molecule.geometry, driver)


@functools.cache
def on_the_cpu():
    return compute(GOLD_CHLORIDE, "cpu")


def assert_same(there, here):
    for name, tolerance in TOLERANCES.items():
        value, other = getattr(here, name), getattr(there, name)
        assert (value is None) == (other is None), name
        if value is not None:
            np.testing.assert_allclose(other, value, atol=tolerance, rtol=0, err_msg=name)
    assert there.stable == here.stable
    assert (there.device, here.device) == ("gpu", "cpu")


@pytest.mark.parametrize(
    ("molecule", "case"),
    [
        (GOLD_CHLORIDE, {"keywords": {"dispersion": "d3bj"}}),
        (GOLD_HYDRIDE_CATION, {"keywords": {"dispersion": "d4"}}),
        (GOLD_CHLORIDE, {"method": "r2scan"}),
        (GOLD_CHLORIDE, {"method": "pbe0"}),
        (GOLD_CHLORIDE, {"method": "b3lyp", "keywords": {"density_fit": False}}),
        (GOLD_CHLORIDE, {"method": "pbe0", "keywords": {"density_fit": "coulomb"}}),
        (GOLD_HYDRIDE_CATION, {"method": "camb3lyp", "keywords": {"density_fit": "coulomb"}}),
        (GOLD_CHLORIDE, {"keywords": {"solvent": "dichloromethane"}}),
        (GOLD_HYDRIDE_CATION, {"keywords": {"solvent": "water", "solvent_model": "cpcm"}}),
        (COPPER_DIMER, {"keywords": {"electronic_temperature_k": 5000.0}}),
        (GOLD_CHLORIDE, {"driver": "energy", "keywords": {"stability": True}}),
        (STRETCHED, {"driver": "energy", "method": "hf", "basis": "def2-SVP", "keywords": UNSTABLE}),
        (DICARBON, {"driver": "energy", "method": "hf", "basis": "6-31G", "keywords": UNSTABLE}),
    ],
    ids=[
        "closed shell",
        "open shell",
        "meta-GGA",
        "hybrid, fitted",
        "hybrid, not fitted",
        "hybrid, only Coulomb fitted",
        "range-separated, only Coulomb fitted, open shell",
        "solvent",
        "solvent, open shell",
        "temperature",
        "a stable state",
        "a closed shell that parts its spins",
        "an unstable state, followed down",
    ],
)
def test_the_gpu_gives_the_numbers_of_the_cpu(molecule, case):
    assert_same(*(compute(molecule, device, **case) for device in ("gpu", "cpu")))


@pytest.mark.parametrize("approximation", ["tda", "tddft"])
@pytest.mark.parametrize(
    ("method", "keywords"),
    [("pbe", {"solvent": "toluene"}), ("pbe0", {}), ("pbe0", {"density_fit": "coulomb"})],
    ids=["pbe in toluene", "pbe0", "pbe0, exact exchange"],
)
def test_excited_states_on_the_gpu_are_those_of_the_cpu(method, keywords, approximation):
    request = ExcitationRequest(approximation=approximation, n_states=3)
    there, here = (
        prepare(GOLD_CHLORIDE, device, method=method, keywords=keywords).excite(GOLD_CHLORIDE.geometry, request)
        for device in ("gpu", "cpu")
    )
    energies = [state.energy for state in here.states]
    assert [state.energy for state in there.states] == pytest.approx(energies, abs=1e-5)
    strengths = [sum(state.oscillator_strength for state in found.states) for found in (there, here)]
    assert strengths[0] == pytest.approx(strengths[1], abs=1e-4)


def test_integrals_over_core_potentials_are_computed_once_a_geometry(monkeypatch):
    from gpu4pyscf.scf import hf

    computed = []
    plain = hf.get_ecp
    monkeypatch.setattr(hf, "get_ecp", lambda mol: computed.append(mol) or plain(mol))
    keywords = {"grid_level": 0, "electronic_temperature_k": 3000.0, "stability": False}
    calculation = prepare(GOLD_CHLORIDE, "gpu", keywords=keywords)
    for scale in (1.0, 1.01):
        calculation.compute(scale * GOLD_CHLORIDE.geometry, "gradient")
    assert len(computed) == 2


def test_core_potentials_are_differentiated_in_pieces_where_memory_is_short(monkeypatch):
    from gpu4pyscf.grad import rhf

    pieces = []
    plain = rhf.get_ecp_ip
    monkeypatch.setattr(
        rhf, "get_ecp_ip", lambda mol, ecp_atoms: pieces.append(ecp_atoms) or plain(mol, "ip", ecp_atoms)
    )
    monkeypatch.setattr(nuclear_gradient, "SHARE_OF_FREE_MEMORY", 0.0)
    forces = compute(GOLD_CHLORIDE, "gpu").gradient
    assert [list(piece) for piece in pieces] == [[0], [1]]  # LANL2DZ has a potential for chlorine, too
    np.testing.assert_allclose(forces, on_the_cpu().gradient, atol=1e-5)


def test_only_integrals_that_are_zero_are_left_out():
    from gpu4pyscf.gto import ecp
    from gpu4pyscf.gto.mole import group_basis

    atoms = "Au 0 0 0; Cl 0 0 2.3; O 0 4 6; H 0 4.8 6.6; H 0 3.2 6.6; Ag 0 9 0; Cl 0 11.4 0; C 14 0 0; O 14 1.1 0"
    mol = gto.M(atom=atoms, basis="def2-svp", ecp={"Au": "def2-svp", "Ag": "def2-svp"}, verbose=0)
    basis, _, _, counts = group_basis(mol)
    potentials, _, groups, first = ecp.sort_ecp_basis(mol._ecpbas)
    offsets = np.append(0, np.cumsum(counts)), np.append(0, np.cumsum(groups))
    every = {tuple(row) for rows in ecp.make_tasks(*offsets).values() for row in rows}
    with near_potentials_only(mol):
        near = {tuple(row) for rows in ecp.make_tasks(*offsets).values() for row in rows}
    assert near < every
    assert len(near) < 0.8 * len(every)
    start = basis.ao_loc_nr(cart=True)
    for potential in range(len(first) - 1):
        basis._ecpbas = potentials[first[potential] : first[potential + 1]]
        integrals = abs(basis.intor("ECPscalar_cart"))
        for i, j, _ in (row for row in every - near if row[2] == potential):
            assert integrals[start[i] : start[i + 1], start[j] : start[j + 1]].max() < 1e-13


def test_a_cavity_whose_matrices_do_not_fit_is_solved_without_them(monkeypatch):
    keywords = {"solvent": "dichloromethane"}
    here = compute(GOLD_CHLORIDE, "cpu", keywords=keywords)
    monkeypatch.setattr(gpu_estimate, "USABLE", 0.0)
    assert_same(compute(GOLD_CHLORIDE, "gpu", keywords=keywords), here)


def test_a_geometry_that_is_done_leaves_the_gpu_at_once():
    from gpu4pyscf.scf import hf

    calculation = prepare(GOLD_CHLORIDE, "gpu", method="pbe0", keywords={"density_fit": "coulomb"})
    calculation.compute(GOLD_CHLORIDE.geometry, "gradient")
    gc.collect()
    gc.disable()  # what waits for it keeps the GPU's memory, of which Python knows nothing
    try:
        calculation.compute(GOLD_CHLORIDE.geometry, "gradient")
        assert not [each for each in gc.get_objects() if isinstance(each, hf.SCF) and each.mo_coeff is not None]
    finally:
        gc.enable()


@pytest.mark.parametrize("rung", ["damping", "level_shift", "smearing", "second_order"])
def test_each_rung_of_the_ladder_alone_ends_at_the_energy_of_the_cpu(rung):
    keywords = PyscfKeywords(grid_level=0, scf_ladder=(rung,))
    mol = gto.M(atom="Au 0 0 0; Cl 0.3 0.4 4.2", unit="Bohr", basis="lanl2dz", ecp="lanl2dz", verbose=0)
    needs = estimate_needs(GOLD_CHLORIDE, Model(method="pbe", basis="LANL2DZ"), keywords, Resources(device="gpu"))
    mean_field = build_mean_field(mol, "pbe", keywords, "gpu", needs)
    state, attempts = converge(mean_field, None, ladder(keywords), lambda _line: None)
    assert len(attempts) == len(ladder(keywords))
    assert float(state.e_tot) == pytest.approx(on_the_cpu().energy, abs=1e-6)


@pytest.mark.parametrize(("writer", "reader"), [("gpu", "gpu"), ("cpu", "gpu"), ("gpu", "cpu")])
def test_an_scf_goes_on_from_what_the_same_or_the_other_device_left(tmp_path, writer, reader):
    path = str(tmp_path / "kept.chk")
    first = compute(GOLD_CHLORIDE, writer, "energy", checkpoint=path, keep_checkpoint=True)
    again = compute(GOLD_CHLORIDE, reader, "energy", checkpoint=path)
    assert again.energy == pytest.approx(first.energy, abs=1e-7)
    assert again.scf[0].strategy.endswith("from its checkpoint")
    assert again.scf[0].cycles < first.scf[0].cycles


def test_a_worker_names_its_gpu_and_how_far_that_is_off_the_cpu(tmp_path):
    level = PYSCF.level(Model(method="pbe", basis="LANL2DZ"), {"grid_level": 0}, "gpu")
    task = SinglePoint(molecule=GOLD_CHLORIDE, level=level)
    with Pool(1, Resources(device="gpu"), tmp_path / "log", tmp_path, gpus=["0"]) as pool:
        pool.submit(0, task, lambda _position, _line: None)
        _, result, provenance = pool.answer()
    assert abs(result.gpu_deviation) < 1e-6
    assert provenance.gpu == gpu.gpus()[0].name


def test_a_gpu_without_memory_left_is_no_broken_program():
    import cupy

    compute(GOLD_CHLORIDE, "gpu", "energy")  # what is compiled and loaded once is not what runs short
    cupy.get_default_memory_pool().free_all_blocks()
    taken = [cupy.cuda.memory.Memory(cupy.cuda.runtime.memGetInfo()[0] - (2 << 20))]
    with pytest.raises(ResourceError, match="ran out of memory on the GPU"):
        compute(GOLD_CHLORIDE, "gpu", "energy", basis="def2-QZVP")
    taken.clear()
