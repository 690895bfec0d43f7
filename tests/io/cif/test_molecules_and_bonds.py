"""What is bonded across cell walls, and what is refused as a polymer."""

import time

import numpy as np
import pytest
from crystal_models import CHLOROFORM, Atom, MadeUp, summary

from qcdriver.errors import InputError
from qcdriver.io.cif import read_crystal

P1 = ["x,y,z"]
BOX = (11.0, 12.0, 13.0, 90.0, 90.0, 90.0)


def read(tmp_path, *parts, cell=BOX):
    made = MadeUp(cell, P1)
    for symbols, places in parts:
        made.add(symbols, np.array(places, dtype=float))
    return read_crystal(made.write(tmp_path))


def test_a_badly_placed_hydrogen_does_not_tie_two_molecules(tmp_path):
    """1.3 A from the carbon of a neighbour: too near, but it is bonded to its own oxygen."""
    water = (["O", "H", "H"], [[5, 5, 5], [5.95, 5, 5], [4.7, 5.9, 5]])
    carbon_dioxide = (["C", "O", "O"], [[7.25, 5, 5], [7.25, 6.16, 5], [7.25, 3.84, 5]])
    assert summary(read(tmp_path, water, carbon_dioxide)) == [("H2O", 1), ("CO2", 1)]


def test_a_hydrogen_halfway_between_two_atoms_binds_both(tmp_path):
    assert summary(read(tmp_path, (["F", "H", "F"], [[3.86, 5, 5], [5, 5, 5], [6.14, 5, 5]]))) == [("F2H", 1)]


def test_hydrides_and_halides_bridge_any_number_of_metals(tmp_path):
    """A hydride in a Cu4 tetrahedron, a chloride over one of its faces."""
    copper = 1.0 * np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]) + 5
    chloride = 5 + np.array([1, 1, -1]) * 1.5
    (cluster,) = read(tmp_path, (["Cu"] * 4 + ["H", "Cl"], [*copper, [5, 5, 5], chloride])).molecules
    assert cluster.formula == "ClCu4H"


def test_metals_3_3_angstrom_apart_in_two_molecules_are_no_bond(tmp_path):
    gold = ["Cl", "Au", "Cl"]
    near = [[2.7, 5, 5], [5, 5, 5], [7.3, 5, 5]]
    far = [[5, 2.7, 8.3], [5, 5, 8.3], [5, 7.3, 8.3]]
    assert summary(read(tmp_path, (gold, near), (gold, far))) == [("AuCl2", 1), ("AuCl2", 1)]


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ((2.3, 12, 13, 90, 90, 90), r"a coordination polymer.*Cu repeats without end as a chain along \[1 0 0\]"),
        ((2.3, 2.4, 13, 90, 90, 90), "a layer, linked by Cu-Cu bonds of 2.30-2.40 Angstrom"),
        ((2.3, 2.4, 2.5, 90, 90, 90), "a three-dimensional network"),
    ],
)
def test_a_polymer_is_refused_with_its_dimension(tmp_path, cell, said):
    with pytest.raises(InputError, match=said):
        read(tmp_path, (["Cu"], [[0.5, 0.5, 0.5]]), cell=cell)


def test_a_polymer_without_metal_is_one_too(tmp_path):
    chain = (["C", "C"], [[1.0, 5, 5], [2.25, 5.85, 5]])
    with pytest.raises(InputError, match=r"a polymer, not molecules: C2 repeats.*linked by C-C bonds"):
        read(tmp_path, chain, cell=(2.52, 12, 13, 90, 90, 90))


def test_coordinates_stay_where_the_file_lists_them(tmp_path):
    made = MadeUp(BOX, ["x,y,z", "-x,-y,-z"])
    made.add(CHLOROFORM[0], CHLOROFORM[1] + np.array([-20.0, 3.0, 3.0]))
    listed = np.array([atom.fractional for atom in made.atoms]) @ made.lattice
    made.atoms[1] = Atom("H", made.atoms[1].fractional + [3, 0, -2])
    (molecule,) = read_crystal(made.write(tmp_path)).molecules
    assert molecule.positions_angstrom == pytest.approx(listed, abs=1e-4)
    assert molecule.operators[:3] == ("x,y,z", "x-3,y,z+2", "x,y,z")
    assert molecule.site_labels == ("C1", "H2", "Cl3", "Cl4", "Cl5")


def test_a_few_atoms_in_a_huge_cell_are_read_at_once(tmp_path):
    """A search box for every few Angstrom of it took 20 s."""
    made = MadeUp((990.0, 990.0, 990.0, 90.0, 90.0, 90.0), ["x,y,z", "-x,-y,-z"])
    made.add(CHLOROFORM[0], CHLOROFORM[1] + [3.0, 3.0, 3.0])
    began = time.perf_counter()
    assert summary(read_crystal(made.write(tmp_path))) == [("CHCl3", 2)]
    assert time.perf_counter() - began < 5
