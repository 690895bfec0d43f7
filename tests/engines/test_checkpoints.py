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
from qcdriver.schema import Model, Molecule, Resources

PYSCF = find("pyscf")
PEROXIDE = Molecule(
    symbols=("O", "O", "H", "H"),
    geometry=[[0.0, 1.37, 0.0], [0.0, -1.37, 0.0], [1.6, 1.7, 0.8], [-1.6, -1.7, 0.9]],
)
OXYGEN = Molecule(symbols=("O", "O"), geometry=[[0, 0, 0], [0, 0, 2.28]], molecular_multiplicity=3)
SVP = Model(method="pbe", basis="def2-SVP")

CHILD = """
import json, sys
from qcdriver.engines import checkpoints, find
from qcdriver.schema import Model, Molecule, Resources
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
    assert lines[0] == f"SCF starts from {path}"
    assert _cycles(resumed) < _cycles(fresh)
    assert resumed.energy == pytest.approx(fresh.energy, abs=1e-7)
    assert list(tmp_path.iterdir()) == []  # removed when done


def test_a_neighbour_saves_cycles_and_changes_nothing_else(tmp_path):
    path, _ = _kept(tmp_path, PEROXIDE)
    beside = PEROXIDE.moved(PEROXIDE.geometry + 0.1 * np.random.default_rng(0).normal(size=(4, 3)))
    cold, warm = _compute(beside), _compute(beside, Resources(start_from=(path,)))
    assert _cycles(warm) < _cycles(cold)
    assert warm.energy == pytest.approx(cold.energy, abs=1e-7)
    assert Path(path).exists()


@pytest.mark.parametrize("molecule", [PEROXIDE, OXYGEN], ids=lambda molecule: molecule.formula)
def test_a_density_of_another_basis_set_is_projected_with_all_its_electrons(molecule, tmp_path):
    from pyscf import gto

    from qcdriver.engines.checkpoints import read_density

    path, _ = _kept(tmp_path, molecule, Model(method="pbe", basis="6-31G*"))
    moved = 1.01 * molecule.geometry
    atoms = list(zip(molecule.symbols, moved.tolist(), strict=True))
    mol = gto.M(atom=atoms, unit="Bohr", basis="def2-svp", spin=molecule.molecular_multiplicity - 1, verbose=0)
    density, reason = read_density(path, mol)
    assert reason is None
    overlap = mol.intor("int1e_ovlp")
    spins = density.reshape(-1, mol.nao, mol.nao)
    counts = mol.nelec if len(spins) == 2 else [mol.nelectron]
    assert [np.trace(each @ overlap) for each in spins] == pytest.approx(counts, abs=1e-10)
    there = molecule.moved(moved)
    assert _cycles(_compute(there, Resources(start_from=(path,)))) < _cycles(_compute(there))


def test_a_closed_shell_starts_an_open_one_and_the_other_way_round(tmp_path):
    geometry = [[0, 0, 0], [1.7, 1.1, 0], [-1.7, 1.1, 0.1]]
    singlet, triplet = (
        Molecule(symbols=("C", "H", "H"), geometry=geometry, molecular_multiplicity=each) for each in (1, 3)
    )
    for first, second in ((singlet, triplet), (triplet, singlet)):
        path, _ = _kept(tmp_path, first)
        assert _compute(second, Resources(start_from=(path,))).energy == pytest.approx(
            _compute(second).energy, abs=1e-7
        )


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "cannot be read"), (b"\x89HDF\r\n\x1a\nhalf a file", "cannot be read"), (None, "there is no")],
)
def test_a_damaged_or_absent_checkpoint_costs_nothing_but_its_cycles(tmp_path, content, words):
    path, lines = tmp_path / "damaged.chk", []
    if content is not None:
        path.write_bytes(content)
    result = _compute(PEROXIDE, Resources(start_from=(str(path),)), lines=lines)
    assert words in lines[0]
    assert result.energy == pytest.approx(_compute(PEROXIDE).energy, abs=1e-9)


def test_a_checkpoint_of_another_molecule_or_charge_is_not_used(tmp_path):
    path, _ = _kept(tmp_path, OXYGEN)
    lines = []
    _compute(PEROXIDE, Resources(start_from=(path,)), lines=lines)
    assert "other atoms" in lines[0]


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
    assert [line for line in lines if "starts from" in line] == [f"SCF starts from {path}"]
    assert not path.exists()


def test_writing_checkpoints_takes_little_of_the_time(tmp_path, monkeypatch):
    from qcdriver.engines.checkpoints import SHARE, Checkpoint

    spent = []
    keeper = Checkpoint(str(tmp_path / "a.chk"), None)

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
    resources = Resources(checkpoint="/a/b.chk", start_from=("/a/c.chk",))
    assert Resources.model_validate(json.loads(resources.model_dump_json())) == resources
