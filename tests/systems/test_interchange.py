"""What others made is where a run begins: ensembles, trajectories, QCSchema; charge and spin are never guessed."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import qcdriver as qd
from qcdriver.errors import InputError
from qcdriver.store import Records, Selection
from qcdriver.systems.base import Candidate
from qcdriver.units import ANGSTROM, EV
from qcdriver.workflow.input import read_input
from qcdriver.workflow.open_run import open_run
from qcdriver.workflow.prescreen.stage import candidates_of

WATER = [("O", 0.0, 0.0, 0.1), ("H", 0.0, 0.76, -0.48), ("H", 0.0, -0.76, -0.48)]


def frame(comment: str, stretch: float = 1.0) -> str:
    lines = [f"{symbol} {x:.6f} {stretch * y:.6f} {z:.6f}" for symbol, x, y, z in WATER]
    return "\n".join(["3", comment, *lines]) + "\n"


def candidates(folder: Path, source: str, file: str, more: str = "", shared: str = "") -> list[Candidate]:
    path = folder / "input.toml"
    path.write_text(
        f'title = "water"\n[structure]\nsource = "{source}"\n{shared}\n[structure.isomers.W]\nfile = "{file}"\n{more}\n'
    )
    return candidates_of(read_input(path), folder)


CHARGED = "molecular_charge = 0\nmolecular_multiplicity = 1"


@pytest.mark.parametrize(
    "comments",
    [
        ("      -5.07054321", "      -5.06954321", "      -5.05054321"),  # CREST
        ("CONF1    -5.07054321", "CONF2    -5.06954321", "CONF7    -5.05054321"),  # CENSO
        ("-5.07054321   !CONF1", "-5.06954321   !CONF2", "-5.05054321   !CONF7"),  # CENSO too
        *[
            tuple(
                f"Coordinates from ORCA-job water E {energy}"
                for energy in ("-5.07054321", "-5.06954321", "-5.05054321")
            )
        ],
        *[
            tuple(
                f" energy: {energy} gnorm: 0.0004 xtb: 6.5.1"
                for energy in ("-5.07054321", "-5.06954321", "-5.05054321")
            )
        ],
    ],
    ids=["crest", "censo", "censo-1", "orca", "xtb"],
)
def test_an_ensemble_is_starts_of_one_isomer_chosen_by_its_own_energies(tmp_path, comments):
    text = "".join(frame(comment, 1 + 0.01 * k) for k, comment in enumerate(comments))
    (tmp_path / "crest_conformers.xyz").write_text(text)
    found = candidates(tmp_path, "ensemble", "crest_conformers.xyz", shared=CHARGED)
    assert [each.label for each in found] == ["W", "W#1", "W#2"]
    assert found[2].origin.geometry[1, 1] == pytest.approx(1.02 * 0.76 / ANGSTROM)
    near = candidates(tmp_path, "ensemble", "crest_conformers.xyz", "window_kcal_mol = 1.0", CHARGED)
    assert [each.label for each in near] == ["W", "W#1"]
    assert "2 of the 3 structures of" in near[0].notes[0]
    some = candidates(tmp_path, "ensemble", "crest_conformers.xyz", "frames = [2, -1, 0]", CHARGED)
    assert [each.label for each in some] == ["W#2", "W"]


def test_the_energy_of_an_extended_xyz_is_in_ev(tmp_path):
    head = 'Properties=species:S:1:pos:R:3 charge=0 multiplicity=1 energy={} pbc="F F F"'
    text = frame(head.format(-5.0 * EV)) + frame(head.format(-5.0 * EV + 0.1))  # 0.1 eV are 2.3 kcal/mol
    (tmp_path / "e.xyz").write_text(text)
    assert len(candidates(tmp_path, "ensemble", "e.xyz", "window_kcal_mol = 2.2")) == 1
    assert len(candidates(tmp_path, "ensemble", "e.xyz", "window_kcal_mol = 2.4")) == 2


def test_charge_and_multiplicity_are_said_by_file_or_input_and_never_guessed(tmp_path):
    (tmp_path / "e.xyz").write_text(frame(" -5.07"))
    with pytest.raises(
        InputError, match=r"e.xyz, line 2: neither the file nor the input says the charge and multiplicity; give"
    ):
        candidates(tmp_path, "ensemble", "e.xyz")
    with pytest.raises(InputError, match=r"says the multiplicity; give molecular_multiplicity in \[structure\]"):
        candidates(tmp_path, "ensemble", "e.xyz", shared="molecular_charge = 0")
    (cation,) = candidates(tmp_path, "ensemble", "e.xyz", "molecular_charge = 1\nmolecular_multiplicity = 2")
    assert (cation.origin.molecular_charge, cation.origin.molecular_multiplicity) == (1, 2)


def test_a_window_without_energies_and_a_frame_that_is_not_there_are_refused(tmp_path):
    (tmp_path / "e.xyz").write_text(frame("charge=0 multiplicity=1"))
    with pytest.raises(InputError, match=r"window_kcal_mol: .*e.xyz gives frame 0 no energy"):
        candidates(tmp_path, "ensemble", "e.xyz", "window_kcal_mol = 3")
    with pytest.raises(InputError, match=r"frames: .*e.xyz has no frame 1; it holds 1, counted from 0"):
        candidates(tmp_path, "ensemble", "e.xyz", "frames = [1]")


def water(stretch: float = 1.0, **info: float):
    from ase import Atoms

    positions = np.array([place for _, *place in WATER]) * [1, stretch, 1]
    atoms = Atoms("OHH", positions=positions)
    atoms.info.update(info)
    return atoms


def test_a_trajectory_of_ase_has_its_charge_spin_and_energies(tmp_path):
    from ase.calculators.singlepoint import SinglePointCalculator
    from ase.io.trajectory import Trajectory

    with Trajectory(tmp_path / "md.traj", "w") as file:
        for k in range(3):
            atoms = water(1 + 0.01 * k, charge=1, multiplicity=2)
            atoms.calc = SinglePointCalculator(atoms, energy=-100.0 + 0.1 * k)
            file.write(atoms)
    found = candidates(tmp_path, "ase", "md.traj")
    assert [(each.label, each.origin.molecular_charge, each.origin.molecular_multiplicity) for each in found] == [
        ("W", 1, 2),
        ("W#1", 1, 2),
        ("W#2", 1, 2),
    ]
    assert found[1].origin.geometry * ANGSTROM == pytest.approx(water(1.01).positions)
    assert len(candidates(tmp_path, "ase", "md.traj", "window_kcal_mol = 2.4")) == 2
    (last,) = candidates(tmp_path, "ase", "md.traj", "frames = [-1]", CHARGED)
    assert last.label == "W#2"
    assert "molecular_charge = 0 is taken from the input; the file says 1" in last.notes


def test_an_image_that_says_nothing_and_a_periodic_one_are_refused(tmp_path):
    from ase.io.trajectory import Trajectory

    def refused(atoms, words: str) -> None:
        with Trajectory(tmp_path / "one.traj", "w") as file:
            file.write(atoms)
        with pytest.raises(InputError, match=words):
            candidates(tmp_path, "ase", "one.traj")

    refused(water(), "image 0: neither the file nor the input says the charge")
    refused(water(charge=0.5, multiplicity=1), "charge 0.5 is no whole number")
    cell = water(charge=0, multiplicity=1)
    cell.set_cell([9, 9, 9])
    cell.pbc = True
    refused(cell, "image 0: it is periodic")
    spins = water()
    spins.set_initial_charges([1, 0, 0])
    spins.set_initial_magnetic_moments([1, 0, 0])
    with Trajectory(tmp_path / "one.traj", "w") as file:
        file.write(spins)
    (found,) = candidates(tmp_path, "ase", "one.traj")
    assert (found.origin.molecular_charge, found.origin.molecular_multiplicity) == (1, 2)
    (tmp_path / "no.traj").write_bytes(b"no trajectory at all")
    with pytest.raises(InputError, match=r"no.traj: no trajectory of ASE's"):
        candidates(tmp_path, "ase", "no.traj")
    with pytest.raises(InputError, match=r"gone.traj: no such file"):
        candidates(tmp_path, "ase", "gone.traj")


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_molecules_of_qcelemental_are_read_in_both_versions_of_the_schema(tmp_path, version):
    from qcelemental import models

    schema = getattr(models, version)
    geometry = np.array([place for _, *place in WATER]) / ANGSTROM
    ion = schema.Molecule(
        symbols=["O", "H", "H"],
        geometry=geometry,
        molecular_charge=1,
        molecular_multiplicity=2,
        fix_com=True,
        fix_orientation=True,
    )
    (tmp_path / "ion.json").write_text(ion.json() if version == "v1" else ion.model_dump_json())
    (found,) = candidates(tmp_path, "qcschema", "ion.json")
    assert found.origin.symbols == ("O", "H", "H")
    assert found.origin.geometry == pytest.approx(geometry, abs=1e-7)
    assert (found.origin.molecular_charge, found.origin.molecular_multiplicity) == (1, 2)
    model = {"method": "pbe", "basis": "sto-3g"}
    if version == "v1":
        asked = schema.AtomicInput(molecule=ion, driver="energy", model=model).json()
    else:
        asked = schema.AtomicInput(molecule=ion, specification={"driver": "energy", "model": model}).model_dump_json()
    (tmp_path / "input.json").write_text(asked)
    (same,) = candidates(tmp_path, "qcschema", "input.json")
    assert same.origin == found.origin


def test_records_exported_as_qcschema_are_read_again(tmp_path):
    kept = Path(__file__).parents[2] / "results" / "kept" / "hooh"
    records = list(Records(kept, only_read=True).query(Selection(stage="dft")))
    from qcdriver.report.exports import export

    export(iter(records), "qcschema", tmp_path / "dft.json")
    found = candidates(tmp_path, "qcschema", "dft.json")
    assert [each.origin for each in found] == [record.molecule for record in records]
    energies = [record.result.energy for record in records]
    within = [energy for energy in energies if (energy - min(energies)) * 627.5 < 1]
    assert 0 < len(within) < len(energies)
    assert len(candidates(tmp_path, "qcschema", "dft.json", "window_kcal_mol = 1.0")) == len(within)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "line 1: not JSON"),
        ("[1]", "document 0: no molecule of QCSchema can be read from it"),
        ('{"schema_name": "qcschema_basis"}', r"document 0: holds no molecule \(qcschema_basis\)"),
        ('{"symbols": ["He"], "geometry": [0, 0, 0]}', "neither the file nor the input says the charge"),
        ('{"symbols": ["He"], "geometry": [0, 0]}', "no molecule of QCSchema can be read from it"),
        ('{"symbols": ["He"], "geometry": [0, 0, 0], "real": [false]}', "ghost atoms"),
        ('{"symbols": ["He"], "geometry": [0, 0, 0], "schema_version": 9}', "schema_version 9 is not known here"),
        ("", "is empty"),
    ],
)
def test_what_is_no_molecule_of_qcschema_is_one_line(tmp_path, content, words):
    (tmp_path / "bad.json").write_text(content)
    with pytest.raises(InputError, match=words):
        candidates(tmp_path, "qcschema", "bad.json")


def test_a_run_begins_with_an_ensemble_and_no_force_field_moves_it_before(tmp_path):
    text = frame("charge=0 multiplicity=1", 0.98) + frame("charge=0 multiplicity=1", 1.05)
    (tmp_path / "e.xyz").write_text(text)
    (tmp_path / "water.toml").write_text(
        'title = "water"\n[structure]\nsource = "ensemble"\n[structure.isomers.W]\nfile = "e.xyz"\n'
        '[prescreen]\nengine = "tblite"\n'
    )
    found = qd.run(tmp_path / "water.toml", results=tmp_path / "results", workers=1)
    assert len(found.conformers) == 1  # both end in the one minimum
    assert found.opened.input.prescreen.preoptimize == "none"
    assert json.loads((found.directory / "summary.json").read_text())["conformers"][0]["isomer"] == "W"


def test_a_force_field_that_the_input_asks_for_comes_first_all_the_same(tmp_path):
    (tmp_path / "e.xyz").write_text(frame("charge=0 multiplicity=1"))
    for source, asked, chosen in (("ensemble", "", "none"), ("ensemble", "GFN-FF", "GFN-FF"), ("xyz", "", "GFN-FF")):
        path = tmp_path / "water.toml"
        more = f'[prescreen]\npreoptimize = "{asked}"\n' if asked else ""
        path.write_text(
            f'title = "water"\n[structure]\nsource = "{source}"\n[structure.isomers.W]\nfile = "e.xyz"\n{more}'
        )
        assert open_run(read_input(path), path, tmp_path / "results").input.prescreen.preoptimize == chosen


@pytest.mark.parametrize("word", ["charge", "multiplicity"])
def test_a_trajectory_whose_charge_is_no_number_is_one_line(tmp_path, word):
    from ase import Atoms
    from ase.io import write

    atoms = Atoms("OH2", positions=[place for _, *place in WATER], info={"charge": 0, "multiplicity": 1, word: "two"})
    write(tmp_path / "w.traj", atoms)
    with pytest.raises(InputError, match=rf"w\.traj, image 0: {word} two is no number; set atoms\.info"):
        candidates(tmp_path, "ase", "w.traj")
