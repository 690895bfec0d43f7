"""Ligands, ions and solvents in several orientations about symmetry elements, with disorder flags and without."""

from __future__ import annotations

from itertools import count

import numpy as np
import pytest
from crystal_models import CHLOROFORM, TETRAFLUOROBORATE, MadeUp, rotation, summary

from qcdriver.io.cif import read_crystal

BOX = (14.0, 15.0, 16.0, 90.0, 90.0, 90.0)
TETRAGONAL = (14.0, 14.0, 16.0, 90.0, 90.0, 90.0)
HEXAGONAL = (14.0, 14.0, 16.0, 90.0, 90.0, 120.0)
P1 = ["x,y,z"]
P_1 = ["x,y,z", "-x,-y,-z"]
P2 = ["x,y,z", "-x,y,-z"]
P3 = ["x,y,z", "-y,x-y,z", "-x+y,-x,z"]
P_3 = [*P3, "-x,-y,-z", "y,-x+y,-z", "x-y,x,-z"]
P4 = ["x,y,z", "-x,-y,z", "-y,x,z", "y,-x,z"]
P_4 = ["x,y,z", "-x,-y,z", "y,-x,-z", "-y,x,-z"]
PERCHLORATE = TETRAFLUOROBORATE[1] * 1.036 @ rotation([1, 0.4, 0.2], 33)
FLAGS = pytest.mark.parametrize("flagged", [True, False], ids=["flags", "no flags"])


def on_cone(length, from_axis_deg, turn_deg):
    """Place at an angle from the z axis."""
    theta, phi = np.radians([from_axis_deg, turn_deg])
    return length * np.array([np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta)])


def on_top(centre, bond, length, turns):
    """Three hydrogens or the like on an atom whose bond has this direction."""
    along = bond / np.linalg.norm(bond)
    across = np.cross(along, [0.3, 0.2, 0.9])
    across /= np.linalg.norm(across)
    start = length * (np.cos(np.radians(70.5)) * along + np.sin(np.radians(70.5)) * across)
    return np.array([centre + rotation(along, turn) @ start for turn in turns])


def crystal(tmp_path, cell, operators, ordered, alternatives=(), flagged=False):
    """Write (symbols, places) that are always there, and alternatives: (occupancy, symbols, places)."""
    made = MadeUp(cell, operators)
    for symbols, places in ordered:
        made.add(symbols, np.atleast_2d(places))
    for group, (occupancy, symbols, places) in zip(count(1), alternatives, strict=False):
        tags = {"group": str(group), "assembly": "A"} if flagged else {}
        made.add(symbols, np.atleast_2d(places), occupancy=occupancy, **tags)
    return read_crystal(made.write(tmp_path))


@FLAGS
def test_four_arms_on_a_fourfold_axis(tmp_path, flagged):
    arms = [
        (occupancy, ["N", "C"], np.array([on_cone(r, 90, turn) + [0, 0, 4.0] for r in (2.05, 3.2)]))
        for occupancy, turn in (("0.7", 0), ("0.3", 40))
    ]
    assert summary(crystal(tmp_path, TETRAGONAL, P4, [(["Pt"], [0, 0, 4.0])], arms, flagged)) == [("C4N4Pt", 1)]


@FLAGS
def test_methyl_groups_in_two_orientations_on_a_rotoinversion_axis(tmp_path, flagged):
    carbon = on_cone(1.49, 54.74, 10)
    halves = [("0.5", ["H"] * 3, on_top(carbon, carbon, 0.98, turns)) for turns in ((0, 120, 240), (60, 180, 300))]
    found = crystal(tmp_path, TETRAGONAL, P_4, [(["N", "C"], [np.zeros(3), carbon])], halves, flagged)
    assert summary(found) == [("C4H12N", 1)]


@FLAGS
@pytest.mark.parametrize("occupancies", [("0.6", "0.4"), ("0.5", "0.5")])
def test_benzene_on_a_threefold_axis_and_ferrocene_on_a_centre(tmp_path, occupancies, flagged):
    def ring(n, radius, turn, height):
        return np.array([on_cone(radius, 90, turn + 360 / n * k) + [0, 0, height] for k in range(n)])

    benzene = [
        (o, ["C", "C", "H", "H"], np.concatenate([ring(6, 1.39, turn, 4.0)[:2], ring(6, 2.34, turn, 4.0)[:2]]))
        for o, turn in zip(occupancies, (5, 35), strict=True)
    ]
    assert summary(crystal(tmp_path, HEXAGONAL, P3, [], benzene, flagged)) == [("C6H6", 1)]
    rings = [
        (o, ["C"] * 5 + ["H"] * 5, np.concatenate([ring(5, 1.21, turn, 1.65), ring(5, 2.15, turn, 1.65)]))
        for o, turn in zip(occupancies, (0, 36), strict=True)
    ]
    assert summary(crystal(tmp_path, BOX, P_1, [(["Fe"], np.zeros(3))], rings, flagged)) == [("C10H10Fe", 1)]


@pytest.mark.parametrize(
    ("formula", "cell", "operators", "symbols", "places"),
    [
        ("ClO4", BOX, P2, ["Cl"] + ["O"] * 4, PERCHLORATE + [0.2, 3, 0.1]),
        (
            "CF3O3S",
            BOX,
            P_1,
            ["S", "C", "O", "O", "O", "F", "F", "F"],
            np.array([[0, 0, 0.9], [0, 0, -0.9], [1.43, 0, 1.3], [-0.71, 1.24, 1.3], [-0.71, -1.24, 1.3]]
                     + [[1.25, 0.3, -1.35], [-0.9, 0.93, -1.35], [-0.4, -1.24, -1.35]]) + [0.05, 0.03, 0.02],
        ),
        (
            "CH2Cl2",
            BOX,
            P_1,
            ["C", "H", "H", "Cl", "Cl"],
            [[0.1, 0.65, 0], [0.9, 1.25, 0.1], [-0.7, 1.25, -0.1], [0.1, -0.3, 1.47], [0.1, -0.3, -1.47]],
        ),
        (
            "C4O",
            BOX,
            P_1,
            ["O", "C", "C", "C", "C"],
            [[0.15, 1.3, 0.05], [1.3, 0.45, 0.15], [0.87, -0.95, 0.25], [-0.57, -0.95, -0.15], [-1.0, 0.45, -0.05]],
        ),
        ("H2O", BOX, P2, ["O", "H", "H"], [[0.55, 3, 0.3], [0.9, 3.8, 0.5], [1.1, 2.4, 0.1]]),
    ],
    ids=["perchlorate", "triflate", "dichloromethane", "tetrahydrofuran", "water"],
)  # fmt: skip
def test_an_ion_or_a_solvent_that_is_there_half_about_an_element(tmp_path, formula, cell, operators, symbols, places):
    assert summary(crystal(tmp_path, cell, operators, [], [("0.5", symbols, places)])) == [(formula, 1)]


@pytest.mark.parametrize("occupancies", [("0.5", "0.5"), ("0.6", "0.4")])
def test_a_hexafluorophosphate_has_six_fluorines_of_twelve(tmp_path, occupancies):
    fluorines = [(o, ["F"], on_cone(1.58, 54.7, turn)) for o, turn in zip(occupancies, (0, 30), strict=True)]
    assert summary(crystal(tmp_path, HEXAGONAL, P_3, [(["P"], np.zeros(3))], fluorines)) == [("F6P", 1)]


@FLAGS
@pytest.mark.parametrize("occupancies", [("0.5", "0.3", "0.2"), ("0.334", "0.333", "0.333")])
def test_a_trifluoromethyl_group_in_three_orientations(tmp_path, occupancies, flagged):
    rod = (["N", "C", "C"], np.array([[3, 3, 0.4], [3, 3, 1.54], [3, 3, 3.0]]))
    turns = [
        (o, ["F"] * 3, np.array([on_cone(1.33, 70.5, turn + 120 * k) + [3, 3, 3.0] for k in range(3)]))
        for o, turn in zip(occupancies, (0, 40, 80), strict=True)
    ]
    assert summary(crystal(tmp_path, BOX, P1, [rod], turns, flagged)) == [("C2F3N", 1)]


@FLAGS
@pytest.mark.parametrize("occupancies", [("0.5", "0.5"), ("0.6", "0.4")])
def test_two_solvents_in_one_place(tmp_path, occupancies, flagged):
    chloroform = (occupancies[0], CHLOROFORM[0], CHLOROFORM[1] + [5, 5, 5.0])
    other = np.array([[0, 0.6, 0], [0.8, 1.2, 0.1], [-0.8, 1.2, -0.1], [0, -0.35, 1.47], [0, -0.35, -1.47]])
    dichloromethane = (occupancies[1], ["C", "H", "H", "Cl", "Cl"], other + [5.3, 5.2, 4.9])
    assert summary(crystal(tmp_path, BOX, P1, [], [chloroform, dichloromethane], flagged)) == [("CHCl3", 1)]


PHOSPHINE = (["P", "H", "H", "H"], np.array([[0, 2.3, 0], [1.2, 2.9, 0.3], [-0.9, 2.9, 0.9], [-0.4, 2.9, -1.2]]))


def test_chloride_and_carbonyl_trans_on_a_centre(tmp_path):
    """Vaska's complex: half a chloride and half a carbonyl at either end are one of each."""
    halves = [("0.5", ["Cl"], [2.38, 0, 0.05]), ("0.5", ["C", "O"], np.array([[1.85, 0, 0.03], [3.0, 0, 0.05]]))]
    iridium = (["Ir"], np.zeros(3))
    assert summary(crystal(tmp_path, BOX, P_1, [iridium, PHOSPHINE], halves)) == [("CH6ClIrOP2", 1)]
    found = crystal(tmp_path, BOX, P_1, [iridium, PHOSPHINE], halves, flagged=True)
    assert summary(found) == [("Cl2H6IrP2", 1)], "nobody names either, and arms of a cluster are chosen alike"
    assert found.warnings[0] == (
        "Cl6: all 2 images in one molecule were taken, where the occupancy says 1.0; with C7, O8 in place of 1 of "
        "them it is CH6ClIrOP2"
    )


@FLAGS
def test_elements_that_share_a_site_about_an_element_are_said(tmp_path, flagged):
    """A bridging cyanide about a centre, C and N on one site; chloride and bromide on copper."""
    gold = (
        ["Au", "P", "H", "H", "H"],
        [[2.55, 0, 0], [4.85, 0, 0], [5.4, 1.2, 0.3], [5.4, -0.9, 0.9], [5.4, -0.4, -1.2]],
    )
    both = [("0.5", ["C"], [0.58, 0, 0]), ("0.5", ["N"], [0.58, 0, 0])]
    said = crystal(tmp_path, BOX, P_1, [gold], both, flagged).warnings
    assert said == ("C6 (50 %) was taken in all 2 of its places in C2H6Au2P2, which it shares with N7 (50 %)",)
    halides = [("0.7", ["Cl"], [2.1, 3, 0]), ("0.3", ["Br"], [2.25, 3, 0.02])]
    said = crystal(tmp_path, BOX, P2, [(["Cu"], [0, 3.0, 0])], halides, flagged).warnings
    assert "Cl2 (70 %) was taken in all 2 of its places in Cl2Cu, which it shares with Br3 (30 %)" in said


def test_half_hydrogens_between_two_molecules_about_a_centre(tmp_path):
    """Of an acid dimer each has one; of two waters, one of each is said to be there only half of the time."""
    acid = (["C", "C", "O", "O"], np.array([[0, 1.9, 0], [0, 3.4, 0], [1.1, 1.3, 0], [-1.1, 1.3, 0]]))
    methyl = (["H"] * 3, np.array([[1.0, 3.75, 0.1], [-0.5, 3.75, 0.85], [-0.5, 3.75, -0.9]]))
    halves = [("0.5", ["H", "H"], np.array([[1.1, 0.35, 0], [-1.1, 0.35, 0]]))]
    assert summary(crystal(tmp_path, BOX, P_1, [acid, methyl], halves)) == [("C2H4O2", 2)]
    water = (["O", "H"], np.array([[1.38, 0, 0], [1.7, 0.8, 0.1]]))
    halves = [("0.5", ["H", "H"], np.array([[0.55, 0.05, 0], [1.7, -0.4, 0.8]]))]
    assert "H4 taken, though there only 50 % of the time" in crystal(tmp_path, BOX, P_1, [water], halves).warnings[0]
