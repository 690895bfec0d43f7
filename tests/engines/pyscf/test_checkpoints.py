"""Restart: a killed SCF goes on from its last density, a neighbour's is worth cycles, damage costs only time."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from qcdriver.engines import find
from qcdriver.engines.pyscf import first_density
from qcdriver.engines.pyscf.first_density import neighbours, read_density
from qcdriver.errors import ConvergenceError
from qcdriver.models.level import Model, Resources
from qcdriver.models.molecule import Molecule

PYSCF = find("pyscf")
PEROXIDE = Molecule(
    symbols=("O", "O", "H", "H"),
    geometry=[[0.0, 1.37, 0.0], [0.0, -1.37, 0.0], [1.6, 1.7, 0.8], [-1.6, -1.7, 0.9]],
)
OXYGEN = Molecule(symbols=("O", "O"), geometry=[[0, 0, 0], [0, 0, 2.28]], molecular_multiplicity=3)
METHYLENE = Molecule(symbols=("C", "H", "H"), geometry=[[0, 0, 0], [1.7, 1.1, 0], [-1.7, 1.1, 0.1]])
GOLD_CHLORIDE = Molecule(symbols=("Au", "Cl"), geometry=[[0, 0, 0], [0, 0.3, 4.25]])
ROTATION = np.array([[0.36, 0.48, -0.8], [-0.8, 0.6, 0.0], [0.48, 0.64, 0.6]])
SVP = Model(method="pbe", basis="def2-SVP")

CHILD = """
import json, sys
from qcdriver.engines import find
from qcdriver.engines.pyscf import checkpoints
from qcdriver.models.level import Model, Resources
from qcdriver.models.molecule import Molecule
molecule, resources = Molecule.model_validate_json(sys.argv[1]), Resources.model_validate_json(sys.argv[2])
checkpoints.SHARE = 1e9  # an SCF of seconds would not save itself twice
engine = find("pyscf")
level = engine.level(Model(method="pbe", basis="def2-SVP"), {"grid_level": 1})
def told(line):
    print(line, flush=True)
    if line.startswith("SCF cycle 7"):
        sys.stdin.read()  # waits for the kill
engine.prepare(molecule, level, resources, told).compute(molecule.geometry, "energy")
"""


def _compute(molecule, resources=None, model=SVP, lines=None, **keywords):
    level = PYSCF.level(model, {"grid_level": 1, **keywords})
    told = (lambda _line: None) if lines is None else lines.append
    return PYSCF.prepare(molecule, level, resources or Resources(), told).compute(molecule.geometry, "energy")


def _cycles(result):
    return sum(attempt.cycles for attempt in result.scf)


def _kept(folder, molecule, model=SVP, **keywords):
    path = str(folder / "kept.chk")
    return path, _compute(molecule, Resources(checkpoint=path, keep_checkpoint=True), model, **keywords)


def test_an_scf_killed_in_the_middle_goes_on_from_its_last_density(tmp_path, monkeypatch):
    path = tmp_path / "point.chk"
    resources = Resources(checkpoint=str(path))
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, PEROXIDE.model_dump_json(), resources.model_dump_json()],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    assert any(line.startswith("SCF cycle 7") for line in child.stdout)
    child.send_signal(signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL
    assert path.exists()

    fresh, lines = _compute(PEROXIDE), []
    resumed = _compute(PEROXIDE, resources, lines=lines)
    assert lines[0] == "SCF starts from its checkpoint"
    assert resumed.scf[0].strategy == "DIIS from its checkpoint"
    assert _cycles(resumed) < _cycles(fresh)
    assert resumed.energy == pytest.approx(fresh.energy, abs=1e-7)
    assert list(tmp_path.iterdir()) == []  # removed when done


def test_a_neighbour_saves_cycles_changes_nothing_else_and_is_named_in_the_history(tmp_path):
    path, _ = _kept(tmp_path, PEROXIDE)
    beside = PEROXIDE.moved(PEROXIDE.geometry + 0.1 * np.random.default_rng(0).normal(size=(4, 3)))
    tight = {"conv_tol": 1e-10}
    cold, warm = _compute(beside, **tight), _compute(beside, Resources(start_from=str(tmp_path)), **tight)
    assert _cycles(warm) < _cycles(cold)
    assert warm.energy == pytest.approx(cold.energy, abs=1e-8)
    assert Path(path).exists()
    assert (cold.scf[0].strategy, warm.scf[0].strategy) == ("DIIS", "DIIS from the density of kept, 0.06 A away")


def test_of_several_neighbours_the_nearest_gives_its_density_and_one_not_done_does_not(tmp_path):
    for name, factor in (("far", 1.05), ("near", 1.01), ("farther", 1.1)):
        Path(_kept(tmp_path, PEROXIDE.moved(factor * PEROXIDE.geometry))[0]).rename(tmp_path / f"{name}.chk")
    with pytest.raises(ConvergenceError):
        _compute(PEROXIDE, Resources(checkpoint=str(tmp_path / "running.chk")), max_cycle=1, scf_ladder=["diis"])
    assert (tmp_path / "running.chk").exists()
    lines = []
    _compute(PEROXIDE, Resources(start_from=str(tmp_path)), lines=lines)
    assert lines[0].startswith("SCF starts from the density of near, ")


@pytest.mark.parametrize("molecule", [PEROXIDE, OXYGEN, GOLD_CHLORIDE], ids=lambda molecule: molecule.formula)
def test_a_density_turns_with_the_molecule(molecule, tmp_path):
    model = Model(method="pbe", basis="LANL2DZ" if "Au" in molecule.symbols else "def2-TZVP")
    _kept(tmp_path, molecule, model, conv_tol=1e-9)
    turned = molecule.moved(molecule.geometry @ ROTATION.T + [1.0, 2.0, -3.0])
    lines = []
    warm = _compute(turned, Resources(start_from=str(tmp_path)), model, lines)
    assert "0.00 A away" in lines[0]
    assert _cycles(warm) <= 3  # an SCF that begins where it ends; its grid did not turn


@pytest.mark.parametrize("molecule", [PEROXIDE, OXYGEN, GOLD_CHLORIDE], ids=lambda molecule: molecule.formula)
def test_a_density_serves_the_mirror_image_too(molecule, tmp_path):
    model = Model(method="pbe", basis="LANL2DZ" if "Au" in molecule.symbols else "def2-TZVP")
    _kept(tmp_path, molecule, model, conv_tol=1e-9)
    image = molecule.moved(-molecule.geometry @ ROTATION.T)
    lines = []
    warm = _compute(image, Resources(start_from=str(tmp_path)), model, lines)
    assert "0.00 A away" in lines[0]
    assert _cycles(warm) <= 3


def test_a_part_that_turns_takes_its_orbitals_along(tmp_path):
    from pyscf import dft, gto

    water = np.array([[0, 0, 0], [1.43, 1.1, 0], [-1.43, 1.1, 0]])
    pair = Molecule(symbols=("O", "H", "H") * 2, geometry=np.vstack([water, water + [0, 0, 30]]))
    path, result = _kept(tmp_path, pair)
    turned = np.vstack([water, water @ ROTATION.T + [0, 0, 30]])  # far apart: its energy hardly changes
    mol = gto.M(atom=list(zip(pair.symbols, turned.tolist(), strict=True)), unit="Bohr", basis="def2-svp", verbose=0)
    mean_field = dft.RKS(mol, xc="pbe").density_fit(auxbasis="def2-universal-jfit")
    assert mean_field.energy_tot(read_density(Path(path), mol)) == pytest.approx(result.energy, abs=2e-3)


def test_a_density_from_far_away_is_no_neighbour(tmp_path):
    from pyscf import gto

    _kept(tmp_path, PEROXIDE)

    def stretched(factor):
        atoms = list(zip(PEROXIDE.symbols, (factor * PEROXIDE.geometry).tolist(), strict=True))
        return gto.M(atom=atoms, unit="Bohr", basis="def2-svp", verbose=0)

    assert len(neighbours(tmp_path, stretched(1.2), print)) == 1
    assert neighbours(tmp_path, stretched(4.0), print) == []


@pytest.mark.parametrize("molecule", [PEROXIDE, OXYGEN], ids=lambda molecule: molecule.formula)
def test_a_density_of_another_basis_set_is_projected_with_all_its_electrons(molecule, tmp_path):
    from pyscf import gto

    path, _ = _kept(tmp_path, molecule, Model(method="pbe", basis="6-31G*"))
    moved = 1.01 * molecule.geometry
    atoms = list(zip(molecule.symbols, moved.tolist(), strict=True))
    mol = gto.M(atom=atoms, unit="Bohr", basis="def2-svp", spin=molecule.molecular_multiplicity - 1, verbose=0)
    density = read_density(Path(path), mol)
    overlap = mol.intor("int1e_ovlp")
    spins = density.reshape(-1, mol.nao, mol.nao)
    counts = mol.nelec if len(spins) == 2 else [mol.nelectron]
    assert [np.trace(each @ overlap) for each in spins] == pytest.approx(counts, abs=1e-10)
    there = molecule.moved(moved)
    assert _cycles(_compute(there, Resources(start_from=str(tmp_path)))) < _cycles(_compute(there))


@pytest.mark.parametrize("content", [b"", b"\x89HDF\r\n\x1a\nhalf a file", "torn"])
def test_a_damaged_checkpoint_costs_nothing_but_its_cycles_and_is_told(tmp_path, content):
    path, lines = tmp_path / "damaged.chk", []
    if content == "torn":
        whole = Path(_kept(tmp_path, PEROXIDE)[0])
        path.write_bytes(whole.read_bytes()[:-2000])
        whole.unlink()
    else:
        path.write_bytes(content)
    result = _compute(PEROXIDE, Resources(start_from=str(tmp_path)), lines=lines)
    assert lines[0].startswith(f"stepped over: {path} is no checkpoint, or damaged")
    assert result.energy == pytest.approx(_compute(PEROXIDE).energy, abs=1e-9)
    assert result.scf[0].strategy == "DIIS"
    lines.clear()
    _compute(PEROXIDE, Resources(checkpoint=str(path)), lines=lines)
    assert lines[0].startswith(f"SCF cannot start from its checkpoint: {path} is no checkpoint")


def test_a_checkpoint_of_another_molecule_charge_or_spin_is_no_neighbour(tmp_path):
    charged = METHYLENE.model_copy(update={"molecular_charge": 1, "molecular_multiplicity": 2})
    triplet = METHYLENE.model_copy(update={"molecular_multiplicity": 3})
    for number, each in enumerate((PEROXIDE, charged, triplet)):
        Path(_kept(tmp_path, each)[0]).rename(tmp_path / f"{number}.chk")
    lines = []
    _compute(METHYLENE, Resources(start_from=str(tmp_path)), lines=lines)
    assert not [line for line in lines if "from" in line]


def test_a_density_that_leads_astray_leaves_the_ladder_to_its_own_guess(tmp_path, monkeypatch):
    _kept(tmp_path, PEROXIDE)
    monkeypatch.setattr(first_density, "read_density", lambda _path, mol: np.zeros((mol.nao, mol.nao)))
    cold = _compute(PEROXIDE)
    needed = _cycles(cold)
    result = _compute(PEROXIDE, Resources(start_from=str(tmp_path)), max_cycle=needed)
    assert [(each.strategy.split(",")[0], each.converged) for each in result.scf] == [
        ("DIIS from the density of kept", False),
        ("DIIS", True),
    ]
    assert result.energy == pytest.approx(cold.energy, abs=1e-8)


def test_a_disk_that_refuses_the_checkpoint_costs_the_restart_and_not_the_energy(tmp_path):
    (tmp_path / "file").write_text("no folder")
    lines = []
    resources = Resources(checkpoint=str(tmp_path / "file" / "a.chk"), keep_checkpoint=True)
    assert _compute(PEROXIDE, resources, lines=lines).energy == pytest.approx(_compute(PEROXIDE).energy, abs=1e-9)
    assert len([line for line in lines if line.startswith("no checkpoint: ")]) == 1


def test_a_kept_checkpoint_is_what_pyscf_itself_reads(tmp_path):
    from pyscf.scf import chkfile

    path, result = _kept(tmp_path, OXYGEN)
    mol, scf = chkfile.load_scf(path)
    assert mol.elements == ["O", "O"]
    assert scf["e_tot"] == pytest.approx(result.energy, abs=1e-12)
    assert scf["mo_occ"].sum(axis=1).tolist() == [9, 7]


def test_a_relaxation_goes_on_from_the_checkpoint_of_any_of_its_geometries(tmp_path):
    path = tmp_path / "killed.chk"
    kept, _ = _kept(tmp_path, PEROXIDE)
    Path(kept).replace(path)
    level = PYSCF.level(SVP, {"grid_level": 1})
    lines: list[str] = []
    calculation = PYSCF.prepare(PEROXIDE, level, Resources(checkpoint=str(path)), lines.append)
    calculation.compute(1.02 * PEROXIDE.geometry, "energy")
    calculation.compute(1.03 * PEROXIDE.geometry, "energy")
    assert [line for line in lines if "starts from" in line] == ["SCF starts from its checkpoint"]
    assert not path.exists()


def test_writing_checkpoints_takes_little_of_the_time(tmp_path, monkeypatch):
    from qcdriver.engines.pyscf.checkpoints import SHARE, Checkpoint

    spent = []
    keeper = Checkpoint(str(tmp_path / "a.chk"), None, print)

    def write(*_):
        started = time.perf_counter()
        time.sleep(0.01)
        spent.append(time.perf_counter() - started)

    monkeypatch.setattr(keeper, "_write", write)
    began = time.perf_counter()
    while time.perf_counter() - began < 2.5:
        keeper.keep(np.eye(2), np.ones(2))
    assert len(spent) >= 2
    assert sum(spent[:-1]) <= 1.2 * SHARE * 2.5


def test_resources_with_checkpoints_travel_as_json():
    resources = Resources(checkpoint="/a/b.chk", start_from="/a")
    assert Resources.model_validate(json.loads(resources.model_dump_json())) == resources
