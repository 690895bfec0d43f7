"""Disorder: what is chosen is one alternative throughout, and no molecule mixes two."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from crystal_models import CHLOROFORM, TETRAFLUOROBORATE, Atom, MadeUp, rotation, summary
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from qcdriver.errors import InputError
from qcdriver.io.cif import read_crystal

P1 = ["x,y,z"]
P_1 = ["x,y,z", "-x,-y,-z"]
P2 = ["x,y,z", "-x,y,-z"]
P3 = ["x,y,z", "-y,x-y,z", "-x+y,-x,z"]
BOX = (11.0, 12.0, 13.0, 90.0, 90.0, 90.0)
TRICLINIC = (11.0, 12.0, 13.0, 85.0, 95.0, 100.0)
RING = np.array([[1.39 * np.cos(a), 1.39 * np.sin(a), 0] for a in np.radians(range(0, 360, 60))])
TOLUENE = (
    ["C"] * 7 + ["H"] * 8,
    np.concatenate(
        [
            RING,
            [[2.90, 0, 0]],
            RING[1:] * (2.48 / 1.39),
            [[3.26, 1.03, 0], [3.26, -0.51, 0.89], [3.26, -0.51, -0.89]],
        ]
    ),
)
"""The methyl group sits on the ring's first carbon."""


def read(made: MadeUp, tmp_path, **more):
    return read_crystal(made.write(tmp_path), **more)


def two_places(made: MadeUp, group_tags: bool, occupancies: tuple[str, str] = ("0.7", "0.3")) -> None:
    """BF4 in two orientations about one boron place."""
    names, body = TETRAFLUOROBORATE
    at = np.array([5.0, 6.0, 6.0])
    for number, (turn, occupancy) in enumerate(zip((0, 50), occupancies, strict=True), start=1):
        tags = {"group": str(number)} if group_tags else {}
        made.add(names, body @ rotation([1, 2, 0.3], turn) + at, occupancy=occupancy, **tags)


@pytest.mark.parametrize("group_tags", [True, False])
def test_the_more_occupied_orientation_is_chosen_whole(tmp_path, group_tags):
    made = MadeUp(BOX, P1)
    two_places(made, group_tags)
    (ion,) = read(made, tmp_path).molecules
    assert (ion.formula, ion.per_cell, ion.presence) == ("BF4", 1, 1.0)
    assert ion.site_labels == ("B1", "F2", "F3", "F4", "F5")
    assert ion.disorder


def test_the_less_occupied_one_can_be_asked_for(tmp_path):
    made = MadeUp(BOX, P1)
    two_places(made, group_tags=True)
    (ion,) = read(made, tmp_path, choices={"#1": "2"}).molecules
    assert ion.site_labels == ("B6", "F7", "F8", "F9", "F10")


@pytest.mark.parametrize(
    ("choices", "said"), [({"X": "1"}, "no disorder assembly 'X'.*#1"), ({"#1": "7"}, "no group '7'.*1, 2")]
)
def test_a_choice_that_does_not_exist_is_refused(tmp_path, choices, said):
    made = MadeUp(BOX, P1)
    two_places(made, group_tags=True)
    with pytest.raises(InputError, match=said):
        read(made, tmp_path, choices=choices)


def test_assemblies_without_names_are_told_apart_by_place(tmp_path):
    """SHELX writes groups 1 and 2 everywhere; here group 2 wins in the second place."""
    made = MadeUp((22.0, 12.0, 13.0, 90, 90, 90), P1)
    two_places(made, group_tags=True)
    names, body = CHLOROFORM
    for number, (turn, occupancy) in enumerate(((0, "0.4"), (60, "0.6")), start=1):
        made.add(names, body @ rotation([0, 0, 1], turn) + [15, 6, 6], occupancy=occupancy, group=str(number))
    crystal = read(made, tmp_path)
    assert summary(crystal) == [("BF4", 1), ("CHCl3", 1)]
    chosen = {c.assembly: c.chosen.group for m in crystal.molecules for c in m.disorder}
    assert chosen == {"#1": "1", "#2": "2"}


@pytest.mark.parametrize("stray", range(5, 10))
def test_an_atom_that_lacks_the_assembly_of_its_group_belongs_to_it(tmp_path, stray):
    made = MadeUp(BOX, P1)
    names, body = CHLOROFORM
    for number, turn, occupancy in ((1, 0, "0.5"), (2, 50, "0.3"), (3, 100, "0.2")):
        places = body @ rotation([1, 0.4, 0.2], turn) + [5, 6, 6]
        made.add(names, places, occupancy=occupancy, group=str(number), assembly="A")
    atom = made.atoms[stray]
    made.atoms[stray] = Atom(atom.symbol, atom.fractional, atom.occupancy, atom.group)
    crystal = read(made, tmp_path)
    assert summary(crystal) == [("CHCl3", 1)]
    (choice,) = crystal.molecules[0].disorder
    assert [(a.group, len(a.sites)) for a in (choice.chosen, *choice.left_out)] == [("1", 5), ("2", 5), ("3", 5)]


def two_chlorines(first: tuple[str, str], second: tuple[str, str]) -> MadeUp:
    """1,2-dichloroethane with both chlorines in two places, four groups in one assembly."""
    made = MadeUp(BOX, P1)
    made.add(["C", "C"], np.array([[5, 5, 5], [6.52, 5, 5.0]]))
    made.add(["H"] * 4, np.array([[4.64, 4.49, y] for y in (5.89, 4.11)] + [[6.88, 5.51, y] for y in (5.89, 4.11)]))
    places = [[4.41, 6.68, 5], [4.41, 6.58, 5.57], [7.11, 3.32, 5], [7.11, 3.42, 4.43]]
    for group, (place, occupancy) in enumerate(zip(places, (*first, *second), strict=True), start=1):
        made.add(["Cl"], np.array([place]), occupancy=occupancy, group=str(group), assembly="A")
    return made


def test_two_independent_pairs_in_one_assembly_are_chosen_for_separately(tmp_path):
    made = two_chlorines(("0.88", "0.12"), ("0.33", "0.67"))
    (molecule,) = read(made, tmp_path).molecules
    assert molecule.formula == "C2H4Cl2"
    assert {c.assembly: c.chosen.group for c in molecule.disorder} == {"A 1/2": "1", "A 3/4": "4"}
    (molecule,) = read(made, tmp_path, choices={"A 1/2": "2"}).molecules
    assert {c.assembly: c.chosen.group for c in molecule.disorder} == {"A 1/2": "2", "A 3/4": "4"}


def test_four_groups_that_add_up_to_one_are_one_choice(tmp_path):
    (molecule,) = read(two_chlorines(("0.4", "0.1"), ("0.3", "0.2")), tmp_path).molecules
    assert [(c.assembly, c.chosen.group) for c in molecule.disorder] == [("A", "1")]


@pytest.mark.parametrize("flag", [{"group": "-1"}, {}])
def test_a_solvent_disordered_about_an_inversion_centre_counts_once(tmp_path, flag):
    names, body = TOLUENE
    made = MadeUp(TRICLINIC, P_1)
    # The ring's centre lies near, not on, the inversion centre at (1/2, 1/2, 1/2).
    at = np.array([0.5, 0.5, 0.5]) @ made.lattice
    made.add(names, (body - [0.25, 0.05, 0.02]) @ rotation([1, 1, 0], 33) + at, occupancy="0.5", **flag)
    (solvent,) = read(made, tmp_path).molecules
    assert (solvent.formula, solvent.per_cell, solvent.presence) == ("C7H8", 1, 1.0)
    assert solvent.role == "cluster", "nothing larger is there"
    (choice,) = solvent.disorder
    assert [a.group for a in choice.left_out] == ["image 2"]


def test_a_ligand_disordered_about_an_axis_stays_whole_on_its_metal(tmp_path):
    """Au on the two-fold axis; an amine on it leans to one side or the other, half each."""
    made = MadeUp(BOX, P2)
    made.atoms.append(Atom("Au", np.array([0.5, 0.30, 0.5])))
    made.atoms.append(Atom("Cl", np.array([0.5, 0.30 - 2.27 / 12, 0.5])))
    centre = np.array([5.5, 3.6, 6.5])
    made.add(
        ["N", "C", "C"], centre + [[0.0, 2.1, 0.0], [0.9, 3.15, 0.55], [0.7, 4.55, 0.0]], occupancy="0.5", group="-1"
    )
    (complex_,) = read(made, tmp_path).molecules
    assert (complex_.formula, complex_.per_cell) == ("C2AuClN", 1)


def test_all_copies_take_the_same_side_by_symmetry(tmp_path):
    names, body = TOLUENE
    ops = ["x,y,z", "-x,-y,-z", "x+1/2,y+1/2,z", "-x+1/2,-y+1/2,-z"]
    made = MadeUp((14.0, 15.0, 11.0, 85.0, 95.0, 100.0), ops)
    at = np.array([0.5, 0.5, 0.5]) @ made.lattice
    made.add(names, (body - [0.25, 0.05, 0.02]) @ rotation([1, 1, 0], 33) + at, occupancy="0.5", group="-1")
    crystal = read(made, tmp_path)
    assert summary(crystal) == [("C7H8", 2)]
    first, second = crystal.copies[0]
    shift = second.fractional(crystal.cell) - first.fractional(crystal.cell)
    assert np.abs(shift - shift[0]).max() < 1e-9, "a centring translation, so the same orientation"


def test_two_metals_on_one_site_give_the_more_frequent_one(tmp_path):
    made = MadeUp(BOX, P1)
    made.atoms += [
        Atom("Ag", np.array([0.5, 0.5, 0.5]), occupancy="0.35"),
        Atom("Au", np.array([0.5, 0.5, 0.501]), occupancy="0.65"),
        Atom("Cl", np.array([0.5 + 2.3 / 11, 0.5, 0.5])),
        Atom("Cl", np.array([0.5 - 2.3 / 11, 0.5, 0.5])),
    ]
    (molecule,) = read(made, tmp_path).molecules
    assert molecule.formula == "AuCl2"
    assert molecule.disorder[0].left_out[0].sites == ("Ag1",)


def test_the_riding_hydrogen_goes_with_its_carbon(tmp_path):
    """The hydrogens carry no flag and full occupancy, the carbons they ride on do."""
    made = MadeUp(BOX, P1)
    made.add(["O", "H"], np.array([[5.0, 5.0, 5.0], [5.0, 4.2, 5.4]]))
    for group, occupancy, side in (("1", "0.6", 1), ("2", "0.4", -1)):
        carbon = np.array([5.0 + side * 0.9, 6.05, 5.0])
        made.add(["C"], [carbon], occupancy=occupancy, group=group)
        made.add(["H"] * 3, carbon + np.array([[side, 0.3, 0], [side * 0.1, 0.6, 0.9], [side * 0.1, 0.6, -0.9]]))
    (methanol,) = read(made, tmp_path).molecules
    assert methanol.formula == "CH4O"


def test_a_site_mostly_empty_on_a_molecule_always_there_is_left_out(tmp_path):
    made = MadeUp(BOX, P1)
    made.add(["Cu", "Cl", "Cl"], np.array([[5, 5, 5], [7.1, 5, 5], [2.9, 5, 5.0]]))
    made.add(["O"], np.array([[5.0, 7.0, 5.0]]), occupancy="0.2")
    crystal = read(made, tmp_path)
    assert summary(crystal) == [("Cl2Cu", 1)]
    assert any("O4 left out" in w for w in crystal.warnings)


def test_a_solvent_that_is_not_always_there_is_kept_and_said_to_be(tmp_path):
    names, body = CHLOROFORM
    made = MadeUp(BOX, P_1)
    made.add(names, body + [3.0, 3.0, 3.0], occupancy="0.4")
    (solvent,) = read(made, tmp_path).molecules
    assert (solvent.per_cell, solvent.presence) == (2, pytest.approx(0.4))
    (told,) = solvent.to_json()["disorder"]
    assert (told["occupancy"], told["left_out"]) == (pytest.approx(0.4), [])


def test_an_atom_off_its_axis_by_rounding_appears_once(tmp_path):
    """0.3333 and 0.6667 in a long cell are 4 mA off the three-fold axis."""
    made = MadeUp((40.0, 40.0, 12.0, 90.0, 90.0, 120.0), P3)
    made.atoms.append(Atom("Cu", np.array([0.3333, 0.6667, 0.5])))
    made.add(["P"], [np.array([1 / 3, 2 / 3, 0.5]) @ made.lattice + [2.0, 0.3, 0.9]])
    (molecule,) = read(made, tmp_path).molecules
    assert (molecule.formula, molecule.per_cell) == ("CuP3", 1)
    copper = molecule.positions_angstrom[0] @ np.linalg.inv(made.lattice)
    assert copper[:2] == pytest.approx([1 / 3, 2 / 3], abs=1e-9)


def test_occupancy_decides_whether_two_near_images_are_one_atom(tmp_path):
    """0.18 A off an inversion centre: a full atom is on it, half an atom is on one side or the other."""
    for occupancy, on_centre in (("1", True), ("0.5", False)):
        made = MadeUp(BOX, P_1)
        made.atoms.append(Atom("Pt", np.array([0.5 + 0.18 / 11, 0.5, 0.5]), occupancy=occupancy))
        made.atoms.append(Atom("Cl", np.array([0.5, 0.5 + 2.3 / 12, 0.5])))
        (molecule,) = read(made, tmp_path).molecules
        assert (molecule.formula, molecule.per_cell) == ("Cl2Pt", 1)
        x = float(molecule.positions_angstrom[0, 0])
        assert (abs(x - 5.5) < 1e-9) is on_centre


def test_a_third_of_an_atom_on_a_threefold_axis_is_a_whole_one(tmp_path):
    """Some programs write occupancy times site multiplicity."""
    made = MadeUp((14.0, 14.0, 12.0, 90.0, 90.0, 120.0), P3)
    made.atoms.append(Atom("Cu", np.array([1 / 3, 2 / 3, 0.5]), occupancy="0.3333"))
    made.add(["P"], [np.array([1 / 3, 2 / 3, 0.5]) @ made.lattice + [2.0, 0.3, 0.9]])
    (molecule,) = read(made, tmp_path).molecules
    assert (molecule.formula, molecule.per_cell, molecule.presence) == ("CuP3", 1, 1.0)


BODIES = {"BF4": TETRAFLUOROBORATE, "CHCl3": CHLOROFORM, "C7H8": TOLUENE}
WAYS = {
    "two orientations": (P1, ("0.6", "0.4")),
    "two orientations, half each": (P1, ("0.5", "0.5")),
    "about an inversion centre": (P_1, ("0.5",)),
    "about a point 222": (["x,y,z", "-x,-y,z", "-x,y,-z", "x,-y,-z"], ("0.25",)),
}


@given(
    formula=st.sampled_from(sorted(BODIES)),
    way=st.sampled_from(sorted(WAYS)),
    flagged=st.booleans(),
    seed=st.integers(0, 10**6),
)
@settings(max_examples=80, deadline=None, derandomize=True)
def test_no_molecule_mixes_alternatives(formula, way, flagged, seed):
    """Any orientation, a few tenths of an Angstrom off the place; with and without flags."""
    operators, occupancies = WAYS[way]
    rng = np.random.default_rng(seed)
    made = MadeUp((14.0, 15.0, 16.0, 90.0, 90.0, 90.0), operators)
    symbols, body = BODIES[formula]
    for number, occupancy in enumerate(occupancies, start=1):
        turned = (body - body.mean(axis=0)) @ Rotation.random(rng=rng).as_matrix()
        place = [7.0, 7.5, 8.0] + 0.25 * rng.normal(size=3)
        group = (str(number) if len(operators) == 1 else "-1") if flagged else "."
        made.add(symbols, turned + place, occupancy=occupancy, group=group)
    with TemporaryDirectory() as folder:
        crystal = read_crystal(made.write(Path(folder)))
    assert summary(crystal) == [(formula, 1)]
    assert crystal.molecules[0].presence == pytest.approx(1.0)
