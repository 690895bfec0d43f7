"""Levels against crystal structures: a structure that the level made is kept, a stretched one is pulled back."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import qcdriver as qd
from qcdriver.errors import InputError
from qcdriver.geometry.fidelity import fidelity
from qcdriver.units import ANGSTROM

GFN1 = "GFN1-xTB"


def cubane() -> qd.Molecule:
    """[CuCl(PH3)]4 as a cube of Cu and Cl with a phosphine on each copper atom, not relaxed; bonds as in crystals."""
    edge, symbols, places = 1.22, [], []
    for corner in ((1, 1, 1), (1, -1, -1), (-1, 1, -1), (-1, -1, 1)):
        out = np.array(corner, dtype=float)
        symbols += ["Cu", "Cl"]
        places += [edge * out, -edge * out]
        axis = out / np.linalg.norm(out)
        phosphorus = edge * out + 2.20 * axis
        first = np.cross(axis, [0.0, 0.3, 1.0])
        first /= np.linalg.norm(first)
        second = np.cross(axis, first)
        symbols += ["P", "H", "H", "H"]
        places.append(phosphorus)
        for angle in np.radians((0.0, 120.0, 240.0)):
            places.append(phosphorus + 0.65 * axis + 1.25 * (np.cos(angle) * first + np.sin(angle) * second))
    return qd.Molecule(symbols=tuple(symbols), geometry=np.array(places) / ANGSTROM)


def write_cif(path: Path, molecule: qd.Molecule, scale: float = 1.0) -> None:
    """Write a molecule into a wide cell without symmetry, scaled about its centre."""
    cell = 20.0
    lines = [f"data_{path.stem}", *(f"_cell_length_{axis} {cell}" for axis in "abc")]
    lines += [f"_cell_angle_{angle} 90" for angle in ("alpha", "beta", "gamma")]
    lines += ["_space_group_name_H-M_alt 'P 1'", "loop_", "_atom_site_label", "_atom_site_type_symbol"]
    lines += [f"_atom_site_fract_{axis}" for axis in "xyz"]
    fractions = scale * molecule.geometry * ANGSTROM / cell + 0.5
    for place, (symbol, xyz) in enumerate(zip(molecule.symbols, fractions, strict=True)):
        lines.append(f"{symbol}{place} {symbol} " + " ".join(f"{x:.7f}" for x in xyz))
    path.write_text("\n".join(lines) + "\n")


@pytest.fixture(scope="module")
def crystals(tmp_path_factory):
    """A cubane that GFN1-xTB made, and the same 4 % larger; an organic crystal beside them."""
    folder = tmp_path_factory.mktemp("crystals")
    made = qd.relax(cubane(), qd.level(GFN1), max_force_ev_angstrom=0.01).molecule
    write_cif(folder / "kept.cif", made)
    write_cif(folder / "stretched.cif", made, 1.04)
    write_cif(
        folder / "water.cif", qd.Molecule(symbols=("O", "H", "H"), geometry=[[0, 0, 0], [1.8, 0, 0], [-0.5, 1.7, 0]])
    )
    (folder / "broken.cif").write_text("data_broken\n_cell_length_a 5\n")
    return folder


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    return tmp_path_factory.mktemp("results")


@pytest.fixture(scope="module")
def found(crystals, results):
    return qd.benchmark(crystals, [GFN1, "GFN1-xTB/ch2cl2"], results)


def test_a_level_keeps_the_structure_that_it_made(found):
    kept = next(test.fidelity for test in found.tests if (test.crystal, test.level) == ("kept.cif", GFN1))
    assert kept.core_rmsd_angstrom < 0.02
    assert (kept.contacts_opened, kept.contacts_formed) == (0, 0)
    assert all(abs(bond.largest_angstrom) < 0.03 for bond in kept.bonds)


def test_bonds_that_are_too_long_come_back_to_the_length_of_the_level(found):
    kept, stretched = (
        next(test.fidelity for test in found.tests if (test.crystal, test.level) == (name, GFN1))
        for name in ("kept.cif", "stretched.cif")
    )
    lengths = {bond.elements: bond.mean_angstrom + bond.difference_angstrom for bond in kept.bonds}
    for bond in stretched.bonds:
        assert bond.difference_angstrom < -0.05
        assert bond.mean_angstrom + bond.difference_angstrom == pytest.approx(lengths[bond.elements], abs=0.02)


def test_the_solvent_is_another_level_in_a_run_of_its_own(found, results):
    assert [test.level for test in found.tests] == [GFN1, "GFN1-xTB/ch2cl2"] * 2
    in_gas, dissolved = (
        [record.task.level for record in qd.open_results(results / test.run).records(stage="prescreen")]
        for test in found.tests
        if test.crystal == "kept.cif"
    )
    assert not any("dichloromethane" in str(level) for level in in_gas)
    assert all("dichloromethane" in str(level) for level in dissolved)


def test_the_same_command_again_computes_nothing_and_prints_the_table(found, crystals, results):
    before = {path: path.read_bytes() for path in results.glob("*/records.jsonl")}
    levels = [word for level in (GFN1, "GFN1-xTB/ch2cl2") for word in ("--level", level)]
    command = [sys.executable, "-m", "qcdriver.cli", "benchmark", str(crystals), *levels, "--results", str(results)]
    shown = subprocess.run(command, capture_output=True, text=True, check=True)
    assert {path: path.read_bytes() for path in results.glob("*/records.jsonl")} == before
    assert "Cu-P" in shown.stdout
    assert "left out" in shown.stdout
    assert "broken.cif" in shown.stdout
    assert "water.cif: no metal in H2O" in shown.stdout
    as_json = json.loads(subprocess.run([*command, "--json"], capture_output=True, text=True, check=True).stdout)
    assert as_json["tests"] == [test.model_dump(mode="json") for test in found.tests]


def test_a_level_of_an_input_is_that_of_its_refinement(tmp_path):
    """CuCl(PH3) by PBE, its bonds in the crystal 5 % too long: they end where PBE has them, not GFN1-xTB."""
    linear = qd.Molecule(
        symbols=("Cu", "Cl", "P", "H", "H", "H"),
        geometry=np.array(
            [[0, 0, 0], [0, 0, -2.1], [0, 0, 2.2], [1.25, 0, 2.85], [-0.62, 1.08, 2.85], [-0.62, -1.08, 2.85]]
        )
        / ANGSTROM,
    )
    folder = tmp_path / "crystals"
    folder.mkdir()
    write_cif(folder / "linear.cif", linear, 1.05)
    level = tmp_path / "pbe.toml"
    level.write_text(
        """
        title = "PBE"
        [structure]
        source = "au13ag12"
        [structure.isomers.S]
        twist_deg = 36
        [prescreen]
        method = "GFN1-xTB"
        starts = 3
        [refine]
        threshold = { max_force_ev_angstrom = 0.05, energy_change_ev = 1e-3 }
        [dft]
        method = "PBE"
        basis = "def2-SVP"
        device = "cpu"
        keywords = { grid_level = 1 }
        """
    )
    xtb, pbe = qd.benchmark(folder, [GFN1, str(level)], tmp_path / "results").tests
    lengths = {
        test.level: {bond.elements: bond.mean_angstrom + bond.difference_angstrom for bond in test.fidelity.bonds}
        for test in (xtb, pbe)
    }
    refined = next(qd.open_results(tmp_path / "results" / pbe.run).records(stage="refine"))
    places = refined.molecule.geometry * ANGSTROM
    assert lengths[str(level)]["Cu", "P"] == pytest.approx(np.linalg.norm(places[2] - places[0]), abs=1e-6)
    assert abs(lengths[str(level)]["Cu", "P"] - lengths[GFN1]["Cu", "P"]) > 0.01


def test_rmsd_and_bonds_of_a_known_change():
    start = cubane()
    grown = start.model_copy(update={"geometry": start.geometry * 1.1})
    measured = fidelity(start, grown)
    metals = np.array([symbol == "Cu" for symbol in start.symbols])
    # All metal atoms are at one distance from the centre, which grows by a tenth.
    assert measured.core_rmsd_angstrom == pytest.approx(0.1 * np.sqrt(3) * 1.22)
    assert metals.sum() == 4
    by_kind = {bond.elements: bond for bond in measured.bonds}
    assert by_kind["Cu", "P"].n == 4
    assert by_kind["Cu", "P"].mean_angstrom == pytest.approx(2.20)
    assert by_kind["Cu", "P"].difference_angstrom == pytest.approx(0.22)
    assert by_kind["Cu", "Cl"].n == 12
    assert not by_kind["Cu", "P"].among_metals


def test_the_diagonals_of_an_octahedron_are_no_bonds():
    """In W6S8 W-W is 2.68 Angstrom along the twelve edges and 3.78 across, which wide limits for metals take in."""
    corners = np.vstack([np.eye(3), -np.eye(3)]) * 2.676 / np.sqrt(2)
    tungsten = qd.Molecule(symbols=("W",) * 6, geometry=corners / ANGSTROM)
    (bonds,) = fidelity(tungsten, tungsten).bonds
    assert (bonds.elements, bonds.n) == (("W", "W"), 12)
    assert bonds.mean_angstrom == pytest.approx(2.676)


@pytest.mark.parametrize(
    ("levels", "said"),
    [
        (["GFN7-xTB"], "GFN7-xTB"),
        (["GFN1-xTB/soup"], "soup"),
        ([GFN1, GFN1], "twice"),
    ],
)
def test_a_wrong_level_is_one_line_before_anything_is_computed(crystals, tmp_path, levels, said):
    with pytest.raises(InputError) as error:
        qd.benchmark(crystals, levels, tmp_path / "none")
    assert "--level" in str(error.value)
    assert said in str(error.value)
    assert not (tmp_path / "none").exists()


def test_a_folder_without_a_cluster_is_refused(tmp_path):
    with pytest.raises(InputError, match="crystal structures"):
        qd.benchmark(tmp_path)
    with pytest.raises(InputError, match="crystal structures"):
        qd.benchmark(tmp_path / "missing")
