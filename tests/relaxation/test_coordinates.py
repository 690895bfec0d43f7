"""Coordinates: exact gradients, continuity, what they are invariant to, and rigid starts at a wanted value."""

from __future__ import annotations

import numpy as np
import pytest
from ase.build import molecule as ase_molecule
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.spatial.distance import pdist
from scipy.spatial.transform import Rotation

from qcdriver.errors import InputError
from qcdriver.relaxation.coordinates import driven, gradient, onto_targets, value_deg
from qcdriver.schema import Coordinate, Molecule, Target
from qcdriver.structures.au13ag12 import RodModel, build_rod
from qcdriver.structures.bonds import ligands
from qcdriver.structures.rod import find_rod, twist_coordinate
from qcdriver.units import ANGSTROM

DIHEDRAL = Coordinate(kind="dihedral", quadruples=((0, 1, 2, 3),))
TWIST = Coordinate(kind="twist", quadruples=((0, 1, 2, 3), (4, 1, 2, 5), (6, 1, 2, 7)))


@st.composite
def two_rings(draw: st.DrawFn) -> np.ndarray:
    """Two uneven triangles about a bond, at any twist: eight atoms as `TWIST` numbers them, (8, 3)."""
    turn = draw(st.floats(-180.0, 180.0))
    geometry = np.zeros((8, 3))
    geometry[2] = 0.0, 0.0, 2.8
    for k, (near, far) in enumerate(((0, 3), (4, 5), (6, 7))):
        for atom, z, azimuth in ((near, -1.0, 120.0 * k), (far, 3.8, 120.0 * k + turn)):
            geometry[atom] = 2 * np.cos(np.radians(azimuth)), 2 * np.sin(np.radians(azimuth)), z
    return geometry + draw(arrays(float, (8, 3), elements=st.floats(-0.4, 0.4)))


def hydrogen_peroxide(dihedral_deg: float = 100.0) -> Molecule:
    atoms = ase_molecule("H2O2")
    h1, h2 = (i for i, s in enumerate(atoms.symbols) if s == "H")
    o1, o2 = (i for i, s in enumerate(atoms.symbols) if s == "O")
    near = o1 if atoms.get_distance(h1, o1) < atoms.get_distance(h1, o2) else o2
    order = [h1, near, o1 + o2 - near, h2]
    atoms = atoms[order]
    atoms.set_dihedral(0, 1, 2, 3, dihedral_deg, indices=[3])
    return Molecule(symbols=("H", "O", "O", "H"), geometry=atoms.positions / ANGSTROM)


def ethane() -> tuple[Molecule, Coordinate]:
    atoms = ase_molecule("C2H6")
    c1, c2 = (i for i, s in enumerate(atoms.symbols) if s == "C")
    hydrogens = [i for i, s in enumerate(atoms.symbols) if s == "H"]
    first = [i for i in hydrogens if atoms.get_distance(i, c1) < 1.3]
    last = [i for i in hydrogens if i not in first]
    quadruples = tuple(
        (a, c1, c2, b) for a in first for b in last if abs(atoms.get_dihedral(a, c1, c2, b) - 60.0) < 1.0
    )
    assert len(quadruples) == 3
    molecule = Molecule(symbols=tuple(atoms.symbols), geometry=atoms.positions / ANGSTROM)
    return molecule, Coordinate(kind="twist", quadruples=quadruples, period_deg=120.0)


@pytest.mark.parametrize("coordinate", [DIHEDRAL, TWIST], ids=lambda c: c.kind)
@settings(max_examples=30, deadline=None)
@given(geometry=two_rings())
def test_the_gradient_is_the_derivative_of_the_value(coordinate: Coordinate, geometry: np.ndarray) -> None:
    value, h = value_deg(coordinate, geometry), 1e-5
    numerical = np.zeros_like(geometry)
    for place in np.ndindex(*geometry.shape):
        shift = np.zeros_like(geometry)
        shift[place] = h
        up, down = (value_deg(coordinate, geometry + sign * shift, value) for sign in (1, -1))
        numerical[place] = (up - down) / (2 * h)
    np.testing.assert_allclose(gradient(coordinate, geometry), numerical, atol=2e-5)


@settings(max_examples=30, deadline=None)
@given(geometry=two_rings(), turn=st.integers(0, 2**32 - 1))
def test_the_value_knows_neither_place_nor_orientation_and_a_mirror_turns_its_sign(
    geometry: np.ndarray, turn: int
) -> None:
    value = value_deg(TWIST, geometry)
    moved = Rotation.random(rng=np.random.default_rng(turn)).apply(geometry) + [3.0, -2.0, 1.0]
    assert value_deg(TWIST, moved, value) == pytest.approx(value, abs=1e-7)
    assert value_deg(TWIST, geometry * [1, 1, -1], -value) == pytest.approx(-value, abs=1e-7)


@settings(max_examples=30, deadline=None)
@given(geometry=two_rings(), order=st.permutations(range(8)))
def test_renumbered_atoms_keep_the_value(geometry: np.ndarray, order: list[int]) -> None:
    new = {old: k for k, old in enumerate(order)}
    renumbered = Coordinate(
        kind="twist", quadruples=tuple(tuple(new[atom] for atom in four) for four in reversed(TWIST.quadruples))
    )
    value = value_deg(TWIST, geometry)
    assert value_deg(renumbered, geometry[list(order)], value) == pytest.approx(value, abs=1e-9)


def test_the_sign_is_that_of_ase() -> None:
    for angle in (-170.0, -60.0, 10.0, 100.0):
        assert value_deg(DIHEDRAL, hydrogen_peroxide(angle).geometry) == pytest.approx(angle, abs=1e-9)


@pytest.mark.parametrize("make", [lambda: (hydrogen_peroxide(), DIHEDRAL), ethane], ids=["dihedral", "twist"])
def test_a_full_turn_is_continuous(make) -> None:
    molecule, coordinate = make()
    # Uneven hydrogens: the dihedrals of the twist pass 180 deg one after the other.
    rng = np.random.default_rng(1)
    molecule = molecule.moved(molecule.geometry + rng.normal(0, 0.15, molecule.geometry.shape))
    value = start = value_deg(coordinate, molecule.geometry)
    for step in range(1, 73):
        molecule = driven(molecule, coordinate, start + 5.0 * step)
        value = value_deg(coordinate, molecule.geometry, value)
        assert value == pytest.approx(start + 5.0 * step, abs=1e-6)


def test_driving_a_dihedral_turns_only_what_lies_beyond_the_bond() -> None:
    before = hydrogen_peroxide(100.0)
    after = driven(before, DIHEDRAL, -140.0)
    assert value_deg(DIHEDRAL, after.geometry) == pytest.approx(-140.0, abs=1e-8)
    np.testing.assert_allclose(after.geometry[:3], before.geometry[:3], atol=1e-9)
    for pair in ((1, 2), (2, 3), (1, 3)):
        i, j = pair
        assert np.linalg.norm(after.geometry[i] - after.geometry[j]) == pytest.approx(
            np.linalg.norm(before.geometry[i] - before.geometry[j])
        )


@pytest.mark.parametrize(("phosphine", "turn_deg"), [("PH3", 6.0), ("PH3", -11.0), ("PPh3", 36.0)])
def test_driving_the_rod_keeps_each_icosahedron_and_each_phosphine_rigid(phosphine: str, turn_deg: float) -> None:
    before = build_rod(RodModel(phosphine=phosphine, twist_deg=10.0))
    twist = twist_coordinate(before, near_deg=10.0)
    rod = find_rod(before)
    value = value_deg(twist, before.geometry)
    untouched = before.geometry.copy()
    after = driven(before, twist, value + turn_deg)
    assert value_deg(twist, after.geometry) == pytest.approx(value + turn_deg, abs=1e-8)
    np.testing.assert_array_equal(before.geometry, untouched)

    halves = [[rod.shared, rod.centres[k], *rod.silver_rings[k], *rod.gold_rings[k]] for k in (0, 1)]
    for atoms in halves:
        np.testing.assert_allclose(pdist(after.geometry[atoms]), pdist(before.geometry[atoms]), atol=1e-6)
    gold = np.array(rod.gold_rings[0] + rod.gold_rings[1])
    for phosphine in (part for part in ligands(before) if len(part) > 1):
        donor = next(atom for atom in phosphine if before.symbols[atom] == "P")
        bound = gold[np.linalg.norm(before.geometry[gold] - before.geometry[donor], axis=1).argmin()]
        atoms = [bound, *phosphine]
        np.testing.assert_allclose(pdist(after.geometry[atoms]), pdist(before.geometry[atoms]), atol=1e-6)


def test_a_ligand_that_leans_over_the_belt_turns_as_one_piece() -> None:
    rod = build_rod(RodModel())
    phosphine = next(list(part) for part in ligands(rod) if len(part) > 1)
    centre, shared = (rod.geometry[atom] for atom in (find_rod(rod).centres[0], find_rod(rod).shared))
    towards = shared - centre if (rod.geometry[phosphine[0]] - shared) @ (centre - shared) > 0 else centre - shared
    leaning = rod.geometry.copy()
    leaning[phosphine] += 1.2 * towards
    before = rod.moved(leaning)
    twist = twist_coordinate(rod)
    after = driven(before, twist, value_deg(twist, leaning) + 36.0)
    assert np.linalg.norm(after.geometry[phosphine[0]] - leaning[phosphine[0]]) > 0.1
    np.testing.assert_allclose(pdist(after.geometry[phosphine]), pdist(leaning[phosphine]), atol=1e-6)


def test_the_belt_turns_by_half_of_what_the_rings_turn() -> None:
    before = build_rod(RodModel(twist_deg=10.0))
    twist = twist_coordinate(before, near_deg=10.0)
    rod = find_rod(before)
    after = driven(before, twist, value_deg(twist, before.geometry) + 12.0)
    near, belt, far = (
        turn_about(rod.centres, group, before.geometry, after.geometry)
        for group in (rod.silver_rings[0], rod.belt_halides, rod.silver_rings[1])
    )
    assert abs(far - near) == pytest.approx(12.0, abs=1e-6)
    assert belt - near == pytest.approx((far - near) / 2, abs=0.2)


def turn_about(axis: tuple[int, int], group: tuple[int, ...], before: np.ndarray, after: np.ndarray) -> float:
    """Mean rotation of a group about the axis through two atoms, in degrees."""
    start, end = axis
    unit = (before[end] - before[start]) / np.linalg.norm(before[end] - before[start])
    old, new = (g[list(group)] - g[start] for g in (before, after))
    old, new = (v - np.outer(v @ unit, unit) for v in (old, new))
    return float(np.degrees(np.arctan2(np.cross(old, new) @ unit, (old * new).sum(-1))).mean())


def test_two_coordinates_can_be_held_together() -> None:
    atoms = ase_molecule("trans-butane")
    carbons = [i for i, s in enumerate(atoms.symbols) if s == "C"]
    chain = sorted(carbons, key=lambda i: atoms.positions[i, np.ptp(atoms.positions, axis=0).argmax()])
    hydrogen = next(i for i, s in enumerate(atoms.symbols) if s == "H" and atoms.get_distance(i, chain[3]) < 1.2)
    targets = tuple(
        Target(coordinate=Coordinate(kind="dihedral", quadruples=(four,)), value_deg=value)
        for four, value in ((tuple(chain), 150.0), ((*chain[1:], hydrogen), 40.0))
    )
    geometry = onto_targets(atoms.positions / ANGSTROM, targets)
    for target in targets:
        assert value_deg(target.coordinate, geometry) == pytest.approx(target.value_deg, abs=1e-8)


def test_targets_that_contradict_each_other_are_refused() -> None:
    targets = tuple(Target(coordinate=DIHEDRAL, value_deg=value) for value in (90.0, 120.0))
    with pytest.raises(InputError, match="cannot be met together"):
        onto_targets(hydrogen_peroxide().geometry, targets)


def test_an_atom_that_is_not_there_is_named() -> None:
    coordinate = Coordinate(kind="dihedral", quadruples=((0, 1, 2, 9),))
    with pytest.raises(InputError, match=r"atom 9 .* there are 4"):
        value_deg(coordinate, hydrogen_peroxide().geometry)


def test_collinear_atoms_have_no_dihedral() -> None:
    geometry = np.array([[-2.0, 0, 0], [0, 0, 0], [2.0, 0, 0], [3.0, 1, 0]])
    with pytest.raises(InputError, match=r"\[0, 1, 2, 3\] is undefined: three of them are collinear"):
        gradient(DIHEDRAL, geometry)


def test_a_bond_in_a_ring_cannot_be_turned() -> None:
    atoms = ase_molecule("C6H6")
    molecule = Molecule(symbols=tuple(atoms.symbols), geometry=atoms.positions / ANGSTROM)
    with pytest.raises(InputError, match="part of a ring"):
        driven(molecule, DIHEDRAL, 30.0)


def test_a_twist_about_two_axes_is_refused() -> None:
    molecule, coordinate = ethane()
    (a, b, c, d), *rest = coordinate.quadruples
    crooked = Coordinate(kind="twist", quadruples=((d, c, b, a), *rest))
    with pytest.raises(InputError, match="share their two middle atoms"):
        driven(molecule, crooked, 10.0)
