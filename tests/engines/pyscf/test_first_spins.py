"""Spins of a first density: up and down as the multiplicity says, parted where a closed shell would stay one."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from qcdriver.engines import find
from qcdriver.engines.pyscf.first_spins import with_spins
from qcdriver.engines.pyscf.keywords import PyscfKeywords
from qcdriver.engines.pyscf.scf_ladder import Start, converge
from qcdriver.engines.pyscf.scf_strategies import ladder
from qcdriver.models.level import Model, Resources
from qcdriver.models.molecule import Molecule
from qcdriver.models.tasks import SinglePoint
from qcdriver.store import task_key

PYSCF = find("pyscf")
PBE = Model(method="pbe", basis="def2-SVP")
WATER = Molecule(symbols=("O", "H", "H"), geometry=[[0, 0, 0], [1.5, 1.1, 0], [-1.5, 1.1, 0.1]])


def _diatomic(first, second, distance):
    return Molecule(symbols=(first, second), geometry=[[0, 0, 0], [0, 0, distance]])


def _compute(molecule, model=PBE, **keywords):
    level = PYSCF.level(model, {"grid_level": 1, **keywords})
    return PYSCF.prepare(molecule, level, Resources(), lambda _line: None).compute(molecule.geometry, "energy")


def _mean_field(atoms, spin=0, restricted=False, charge=0):
    from pyscf import dft, gto

    mol = gto.M(atom=atoms, basis="def2-svp", spin=spin, charge=charge, verbose=0)
    mean_field = (dft.RKS if restricted else dft.UKS)(mol, xc="pbe").density_fit(auxbasis="def2-universal-jfit")
    mean_field.grids.level, mean_field.init_guess = 0, "atom"
    return mean_field


def _counts(mean_field, density):
    return np.einsum("sij,ji->s", density, mean_field.get_ovlp())


def test_a_closed_shell_stays_one_whether_or_not_its_spins_may_part():
    restricted, unrestricted = _compute(WATER), _compute(WATER, unrestricted=True)
    assert restricted.spin_square is None
    assert unrestricted.spin_square == pytest.approx(0, abs=1e-6)
    assert unrestricted.energy == pytest.approx(restricted.energy, abs=2e-8)
    assert unrestricted.orbitals.energies[0] == pytest.approx(unrestricted.orbitals.energies[1], abs=1e-4)


@pytest.mark.parametrize(
    ("first", "second", "distance"), [("F", "F", 4.535), ("Li", "F", 7.559)], ids=["F2 at 2.4 A", "LiF at 4 A"]
)
def test_a_bond_so_long_that_no_closed_shell_is_left_breaks_into_parted_spins(first, second, distance):
    parted = _compute(_diatomic(first, second, distance), unrestricted=True)
    assert parted.spin_square > 0.3
    assert parted.gap > 0


def test_hydrogen_torn_apart_is_two_atoms():
    atom = _compute(Molecule(symbols=("H",), geometry=[[0, 0, 0]], molecular_multiplicity=2)).energy
    torn = _compute(_diatomic("H", "H", 12.0), unrestricted=True)
    assert torn.energy == pytest.approx(2 * atom, abs=5e-5)
    assert torn.spin_square == pytest.approx(1, abs=1e-3)
    assert _compute(_diatomic("H", "H", 12.0)).energy > 2 * atom + 0.05


def test_a_state_whose_spins_did_not_part_is_left_when_it_is_not_stable():
    dicarbon = _diatomic("C", "C", 2.343)
    assert _compute(dicarbon, unrestricted=True, stability=True).energy < _compute(dicarbon).energy - 0.01


def test_a_density_of_a_closed_shell_is_parted_too():
    atoms = "H 0 0 0; H 0 0 2"
    closed, _ = converge(_mean_field(atoms, restricted=True), None, ladder(PyscfKeywords()), lambda _line: None)
    start = Start(closed.make_rdm1(), "a closed shell")
    parted, (only,) = converge(_mean_field(atoms), start, ladder(PyscfKeywords()), lambda _line: None)
    assert "a closed shell" in only.strategy
    assert parted.e_tot < closed.e_tot - 0.01
    back, _ = converge(
        _mean_field(atoms, restricted=True),
        Start(parted.make_rdm1(), "parted"),
        ladder(PyscfKeywords()),
        lambda _: None,
    )
    assert back.e_tot == pytest.approx(closed.e_tot, abs=1e-7)


def test_an_open_shell_begins_with_the_electrons_of_either_spin():
    triplet = _mean_field("O 0 0 0; O 0 0 1.2", spin=2)
    assert _counts(triplet, with_spins(triplet)) == pytest.approx([9, 7], abs=1e-3)
    total = with_spins(_mean_field("O 0 0 0; O 0 0 1.2", spin=2)).sum(axis=0)
    assert _counts(triplet, with_spins(triplet, total)) == pytest.approx([9, 7], abs=1e-3)


def test_what_has_no_empty_orbital_or_no_second_electron_begins_too():
    helium = Molecule(symbols=("He",), geometry=[[0, 0, 0]])
    minimal = Model(method="pbe", basis="STO-3G")
    assert _compute(helium, minimal, unrestricted=True).energy == pytest.approx(_compute(helium, minimal).energy)
    proton = Molecule(symbols=("H",), geometry=[[0, 0, 0]], molecular_multiplicity=2)
    assert _compute(proton).spin_square == pytest.approx(0.75)


def test_a_level_from_before_spins_could_part_has_the_key_that_it_had():
    kept = Path(__file__).parents[3] / "results" / "kept" / "hooh" / "records.jsonl"
    record = next(json.loads(line) for line in kept.read_text().splitlines() if '"stage":"dft"' in line)
    task = SinglePoint.model_validate(record["task"])
    assert "unrestricted" not in task.level.keywords
    today = PYSCF.level(task.level.model, task.level.keywords).model_copy(
        update={"engine_version": task.level.engine_version}
    )
    assert task_key(task.model_copy(update={"level": today})) == record["key"]
    parted = PYSCF.level(task.level.model, {**task.level.keywords, "unrestricted": True})
    assert parted.keywords["unrestricted"] is True
    assert task_key(task.model_copy(update={"level": parted})) != record["key"]
