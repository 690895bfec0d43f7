"""Crystals like those of the two target clusters, made from models with known places."""

import gemmi
import numpy as np
import pytest
from crystal_models import (
    CHLOROFORM,
    TETRAFLUOROBORATE,
    MadeUp,
    copper_cluster,
    off_angstrom,
    rotation,
    triplets,
)

from qcdriver.io.cif import read_crystal
from qcdriver.systems.au13ag12.model import RodModel, build_rod
from qcdriver.units import ANGSTROM

P31C = triplets(gemmi.find_spacegroup_by_name("P 3 1 c"))
SKEWS_DEG = {"A": 3.0, "B": 6.0, "C": 9.0}
AXES = {"A": (1 / 3, 2 / 3, 0.10), "B": (0.0, 0.0, 0.15), "C": (2 / 3, 1 / 3, 0.12)}


def copper_crystal(other_hand: str | None) -> tuple[MadeUp, dict[str, np.ndarray], list[str]]:
    """Three different C3 clusters on the three-fold axes of P31c, one third of each listed, with BF4- and CHCl3.

    `other_hand`: None, or how 6 % of mirror images are written: "flagged" as disorder groups, or by occupancy "alone".
    """
    made = MadeUp((28.0, 28.0, 30.0, 90.0, 90.0, 120.0), P31C)
    made.tags["_space_group_name_H-M_alt"] = "P3_1c"
    made.tags["_refine_ls_abs_structure_Flack"] = "0.06(2)"
    clusters = {}
    symbols: list[str] = []
    for label, skew in SKEWS_DEG.items():
        symbols, positions, third = copper_cluster(skew)
        at = np.array(AXES[label]) @ made.lattice
        clusters[label] = positions + at
        image = positions * [-1, 1, 1]
        for k in np.flatnonzero(third):
            # What the two hands share is there always.
            shared = np.linalg.norm(image - positions[k], axis=1).min() < 0.05
            if other_hand is None or shared:
                made.add([symbols[k]], [positions[k] + at])
                continue
            for hand, place, occupancy in (("1", positions[k], "0.94"), ("2", image[k], "0.06")):
                flag = {"group": hand, "assembly": label} if other_hand == "flagged" else {}
                made.add([symbols[k]], [place + at], occupancy=occupancy, **flag)
    for (names, body), at in ((TETRAFLUOROBORATE, (0.33, 0.05, 0.35)), (CHLOROFORM, (0.36, 0.04, 0.62))):
        made.add(names, body @ rotation([1, 2, 3], 40) + np.array(at) @ made.lattice)
    return made, clusters, symbols


@pytest.mark.parametrize("other_hand", [None, "flagged", "alone"])
def test_three_conformers_on_threefold_axes_come_back_each_whole(tmp_path, other_hand):
    made, clusters, symbols = copper_crystal(other_hand)

    crystal = read_crystal(made.write(tmp_path))

    assert crystal.space_group == "P31c"
    assert [(m.label, m.formula, m.per_cell, m.role, m.charge, m.multiplicity) for m in crystal.molecules] == [
        *((label, "C3H43Cu14P8S3", 2, "cluster", 1, 1) for label in "ABC"),
        ("D", "BF4", 6, "counter-ion", -1, 1),
        ("E", "CHCl3", 6, "solvent", 0, 1),
    ]
    for molecule in crystal.molecules[:3]:
        assert off_angstrom(molecule, symbols, clusters[molecule.label], made) < 0.01
        assert molecule.mirror_copies == 1, "the glide plane makes one of the two the mirror image"
    if other_hand == "flagged":
        for molecule in crystal.molecules[:3]:
            (choice,) = molecule.disorder
            assert (choice.assembly, choice.chosen.group) == (molecule.label, "1")
            assert choice.left_out[0].occupancy == pytest.approx(0.06)


def test_the_minor_hand_can_be_asked_for(tmp_path):
    made, clusters, symbols = copper_crystal("flagged")
    crystal = read_crystal(made.write(tmp_path), choices={"B": "2"})
    minor = crystal.pick("B")
    axis = np.array(AXES["B"]) @ made.lattice
    image = (clusters["B"] - axis) * [-1, 1, 1] + axis
    assert minor.disorder[0].chosen.group == "2"
    # The glide plane alone makes this hand from the other, so both fit an operator; compare without improper ones.
    made.operators = [op for op in made.operators if gemmi.Op(op).det_rot() > 0]
    assert off_angstrom(minor, symbols, image, made) < 0.01
    assert off_angstrom(crystal.pick("A"), symbols, clusters["A"], made) < 0.01


def rod() -> tuple[list[str], np.ndarray]:
    molecule = build_rod(RodModel(phosphine="PH3"))
    return list(molecule.symbols), molecule.geometry * ANGSTROM


@pytest.mark.parametrize(
    ("symbol", "cell", "per_cell"),
    [
        ("P -1", (15.0, 16.0, 26.0, 81.0, 77.0, 85.0), 2),
        ("P 1 21/n 1", (21.0, 27.0, 30.0, 90.0, 98.0, 90.0), 4),
    ],
)
def test_a_rod_on_a_general_position_comes_back(tmp_path, symbol, cell, per_cell):
    symbols, positions = rod()
    made = MadeUp(cell, triplets(gemmi.find_spacegroup_by_name(symbol)))
    positions = positions @ rotation([3, 1, 2], 25).T + np.array([0.27, 0.21, 0.24]) @ made.lattice
    made.add(symbols, positions)
    for atom in made.atoms:
        atom.fractional[:] %= 1.0

    (molecule,) = read_crystal(made.write(tmp_path)).molecules

    assert (molecule.formula, molecule.per_cell) == ("Ag12Au13Cl8H30P10", per_cell)
    assert off_angstrom(molecule, symbols, positions, made) < 0.01


@pytest.mark.parametrize(
    ("symbol", "cell"),
    [("C 1 2/c 1", (34.0, 22.0, 30.0, 90.0, 103.0, 90.0)), ("P 1 2 1", (17.0, 16.0, 24.0, 90.0, 99.0, 90.0))],
)
def test_half_a_rod_on_a_twofold_axis_comes_back_whole(tmp_path, symbol, cell):
    symbols, positions = rod()
    group = gemmi.find_spacegroup_by_name(symbol)
    made = MadeUp(cell, triplets(group))
    # A belt chloride and the shared gold atom define the two-fold axis; it goes along b.
    shared = positions[np.linalg.norm(positions - positions.mean(axis=0), axis=1).argmin()]
    chlorides = [p for s, p in zip(symbols, positions, strict=True) if s == "Cl" and abs(p[2] - shared[2]) < 0.5]
    axis = chlorides[0] - shared
    axis[2] = 0.0
    axis /= np.linalg.norm(axis)
    frame = np.array([np.cross(axis, [0, 0, 1]), axis, [0, 0, 1]])
    turned = (positions - shared) @ frame.T
    upper = turned[:, 2] > 0.5
    middle = np.abs(turned[:, 2]) <= 0.5
    middle &= (turned[:, 0] > 0.5) | (np.hypot(turned[:, 0], turned[:, 2]) < 0.5)
    on_axis = np.hypot(turned[:, 0], turned[:, 2]) < 0.5
    turned[on_axis] *= [0, 1, 0]
    half = upper | middle
    names = np.array(symbols)
    whole = np.concatenate([turned[half], turned[half & ~on_axis] * [-1, 1, -1]])
    elements = [*names[half], *names[half & ~on_axis]]
    at = np.array([0.0, 0.3, 0.25 if "c" in symbol else 0.0]) @ made.lattice
    made.add(names[half].tolist(), turned[half] + at)

    (molecule,) = read_crystal(made.write(tmp_path)).molecules

    assert (molecule.natoms, molecule.per_cell) == (73, len(made.operators) // 2)
    assert off_angstrom(molecule, elements, whole + at, made) < 0.01
