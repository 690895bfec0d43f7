"""Partly occupied atoms about symmetry elements: as many images are there as the occupancies say, at sane distances."""

from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

import gemmi
import numpy as np
import pytest
from crystal_models import CHLOROFORM, TETRAFLUOROBORATE, Atom, MadeUp, off_angstrom, rotation, summary, triplets
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from qcdriver.io.cif import read_crystal
from qcdriver.models.molecule import hill_formula

P_1 = ["x,y,z", "-x,-y,-z"]
P2 = ["x,y,z", "-x,y,-z"]
P3 = ["x,y,z", "-y,x-y,z", "-x+y,-x,z"]
P_3 = [*P3, "-x,-y,-z", "y,-x+y,-z", "x-y,x,-z"]
BOX = (14.0, 15.0, 16.0, 90.0, 90.0, 90.0)
HEXAGONAL = (14.0, 14.0, 16.0, 90.0, 90.0, 120.0)
TETRAHEDRAL_DEG = 109.471


def read(made: MadeUp, **more):
    with TemporaryDirectory() as folder:
        return read_crystal(made.write(Path(folder)), **more)


def shortest_angstrom(molecule, symbol: str) -> float:
    """Shortest distance between two atoms of an element."""
    places = molecule.positions_angstrom[np.array(molecule.symbols) == symbol]
    distance = np.linalg.norm(places[:, None] - places, axis=-1)
    return float(distance[np.triu_indices(len(places), 1)].min())


def on_cone(length: float, from_axis_deg: float, turn_deg: float) -> np.ndarray:
    """Place at an angle from the z axis."""
    theta, phi = np.radians([from_axis_deg, turn_deg])
    return length * np.array([np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta)])


def three_arms(presence: tuple[str, str], thirds: tuple[str, str]) -> MadeUp:
    """MeC(CH2SMe)3 on a three-fold axis: the core in two orientations up and down the axis, ordered SMe.

    One arm is listed, and the three hydrogens of the methyl group on the axis at a third of their group.
    """
    made = MadeUp(HEXAGONAL, triplets(gemmi.find_spacegroup_by_name("P 3 1 c")))
    middle = np.array([0, 0, 4.0])
    for sign, group, whole, third in zip((1, -1), ("1", "2"), presence, thirds, strict=True):
        flip = np.array([1, 1, sign])
        tags = {"assembly": "A", "group": group}
        methylene = on_cone(1.53, TETRAHEDRAL_DEG, 20)
        made.add(["C", "C", "C"], middle + flip * [[0, 0, 0], [0, 0, 1.53], methylene], occupancy=whole, **tags)
        hydrogens = [[0, 0, 1.53] + on_cone(1.0, 180 - TETRAHEDRAL_DEG, 120 * k + 50) for k in range(3)]
        made.add(["H"] * 3, middle + flip * hydrogens, occupancy=third, **tags)
        up = methylene / 1.53
        across = np.cross(up, [0, 0, 1])
        h = [methylene + 0.33 * up - 0.3 * np.array([0, 0, 1]) + side * 0.87 * across for side in (1, -1)]
        made.add(["H", "H"], middle + flip * np.array(h), occupancy=whole, **tags)
    outwards = on_cone(1, 90, 20)
    sulfur = middle + 3.05 * outwards
    made.add(["S", "C"], np.array([sulfur, sulfur + 1.8 * outwards]))
    return made


@pytest.mark.parametrize("choices", [{}, {"A": "2"}])
@pytest.mark.parametrize(
    ("presence", "thirds"), [(("0.85", "0.15"), ("0.2833", "0.05")), (("0.5",) * 2, ("0.167",) * 2)]
)
def test_arms_on_a_disordered_core_are_all_there(choices, presence, thirds):
    """Three arms at 0.85 on an axis add up to 2.55: they are no alternatives. Nor are those at 0.15."""
    crystal = read(three_arms(presence, thirds), choices=choices)
    assert summary(crystal) == [("C8H9S3", 2)]
    (molecule,) = crystal.molecules
    assert molecule.presence == pytest.approx(1.0)
    assert molecule.disorder[0].chosen.group == choices.get("A", "1")
    assert molecule.disorder[0].chosen.occupancy == pytest.approx(float(presence[bool(choices)]))
    assert shortest_angstrom(molecule, "H") > 1.5


def test_a_lone_group_about_an_axis_is_whole_and_its_methyl_group_has_three_hydrogens():
    """Without its second group the sum is 2.55 all the same."""
    made = three_arms(("0.85", "0.15"), ("0.2833", "0.05"))
    made.atoms = [atom for atom in made.atoms if atom.group != "2"]
    assert summary(read(made)) == [("C8H9S3", 2)]


def tetrafluoroborate_on_a_centre() -> tuple[MadeUp, np.ndarray]:
    """[Cu(NCH)2]+ and BF4-, each on an inversion centre; four F at one half and no disorder group."""
    made = MadeUp((8.1, 8.7, 9.3, 90.0, 90.0, 90.0), P_1)
    made.tags["_chemical_formula_sum"] = "C2 H2 B Cu F4 N2"
    made.tags["_chemical_formula_moiety"] = "C2 H2 Cu N2 +, B F4 -"
    made.tags["_cell_formula_units_Z"] = "1"
    body = TETRAFLUOROBORATE[1] @ rotation([1, 2, 0.3], 47)
    made.add(["B"], body[:1])
    made.add(["F"] * 4, body[1:], occupancy="0.5")
    along = np.array([0.62, 0.55, 0.56])
    centre = np.array([0.5, 0.5, 0.5]) @ made.lattice
    made.add(["Cu", "N", "C", "H"], centre + np.outer([0, 1.88, 3.03, 4.1], along))
    return made, body


def test_a_tetrafluoroborate_on_a_centre_has_four_fluorines():
    made, body = tetrafluoroborate_on_a_centre()
    crystal = read(made)
    assert [(m.formula, m.per_cell, m.charge) for m in crystal.molecules] == [("C2H2CuN2", 1, 1), ("BF4", 1, -1)]
    assert off_angstrom(crystal.pick("BF4"), TETRAFLUOROBORATE[0], body, made) < 0.01
    assert crystal.warnings == ()
    assert crystal.disagreements == ()


def test_two_of_six_images_on_a_rotoinversion_axis_are_at_a_tetrahedral_angle():
    """One F site stands for two F of the ion (occupancy 1/3), two others for one each (1/6)."""
    pair = [on_cone(1.39, np.degrees(np.arccos(5**0.5 / 3)), 0)]
    pair.append(pair[0] @ rotation([0, 0, 1], -60) * [1, 1, -1])
    middle = (pair[0] + pair[1]) / 2
    across = np.cross(middle, pair[0] - pair[1])
    across *= np.linalg.norm(pair[0] - pair[1]) / 2 / np.linalg.norm(across)
    others = np.array([-middle + across, -middle - across])
    body = np.array([np.zeros(3), *pair, *others])
    made = MadeUp(HEXAGONAL, P_3)
    made.add(["B"], body[:1])
    made.add(["F"], body[1:2], occupancy="0.333")
    made.add(["F", "F"], others * [[1, 1, 1], [-1, -1, -1]], occupancy="0.167")
    (ion,) = read(made).molecules
    assert (ion.formula, ion.per_cell) == ("BF4", 1)
    assert off_angstrom(ion, TETRAFLUOROBORATE[0], body, made) < 0.01


def test_the_methyl_group_of_an_acetonitrile_on_a_twofold_axis_is_one_orientation():
    made = MadeUp(BOX, P2)
    made.add(["N", "C", "C"], np.array([[0, 2.0, 0], [0, 3.14, 0], [0, 4.58, 0]]))
    hydrogens = [on_cone(0.98, 180 - TETRAHEDRAL_DEG, 120 * k + 13)[[0, 2, 1]] + [0, 4.58, 0] for k in range(3)]
    made.add(["H"] * 3, np.array(hydrogens), occupancy="0.5")
    (molecule,) = read(made).molecules
    assert (molecule.formula, molecule.per_cell) == ("C2H3N", 1)
    assert shortest_angstrom(molecule, "H") > 1.55
    (choice,) = molecule.disorder
    assert choice.chosen.sites == ("H4", "H5", "H6"), "one choice for the three of them"


def test_a_water_in_three_places_is_one_water():
    """The images are 2.1 Angstrom apart: no bond, and too near for two waters."""
    made = MadeUp(HEXAGONAL, P3)
    made.add(["O"], np.array([[2.11 / 3**0.5, 0, 3.0]]), occupancy="0.333")
    crystal = read(made)
    assert summary(crystal) == [("O", 1)]
    assert crystal.molecules[0].presence == pytest.approx(1.0, abs=0.01)
    (choice,) = crystal.molecules[0].disorder
    assert [a.group for a in choice.left_out] == ["image 2", "image 3"]


def test_a_water_on_a_threefold_axis_has_two_hydrogens():
    made = MadeUp(HEXAGONAL, P3)
    made.add(["O"], np.array([[0, 0, 3.0]]))
    made.add(
        ["H", "H"],
        np.array([[0, 0, 3.0] + on_cone(0.85, 76, 4), [0, 0, 3.0] + on_cone(0.85, 103, 110)]),
        occupancy="0.3333",
    )
    crystal = read(made)
    assert summary(crystal) == [("H2O", 1)]
    assert shortest_angstrom(crystal.molecules[0], "H") > 1.25


def test_what_the_occupancies_leave_open_is_said():
    """Two hydrogens about a mirror plane and the image of one are equally good: either angle is that of a water."""
    made = MadeUp(BOX, ["x,y,z", "x,-y,z"])
    made.add(["O"], np.array([[3.0, 0, 3.0]]))
    made.add(
        ["H", "H"],
        np.array([[3.0, 0, 3.0] + on_cone(0.85, 90, 35), [3.0, 0, 3.0] + on_cone(0.85, 90, 150)]),
        occupancy="0.5",
    )
    crystal = read(made)
    assert summary(crystal) == [("H2O", 1)]
    assert crystal.warnings == (
        "H2, H3: the occupancies allow several arrangements of the images; the one nearest to the file's own list "
        "was taken",
    )


def test_a_chloroform_about_a_twofold_axis_has_one_carbon():
    """The axis runs in the plane of the chlorines, which are always there; carbon is above it or below."""
    symbols, body = CHLOROFORM
    chlorines = body[2:] - [0, 0, body[2, 2]]
    upright = np.array([[0, 1, 0], [1, 0, 0], [0, 0, 1]])
    places = np.array([body[0], body[1], *chlorines]) - [0, 0, 0.0]
    places[:2] -= [0, 0, body[2, 2]]
    places = places @ upright + [0, 5.0, 0]
    made = MadeUp(BOX, P2)
    made.add(symbols[:2], places[:2], occupancy="0.5")
    made.add(symbols[2:4], places[2:4])
    crystal = read(made)
    assert summary(crystal) == [("CHCl3", 1)]
    assert off_angstrom(crystal.molecules[0], symbols, places, made) < 0.01


def test_a_dichloromethane_about_a_threefold_axis_has_one_carbon():
    """Both chlorines on the axis, two orientations of the carbon, no hydrogens; one group lacks its assembly."""
    made = MadeUp(HEXAGONAL, P3)
    for group, occupancy, third, turn in (("1", "0.47", "0.156", 0), ("2", "0.53", "0.178", 40)):
        made.add(["C"], np.array([on_cone(1.0, 90, turn) + [0, 0, 4]]), occupancy=third, group=group, assembly="A")
        made.add(["Cl", "Cl"], np.array([[0, 0, 2.5], [0, 0, 5.5]]), occupancy=occupancy, group=group)
    crystal = read(made)
    assert summary(crystal) == [("CCl2", 1)]
    assert crystal.molecules[0].presence == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize(("symbol", "apart", "formula"), [("Cl", 2.03, "Cl"), ("O", 1.48, "O"), ("N", 1.10, "N2")])
def test_images_of_a_lone_atom_are_alternatives_unless_they_are_a_known_molecule(symbol, apart, formula):
    made = MadeUp(BOX, P_1)
    for group, occupancy, shift in (("1", "0.25", 0.0), ("2", "0.16", 0.6)):
        at = [[apart / 2, 0, shift]]
        made.add([symbol], np.array(at), occupancy=occupancy, group=group, assembly="A")
    (molecule,) = read(made).molecules
    assert (molecule.formula, molecule.per_cell) == (formula, 1)
    assert molecule.presence == pytest.approx(0.82 if formula == symbol else 0.41)


@pytest.mark.parametrize(
    ("symbol", "apart", "moiety", "formulas"),
    [
        ("O", 1.48, None, ["O"]),
        ("O", 1.48, "O2", ["O2"]),
        ("N", 1.10, None, ["N2"]),
        ("O", 2.75, None, ["O", "O"]),
    ],
)
def test_two_half_atoms_are_one_atom_unless_they_are_a_known_molecule(symbol, apart, moiety, formulas):
    made = MadeUp(BOX, ["x,y,z"])
    if moiety:
        made.tags["_chemical_formula_moiety"] = moiety
    made.add([symbol] * 2, np.array([[5, 5, 5], [5 + apart, 5, 5.0]]), occupancy="0.5")
    crystal = read(made)
    assert [m.formula for m in crystal.molecules] == formulas
    assert crystal.molecules[0].presence == pytest.approx(1.0 if formulas == ["O"] else 0.5)


def test_halves_of_a_solvent_that_is_rarely_there_stay_together():
    """Half a dioxane is listed at 0.3; its image completes it. Nothing overlaps, so the images are no alternatives."""
    made = MadeUp(BOX, P_1)
    made.add(["C", "C", "O"], np.array([[0.77, 1.2, 0.1], [-0.7, 1.25, -0.2], [1.38, 0.05, -0.35]]), occupancy="0.3")
    (solvent,) = read(made).molecules
    assert (solvent.formula, solvent.per_cell) == ("C4O2", 1)
    assert solvent.presence == pytest.approx(0.3)


def test_partial_atoms_on_a_metal_may_be_a_ring():
    """An alkene on a metal is no pair of alternatives, even where the file leaves its groups out."""
    made = MadeUp(BOX, ["x,y,z"])
    made.add(["Pt", "Cl", "Cl"], np.array([[5, 5, 5], [2.7, 5, 5], [5, 2.7, 5.0]]))
    made.add(["C", "C"], np.array([[7.0, 5.7, 5], [7.0, 4.3, 5.0]]), occupancy="0.6")
    assert summary(read(made)) == [("C2Cl2Pt", 1)]


def test_six_images_that_are_nearly_always_there_are_six():
    """Not five, though 6 x 0.85 is nearer to that: what is so often there is a defect, no alternative."""
    made = MadeUp(HEXAGONAL, P_3)
    made.add(["Mo"], np.zeros((1, 3)))
    made.add(["Cl"], np.array([on_cone(2.4, 54.7, 12)]), occupancy="0.85")
    assert summary(read(made)) == [("Cl6Mo", 1)]


def test_images_at_a_number_that_the_occupancy_does_not_tell_are_said_to_be_a_guess():
    made = MadeUp(HEXAGONAL, P3)
    made.atoms.append(Atom("P", np.array([0, 0, 0.25])))
    made.add(["O"], np.array([on_cone(1.5, 105, 10) + [0, 0, 4.0]]), occupancy="0.5")
    crystal = read(made)
    assert any("O2: the occupancy does not tell how many of 3 images" in w for w in crystal.warnings)


@pytest.mark.parametrize("occupancy", ["0.46", "0.54"])
def test_a_known_molecule_decides_where_the_occupancy_is_badly_refined(occupancy):
    """1.4 or 1.6 hydrogens of three places: a water has two."""
    made = MadeUp(HEXAGONAL, P3)
    made.add(["O"], np.array([[0, 0, 4.0]]))
    made.add(["H"], np.array([on_cone(0.85, 100, 10) + [0, 0, 4.0]]), occupancy=occupancy)
    crystal = read(made)
    assert summary(crystal) == [("H2O", 1)]
    assert crystal.warnings == ()


@pytest.mark.parametrize("occupancies", [("0.5", "0.5"), ("0.6", "0.4")])
def test_two_orientations_about_an_axis_are_not_mixed(occupancies):
    """BF4 on a three-fold axis, one F on the axis, the other three in two orientations without a disorder group."""
    made = MadeUp(HEXAGONAL, P3)
    made.add(["B", "F"], np.array([[0, 0, 4.0], [0, 0, 5.39]]))
    for turn, occupancy in zip((10, 68), occupancies, strict=True):
        made.add(["F"], np.array([on_cone(1.39, TETRAHEDRAL_DEG, turn) + [0, 0, 4.0]]), occupancy=occupancy)
    crystal = read(made)
    assert summary(crystal) == [("BF4", 1)]
    assert shortest_angstrom(crystal.molecules[0], "F") > 2.2


HEXAFLUOROPHOSPHATE = (["P"] + ["F"] * 6, 1.58 * np.concatenate([np.zeros((1, 3)), np.eye(3), -np.eye(3)]))
PERCHLORATE = (["Cl"] + ["O"] * 4, TETRAFLUOROBORATE[1] * 1.44 / 1.39)
NITRATE = (["N"] + ["O"] * 3, np.array([np.zeros(3), *(rotation([0, 0, 1], 120 * k) @ [1.24, 0, 0] for k in range(3))]))
IONS = {"BF4": TETRAFLUOROBORATE, "PF6": HEXAFLUOROPHOSPHATE, "ClO4": PERCHLORATE, "NO3": NITRATE, "CHCl3": CHLOROFORM}
SITES = {
    "-1": (BOX, P_1),
    "2": (BOX, P2),
    "m": (BOX, ["x,y,z", "x,-y,z"]),
    "222": (BOX, ["x,y,z", "-x,-y,z", "-x,y,-z", "x,-y,-z"]),
    "2/m": (BOX, ["x,y,z", "-x,y,-z", "-x,-y,-z", "x,-y,z"]),
    "3": (HEXAGONAL, P3),
    "-3": (HEXAGONAL, P_3),
    "32": (HEXAGONAL, [*P3, "y,x,-z", "x-y,-y,-z", "-x,-x+y,-z"]),
}


@given(ion=st.sampled_from(sorted(IONS)), site=st.sampled_from(sorted(SITES)), seed=st.integers(0, 10**6))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_an_ion_with_its_centre_on_a_symmetry_element_comes_back_whole(ion, site, seed):
    """Any orientation; each outer atom is written as any of its images, at 1/order of the site's symmetry."""
    cell, operators = SITES[site]
    rng = np.random.default_rng(seed)
    symbols, body = IONS[ion]
    made = MadeUp(cell, operators)
    turned = body @ Rotation.random(rng=rng).as_matrix()
    made.add(symbols[:1], turned[:1])
    for symbol, place in zip(symbols[1:], turned[1:], strict=True):
        op = gemmi.Op(operators[rng.integers(len(operators))])
        image = np.array(op.apply_to_xyz((place @ np.linalg.inv(made.lattice)).tolist())) @ made.lattice
        made.add([symbol], image[None], occupancy=f"{1 / len(operators):.4f}")
    crystal = read(made)
    assert summary(crystal) == [(hill_formula(Counter(symbols)), 1)]
    assert crystal.molecules[0].presence == pytest.approx(1.0, abs=0.01)
