"""Starts at wanted values: reached exactly, what is rigid stays rigid, nothing tears, the impossible is refused."""

from __future__ import annotations

import numpy as np
import pytest
from ase.build import molecule as ase_molecule
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import pdist, squareform

from qcdriver.errors import InputError
from qcdriver.geometry.bonds import bond_matrix, ligands
from qcdriver.geometry.coordinates import measured
from qcdriver.models.coordinates import Angle, Combination, Coordinate, Distance, Target, Term, Torsion, held
from qcdriver.models.molecule import Molecule
from qcdriver.optimize.driving import driven, onto_targets
from qcdriver.systems.au13ag12.measures import belt_coordinate, find_rod, twist_coordinate
from qcdriver.systems.au13ag12.model import RodModel, build_rod
from qcdriver.units import ANGSTROM

DIHEDRAL = Torsion(kind="dihedral", quadruples=((0, 1, 2, 3),))


def of_ase(name: str) -> Molecule:
    atoms = ase_molecule(name)
    return Molecule(symbols=tuple(atoms.symbols), geometry=atoms.positions / ANGSTROM)


def hydrogen_peroxide(dihedral_deg: float = 100.0) -> Molecule:
    turn = np.radians(dihedral_deg)
    geometry = [[1.7, 0, -0.4], [0, 0, 0], [0, 0, 2.75], [1.7 * np.cos(turn), 1.7 * np.sin(turn), 3.15]]
    return Molecule(symbols=("H", "O", "O", "H"), geometry=geometry)


def ethane() -> tuple[Molecule, Torsion]:
    molecule = of_ase("C2H6")
    fours = ((a, 0, 1, b) for a in (2, 3, 4) for b in (5, 6, 7))
    gauche = [
        four
        for four in fours
        if abs(measured(Torsion(kind="dihedral", quadruples=(four,)), molecule.geometry) - 60.0) < 1.0
    ]
    assert len(gauche) == 3
    return molecule, Torsion(kind="twist", quadruples=tuple(gauche), period_deg=120.0)


def butane() -> tuple[Molecule, tuple[int, ...]]:
    """trans-Butane, its four carbons in a row and a hydrogen on the last."""
    molecule = of_ase("trans-butane")
    carbons = [i for i, s in enumerate(molecule.symbols) if s == "C"]
    along = molecule.geometry[carbons] @ np.linalg.svd(np.ptp(molecule.geometry[carbons], axis=0)[None])[2][0]
    chain = [carbons[k] for k in np.argsort(along)]
    bonded = bond_matrix(molecule).toarray()
    hydrogen = next(i for i, s in enumerate(molecule.symbols) if s == "H" and bonded[i, chain[3]])
    return molecule, (*chain, hydrogen)


def moved_atoms(before: Molecule, after: Molecule) -> set[int]:
    return set(np.flatnonzero(np.linalg.norm(after.geometry - before.geometry, axis=1) > 1e-9))


def assert_rigid(before: Molecule, after: Molecule, atoms: list[int]) -> None:
    np.testing.assert_allclose(pdist(after.geometry[atoms]), pdist(before.geometry[atoms]), atol=1e-6)


def assert_met(molecule: Molecule, targets: list[Target]) -> None:
    for target in targets:
        assert measured(target.coordinate, molecule.geometry, target.value) == pytest.approx(target.value, abs=1e-8)


@pytest.mark.parametrize("make", [lambda: (hydrogen_peroxide(), DIHEDRAL), ethane], ids=["dihedral", "twist"])
def test_a_full_turn_in_steps_comes_back(make) -> None:
    molecule, coordinate = make()
    rng = np.random.default_rng(1)
    molecule = molecule.moved(molecule.geometry + rng.normal(0, 0.15, molecule.geometry.shape))
    value = start = measured(coordinate, molecule.geometry)
    for step in range(1, 73):
        molecule = driven(molecule, [held(coordinate, start + 5.0 * step)])
        value = measured(coordinate, molecule.geometry, value)
        assert value == pytest.approx(start + 5.0 * step, abs=1e-6)


def test_driving_a_dihedral_turns_only_what_lies_beyond_the_bond() -> None:
    before = hydrogen_peroxide(100.0)
    after = driven(before, [held(DIHEDRAL, -140.0)])
    assert_met(after, [held(DIHEDRAL, -140.0)])
    assert moved_atoms(before, after) == {3}
    assert_rigid(before, after, [1, 2, 3])


@pytest.mark.parametrize(("phosphine", "turn_deg"), [("PH3", 6.0), ("PH3", -11.0), ("PPh3", 36.0)])
def test_driving_the_rod_keeps_each_icosahedron_and_each_phosphine_rigid(phosphine: str, turn_deg: float) -> None:
    before = build_rod(RodModel(phosphine=phosphine, twist_deg=10.0))
    twist = twist_coordinate(before, near_deg=10.0)
    rod = find_rod(before)
    untouched = before.geometry.copy()
    targets = [held(twist, measured(twist, before.geometry) + turn_deg)]
    after = driven(before, targets)
    assert_met(after, targets)
    np.testing.assert_array_equal(before.geometry, untouched)

    for k in (0, 1):
        assert_rigid(before, after, [rod.shared, rod.centres[k], *rod.silver_rings[k], *rod.gold_rings[k]])
    gold = np.array(rod.gold_rings[0] + rod.gold_rings[1])
    for ligand in (part for part in ligands(before) if len(part) > 1):
        donor = next(atom for atom in ligand if before.symbols[atom] == "P")
        bound = gold[np.linalg.norm(before.geometry[gold] - before.geometry[donor], axis=1).argmin()]
        assert_rigid(before, after, [bound, *ligand])


def test_a_ligand_that_leans_over_the_belt_turns_as_one_piece() -> None:
    rod = build_rod(RodModel())
    phosphine = next(list(part) for part in ligands(rod) if len(part) > 1)
    centre, shared = (rod.geometry[atom] for atom in (find_rod(rod).centres[0], find_rod(rod).shared))
    towards = shared - centre if (rod.geometry[phosphine[0]] - shared) @ (centre - shared) > 0 else centre - shared
    leaning = rod.geometry.copy()
    leaning[phosphine] += 1.2 * towards
    before = rod.moved(leaning)
    twist = twist_coordinate(rod)
    after = driven(before, [held(twist, measured(twist, leaning) + 36.0)])
    assert set(phosphine) & moved_atoms(before, after)
    assert_rigid(before, after, phosphine)


few = settings(max_examples=15, deadline=None)
start = RodModel(twist_deg=10.0, belt_deg=1.0)


@few
@given(turn=st.floats(-20, 20))
def test_driving_the_twist_leaves_the_belt_about_the_rings_mean(turn: float) -> None:
    before = build_rod(start)
    twist, belt = twist_coordinate(before), belt_coordinate(before)
    after = driven(before, [held(twist, measured(twist, before.geometry) + turn)])
    assert measured(belt, after.geometry) == pytest.approx(measured(belt, before.geometry), abs=0.2)


@few
@given(turn=st.floats(-12, 12))
def test_driving_the_belt_turns_its_halides_rigidly_and_leaves_the_twist_exactly(turn: float) -> None:
    before = build_rod(start)
    twist, belt = twist_coordinate(before), belt_coordinate(before)
    targets = [held(belt, measured(belt, before.geometry) + turn)]
    after = driven(before, targets)
    assert_met(after, targets)
    halides = find_rod(before).belt_halides
    assert moved_atoms(before, after) <= set(halides)
    assert_rigid(before, after, [*find_rod(before).centres, *halides])
    assert measured(twist, after.geometry) == measured(twist, before.geometry)


@few
@given(turns=st.tuples(st.floats(-30, 30), st.floats(-12, 12)), belt_first=st.booleans())
def test_twist_and_belt_are_met_together_in_either_order(turns: tuple[float, float], belt_first: bool) -> None:
    before = build_rod(start)
    coordinates = twist_coordinate(before), belt_coordinate(before)
    targets = [
        held(each, measured(each, before.geometry) + turn) for each, turn in zip(coordinates, turns, strict=True)
    ]
    after = driven(before, targets[::-1] if belt_first else targets)
    assert_met(after, targets)
    rod = find_rod(before)
    for k in (0, 1):
        metal = [rod.centres[k], *rod.silver_rings[k], *rod.gold_rings[k]]
        np.testing.assert_allclose(pdist(after.geometry[metal]), pdist(before.geometry[metal]), atol=0.05)


def test_the_belt_against_a_sixth_of_the_twist_is_what_a_model_calls_belt() -> None:
    before = build_rod(start)
    terms = [
        Term(weight=w, coordinate=c) for w, c in ((1.0, belt_coordinate(before)), (-1 / 6, twist_coordinate(before)))
    ]
    lag = Combination(terms=tuple(terms))
    assert measured(lag, before.geometry) == pytest.approx(start.belt_deg, abs=1e-8)
    after = driven(before, [held(lag, 4.0)])
    assert_met(after, [held(lag, 4.0)])
    halides = list(find_rod(before).belt_halides)
    np.testing.assert_allclose(pdist(after.geometry[halides]), pdist(before.geometry[halides]), atol=0.02)


def test_what_hangs_on_a_belt_turns_with_it() -> None:
    rod = build_rod(start)
    atoms = find_rod(rod)
    belt = belt_coordinate(rod)
    outward = rod.geometry[list(atoms.belt_halides)] - rod.geometry[atoms.shared]
    hydrogens = rod.geometry[list(atoms.belt_halides)] + 2.5 * outward / np.linalg.norm(outward, axis=1)[:, None]
    thiols = ["S" if i in atoms.belt_halides else s for i, s in enumerate(rod.symbols)]
    before = Molecule(
        symbols=(*thiols, *"HHHHHH"), geometry=np.concatenate([rod.geometry, hydrogens]), molecular_charge=1
    )
    after = driven(before, [held(belt, measured(belt, before.geometry) + 7.0)])
    hanging = range(len(rod.symbols), len(before.symbols))
    assert moved_atoms(before, after) == {*atoms.belt_halides, *hanging}
    assert_rigid(before, after, [*atoms.belt_halides, *hanging])


def test_a_bond_stretches_by_moving_the_smaller_side_along_it() -> None:
    before, (first, second, *_) = butane()
    targets = [held(Distance(atoms=(first, second)), 4.0)]
    after = driven(before, targets)
    assert_met(after, targets)
    methyl = {first, *np.flatnonzero(bond_matrix(before).toarray()[first])} - {second}
    assert moved_atoms(before, after) == methyl
    assert_rigid(before, after, sorted(methyl))
    axis = before.geometry[first] - before.geometry[second]
    np.testing.assert_allclose(np.cross(after.geometry[first] - before.geometry[first], axis), 0.0, atol=1e-9)


def test_two_molecules_come_nearer_without_changing() -> None:
    water = of_ase("H2O")
    pair = Molecule(symbols=water.symbols * 2, geometry=np.concatenate([water.geometry, water.geometry + [0, 0, 12.0]]))
    targets = [held(Distance(atoms=(0, 3)), 6.0)]
    after = driven(pair, targets)
    assert_met(after, targets)
    assert_rigid(pair, after, [0, 1, 2])
    assert_rigid(pair, after, [3, 4, 5])


def test_an_angle_bends_the_smaller_side_about_its_middle_atom() -> None:
    before, (first, second, third, *_) = butane()
    targets = [held(Angle(atoms=(third, second, first)), 95.0)]
    after = driven(before, targets)
    assert_met(after, targets)
    methyl = {first, *np.flatnonzero(bond_matrix(before).toarray()[first])} - {second}
    assert moved_atoms(before, after) == methyl
    assert_rigid(before, after, [second, *methyl])


@pytest.mark.parametrize(
    ("coordinate", "by"),
    [(Distance(atoms=(0, 3)), 0.8), (Distance(atoms=(0, 1)), 0.3), (Angle(atoms=(0, 1, 2)), -12.0)],
    ids=["across", "bond", "angle"],
)
def test_where_a_ring_leaves_no_rigid_side_all_atoms_yield_and_no_bond_tears(coordinate: Coordinate, by: float) -> None:
    before = of_ase("C6H6")
    targets = [held(coordinate, measured(coordinate, before.geometry) + by)]
    after = driven(before, targets)
    assert_met(after, targets)
    bonded = np.argwhere(np.triu(bond_matrix(before).toarray()))
    change = squareform(pdist(after.geometry)) - squareform(pdist(before.geometry))
    stretched = [abs(change[i, j]) for i, j in bonded if (i, j) != getattr(coordinate, "atoms", None)]
    assert max(stretched) < 0.25
    assert len(moved_atoms(before, after)) == 12


def test_a_bridging_halide_leaves_one_silver_and_the_cluster_stays() -> None:
    before = build_rod(RodModel())
    halide = find_rod(before).belt_halides[0]
    silver = min(
        (i for i, s in enumerate(before.symbols) if s == "Ag"),
        key=lambda i: np.linalg.norm(before.geometry[i] - before.geometry[halide]),
    )
    coordinate = Distance(atoms=(silver, halide))
    targets = [held(coordinate, measured(coordinate, before.geometry) + 0.6)]
    after = driven(before, targets)
    assert_met(after, targets)
    gold = [i for i, s in enumerate(before.symbols) if s == "Au"]
    np.testing.assert_allclose(pdist(after.geometry[gold]), pdist(before.geometry[gold]), atol=0.15)


def test_a_difference_of_lengths_is_shared_by_both() -> None:
    before, (first, second, third, fourth, _) = butane()
    one, other = Distance(atoms=(first, second)), Distance(atoms=(third, fourth))
    difference = Combination(terms=(Term(weight=1.0, coordinate=one), Term(weight=-1.0, coordinate=other)))
    after = driven(before, [held(difference, 0.4)])
    assert_met(after, [held(difference, 0.4)])
    for coordinate, change in ((one, 0.2), (other, -0.2)):
        assert measured(coordinate, after.geometry) - measured(coordinate, before.geometry) == pytest.approx(change)


def test_a_sum_of_dihedrals_is_driven_the_shorter_way_round() -> None:
    before, (a, b, c, d, e) = butane()
    total = Combination(
        terms=tuple(
            Term(weight=1.0, coordinate=Torsion(kind="dihedral", quadruples=(four,)))
            for four in ((a, b, c, d), (b, c, d, e))
        )
    )
    value = measured(total, before.geometry)
    after = driven(before, [held(total, value + 340.0)])
    for term in total.terms:
        was, now = (measured(term.coordinate, each.geometry, 180.0) for each in (before, after))
        assert now - was == pytest.approx(-10.0)


def test_several_targets_are_met_together() -> None:
    before, (a, b, c, d, e) = butane()
    targets = [
        held(Torsion(kind="dihedral", quadruples=((a, b, c, d),)), 150.0),
        held(Torsion(kind="dihedral", quadruples=((b, c, d, e),)), 40.0),
        held(Angle(atoms=(a, b, c)), 105.0),
        held(Distance(atoms=(b, c)), 3.1),
    ]
    assert_met(driven(before, targets), targets)
    assert_met(before.moved(onto_targets(driven(before, targets[2:]).geometry, targets)), targets)


def test_targets_that_contradict_each_other_are_refused() -> None:
    targets = [held(DIHEDRAL, value) for value in (90.0, 120.0)]
    for ask in (
        lambda: onto_targets(hydrogen_peroxide().geometry, targets),
        lambda: driven(hydrogen_peroxide(), targets),
    ):
        with pytest.raises(
            InputError, match=r"^dihedral \[0, 1, 2, 3\] = 90 deg and dihedral .* = 120 deg cannot be met together"
        ):
            ask()


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (held(Distance(atoms=(0, 1)), -1.0), r"distance \[0, 1\] cannot be -1 bohr: it is positive"),
        (held(Angle(atoms=(0, 1, 2)), 200.0), r"angle \[0, 1, 2\] cannot be held at 200 deg: .* 1 and 179"),
        (held(Angle(atoms=(0, 1, 2)), 180.0), r"cannot be held at 180 deg"),
    ],
    ids=["length", "angle", "straight"],
)
def test_a_value_that_nothing_can_have_is_refused(target: Target, message: str) -> None:
    for ask in (
        lambda: onto_targets(hydrogen_peroxide().geometry, [target]),
        lambda: driven(hydrogen_peroxide(), [target]),
    ):
        with pytest.raises(InputError, match=message):
            ask()


def test_a_straight_angle_does_not_say_which_way_it_bends() -> None:
    carbon_dioxide = of_ase("CO2")
    with pytest.raises(InputError, match="collinear"):
        driven(carbon_dioxide, [held(Angle(atoms=(1, 0, 2)), 150.0)])


def test_a_bond_in_a_ring_cannot_be_turned() -> None:
    with pytest.raises(InputError, match="part of a ring"):
        driven(of_ase("C6H6"), [held(DIHEDRAL, 30.0)])


def test_the_ends_of_a_straight_chain_turn_against_each_other() -> None:
    before = of_ase("2-butyne")
    methyls = [i for i, row in enumerate(bond_matrix(before).toarray()) if before.symbols[i] == "C" and row.sum() == 4]
    first, last = (
        np.flatnonzero(bond_matrix(before).toarray()[i] & (np.array(before.symbols) == "H")) for i in methyls
    )
    over = Torsion(kind="dihedral", quadruples=((int(first[0]), methyls[0], methyls[1], int(last[0])),))
    after = driven(before, [held(over, measured(over, before.geometry) + 40.0)])
    assert measured(over, after.geometry) - measured(over, before.geometry) == pytest.approx(40.0)
    assert moved_atoms(before, after) == set(last.tolist())
