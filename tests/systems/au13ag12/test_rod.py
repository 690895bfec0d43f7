"""Measures of the rod: they read back what was built, whatever the atom order, the orientation and the hand."""

import numpy as np
import pytest
from ase import Atoms
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from qcdriver.errors import InputError
from qcdriver.geometry.coordinates import gradient, measured
from qcdriver.models.coordinates import held
from qcdriver.models.molecule import Molecule
from qcdriver.optimize.driving import driven
from qcdriver.systems.au13ag12.measures import belt_coordinate, find_rod, folded_belt_deg, measure_rod, twist_coordinate
from qcdriver.systems.au13ag12.model import RodModel, build_rod
from qcdriver.units import ANGSTROM

angles = st.floats(-100, 100, allow_nan=False)
seeds = st.integers(0, 2**32 - 1)
few = settings(max_examples=20, deadline=None)


def disguised(rod, seed, mirror=False, noise=0.0):
    """The same rod in another atom order, orientation, place, and if wanted hand."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(rod.symbols))
    xyz = rod.geometry[order] @ Rotation.random(rng=rng).as_matrix().T + rng.normal(size=3)
    if mirror:
        xyz = xyz * [1, 1, -1]
    xyz = xyz + noise * rng.uniform(-1, 1, xyz.shape)
    symbols = tuple(rod.symbols[i] for i in order)
    return Molecule(symbols=symbols, geometry=xyz, molecular_charge=1), order


def mean_dihedral(molecule, coordinate):
    atoms = Atoms(molecule.symbols, molecule.geometry)
    values = np.array([atoms.get_dihedral(*four) for four in coordinate.quadruples])
    return np.mean((values - values[0] + 180) % 360 - 180) + (values[0] + 180) % 360 - 180


def apart(a, b, period):
    return abs((a - b + period / 2) % period - period / 2)


@few
@given(angles, angles, seeds)
@example(0.0, 0.0, 177)  # measured as -1e-15, which % 72 makes 72.0
def test_twist_and_belt_read_back_what_was_built(twist, belt, seed):
    measures = measure_rod(disguised(build_rod(RodModel(twist_deg=twist, belt_deg=belt)), seed)[0])
    assert 0 <= measures.twist_deg < 72
    assert apart(measures.twist_deg, twist, 72) < 1e-6
    assert measures.folded_twist_deg == pytest.approx(apart(twist, 0, 72), abs=1e-6)
    assert measures.belt_deg == pytest.approx(folded_belt_deg(twist, belt), abs=1e-6)


@few
@given(st.floats(0, 72), st.floats(-6, 6), seeds, st.booleans())
def test_measures_do_not_depend_on_atom_order_orientation_or_hand(twist, belt, seed, mirror):
    rod = build_rod(RodModel(twist_deg=twist, belt_deg=belt), start=1)
    here, there = measure_rod(rod).model_dump(), measure_rod(disguised(rod, seed, mirror)[0]).model_dump()
    one, other = here.pop("twist_deg"), there.pop("twist_deg")
    assert apart(other, -one if mirror else one, 72) < 1e-6, "the mirror image turns the other way"
    assert here.pop("modes") == there.pop("modes")
    for name, value in here.items():
        assert there[name] == pytest.approx(value, abs=1e-5), name


@few
@given(seeds, st.sampled_from([0, 18, 36, 60]))
def test_the_atoms_found_are_the_atoms_built(seed, twist):
    moved, order = disguised(build_rod(RodModel(twist_deg=twist)), seed, noise=0.1)
    rod = find_rod(moved)
    # au13ag12 builds shared Au, centres, Au5 twice, Ag5 twice, apices, belt, terminal halides, phosphines.
    assert order[rod.shared] == 0
    ends = [min(rod.apices[k], rod.centres[k], *rod.silver_rings[k], *rod.gold_rings[k]) for k in (0, 1)]
    assert ends[0] < ends[1], "the end with the lower atom index is the first"
    assert set(order[list(rod.centres)]) == {1, 2}
    assert {frozenset(order[list(ring)]) for ring in rod.gold_rings} == {
        frozenset(range(3, 8)),
        frozenset(range(8, 13)),
    }
    assert {frozenset(order[list(ring)]) for ring in rod.silver_rings} == {
        frozenset(range(13, 18)),
        frozenset(range(18, 23)),
    }
    assert set(order[list(rod.apices)]) == {23, 24}
    assert set(order[list(rod.belt_halides)]) == set(range(25, 31))
    assert set(order[list(rod.terminal_halides)]) == {31, 32}
    assert set(order[list(rod.phosphorus)]) == set(range(33, 73, 4))


@few
@given(st.floats(-0.9, 70.9), seeds)
def test_the_twist_coordinate_has_the_value_that_was_built(twist, seed):
    rod = disguised(build_rod(RodModel(twist_deg=twist)), seed)[0]
    assert mean_dihedral(rod, twist_coordinate(rod)) == pytest.approx(twist, abs=1e-6)


@few
@given(angles, st.floats(-90, 90), seeds)
def test_the_twist_coordinate_takes_the_pairing_nearest_to_a_wish(twist, near, seed):
    rod = disguised(build_rod(RodModel(twist_deg=twist)), seed)[0]
    value = mean_dihedral(rod, twist_coordinate(rod, near_deg=near))
    assert abs(value - near) <= 36 + 1e-6
    assert apart(value, twist, 72) < 1e-6


@pytest.mark.parametrize("seed", range(20))
def test_the_staggered_rod_is_at_plus_36_whichever_end_comes_first(seed):
    rod = disguised(build_rod(RodModel(twist_deg=36)), seed)[0]
    for near in (None, 0, 30, 36):
        coordinate = twist_coordinate(rod, near_deg=near)
        assert mean_dihedral(rod, coordinate) == pytest.approx(36, abs=1e-6)
        assert coordinate.period_deg == 72
        assert len({atom for four in coordinate.quadruples for atom in four}) == 12


@few
@given(st.floats(-100, 100), st.floats(-20, 20), seeds)
def test_the_belt_coordinate_is_a_sixth_of_the_twist_more_than_the_belt_that_was_built(twist, belt, seed):
    moved, order = disguised(build_rod(RodModel(twist_deg=twist, belt_deg=belt)), seed)
    coordinate = belt_coordinate(moved)
    sign = 1 if order[find_rod(moved).centres[0]] == 1 else -1  # the end that was built first may come second
    value = measured(coordinate, moved.geometry)
    assert -1 - 1e-6 < value < 11 + 1e-6
    assert apart(value, sign * (twist / 6 + belt), 12) < 1e-6
    assert coordinate.period_deg == 12


def test_e_has_its_belt_at_0_and_s_at_6():
    for twist, belt, modes in ((0, 0, "5d+1q"), (36, 6, "4d+2t")):
        rod = build_rod(RodModel(twist_deg=twist))
        assert measure_rod(rod).belt == modes
        assert measured(belt_coordinate(rod), rod.geometry) == pytest.approx(belt, abs=1e-9)


@few
@given(angles, st.floats(-40, 40), st.floats(-90, 90), seeds)
def test_the_belt_coordinate_takes_the_numbering_nearest_to_a_wish(twist, belt, near, seed):
    rod = disguised(build_rod(RodModel(twist_deg=twist, belt_deg=belt)), seed, noise=0.2)[0]
    value, wished = (measured(belt_coordinate(rod, each), rod.geometry, each) for each in (None, near))
    assert abs(wished - near) <= 6 + 1e-6
    assert apart(wished, value, 12) < 1e-6


@few
@given(angles, angles, seeds)
def test_the_measured_belt_is_the_folded_coordinate_less_that_of_belt_0(twist, belt, seed):
    rod = disguised(build_rod(RodModel(twist_deg=twist, belt_deg=belt)), seed, noise=0.3)[0]
    value = measured(belt_coordinate(rod), rod.geometry)
    at_belt_0 = apart(measured(twist_coordinate(rod), rod.geometry) / 6, 0, 12)
    assert measure_rod(rod).belt_deg == pytest.approx(apart(value, 0, 12) - at_belt_0, abs=1e-9)


@few
@given(angles, angles, seeds)
def test_the_mirror_image_has_the_opposite_twist_and_belt(twist, belt, seed):
    rod = disguised(build_rod(RodModel(twist_deg=twist, belt_deg=belt)), seed, noise=0.3)[0]
    image = rod.mirrored()
    for find, period in ((twist_coordinate, 72), (belt_coordinate, 12)):
        there = measured(find(image), image.geometry)
        assert apart(there, -measured(find(rod), rod.geometry), period) < 1e-6


@few
@given(angles, angles, seeds)
def test_seen_from_the_other_end_the_belt_is_opposite_and_the_twist_the_same(twist, belt, seed):
    rod = disguised(build_rod(RodModel(twist_deg=twist, belt_deg=belt)), seed, noise=0.3)[0]
    order = np.arange(len(rod.symbols))[::-1]
    turned = Molecule(symbols=tuple(rod.symbols[i] for i in order), geometry=rod.geometry[order], molecular_charge=1)
    sign = 1 if order[find_rod(turned).centres[0]] == find_rod(rod).centres[0] else -1
    here, there = (measured(belt_coordinate(each), each.geometry) for each in (rod, turned))
    assert apart(there, sign * here, 12) < 1e-6
    both = (measured(twist_coordinate(each), each.geometry) for each in (rod, turned))
    assert apart(*both, 72) < 1e-6


@few
@given(angles, angles, st.sampled_from([(72.0, 0.0), (0.0, 12.0), (-72.0, 24.0)]))
def test_twist_plus_72_and_belt_plus_12_are_the_same_structure(twist, belt, turn):
    rod = build_rod(RodModel(twist_deg=twist, belt_deg=belt))
    halides = list(find_rod(rod).belt_halides)
    even = rod.geometry.copy()
    even[halides, 2] = 0.0
    even[halides] *= 8.0 / np.linalg.norm(even[halides], axis=1)[:, None]
    rod = rod.moved(even)
    coordinates = twist_coordinate(rod), belt_coordinate(rod)
    targets = [held(each, measured(each, even) + by) for each, by in zip(coordinates, turn, strict=True)]
    after = driven(rod, targets)
    silver = [atom for ring in find_rod(rod).silver_rings for atom in ring]
    lengths = (np.linalg.norm(each[silver][:, None] - each[halides], axis=-1) for each in (even, after.geometry))
    np.testing.assert_allclose(*(np.sort(each.ravel()) for each in lengths), atol=1e-6)


@pytest.mark.parametrize("twist", [0, 20, 36])
def test_the_belt_follows_a_halide_that_strays_by_a_sixth_of_its_way(twist):
    rod = build_rod(RodModel(twist_deg=twist))
    halide = find_rod(rod).belt_halides[2]
    coordinate = belt_coordinate(rod)
    start = measured(coordinate, rod.geometry)
    for stray in np.linspace(-25, 25, 21):
        moved = rod.geometry.copy()
        moved[halide] = Rotation.from_euler("z", stray, degrees=True).apply(moved[halide])
        assert measured(coordinate, moved) == pytest.approx(start + stray / 6, abs=1e-9)
        assert measured(belt_coordinate(rod.moved(moved), start), moved) == pytest.approx(start + stray / 6, abs=1e-9)
        assert measure_rod(rod.moved(moved)).belt_deg is not None
        slope = gradient(coordinate, moved)
        assert abs(slope[halide]).max() < 3 * abs(gradient(coordinate, rod.geometry)[halide]).max()


@few
@given(seeds, st.sampled_from([0.0, 20.0, 36.0]))
@example(1197, 0.0)  # shaken to a twist below -1 deg
def test_a_belt_that_relaxed_a_little_keeps_its_coordinate(seed, twist):
    rod = disguised(build_rod(RodModel(twist_deg=twist)), seed)[0]
    coordinate = belt_coordinate(rod)
    shaken = rod.moved(rod.geometry + np.random.default_rng(seed).normal(0, 0.1, rod.geometry.shape))
    assert belt_coordinate(shaken, measured(coordinate, rod.geometry)) == coordinate


def test_a_turn_of_one_end_by_hand_is_the_change_of_the_twist():
    rod = build_rod(RodModel(twist_deg=10))
    coordinate = twist_coordinate(rod)
    upper = (rod.geometry[:, 2] > 0.1)[:, None]
    turned = np.where(upper, rod.geometry @ Rotation.from_euler("z", 25, degrees=True).as_matrix().T, rod.geometry)
    assert mean_dihedral(rod.moved(turned), coordinate) == pytest.approx(35, abs=1e-6)
    assert measure_rod(rod.moved(turned)).twist_deg == pytest.approx(35, abs=1e-6)


def test_a_stretched_and_bent_rod_is_still_a_rod():
    rod = build_rod(RodModel(phosphine="PPh3", twist_deg=30))
    bent = rod.geometry * [1.04, 1.04, 1.04]
    bent = bent + [0.004, 0.0, 0.0] * bent[:, 2:] ** 2
    measures = measure_rod(rod.moved(bent))
    assert measures.twist_deg == pytest.approx(30, abs=1.5)
    assert measures.bend_deg > 1
    assert measures.mean_centre_shell_angstrom[0] > 2.85


def test_distances_are_those_that_were_built():
    measures = measure_rod(build_rod(RodModel(halide="Br")), cutoff_angstrom=3.05)
    assert measures.mean_ag_terminal_halide_angstrom == pytest.approx(2.52)
    assert measures.mean_ag_belt_halide_angstrom == pytest.approx(2.72, abs=0.05)
    assert measures.centre_centre_angstrom == pytest.approx(5.60)
    assert measures.binding_cutoff_angstrom == 3.05
    assert measures.modes == "5d+1q belt, 2 terminal"


def test_a_lost_halide_leaves_a_rod_without_a_belt_angle():
    rod = build_rod(RodModel())
    keep = [i for i in range(73) if i != 26]
    less = Molecule(symbols=tuple(rod.symbols[i] for i in keep), geometry=rod.geometry[keep], molecular_charge=2)
    assert len(find_rod(less).belt_halides) == 5
    assert measure_rod(less).belt_deg is None
    with pytest.raises(InputError, match="5 halides in its belt has no belt angle: six are needed"):
        belt_coordinate(less)


def test_hydrogen_peroxide_is_no_rod():
    hooh = Molecule(symbols=("O", "O", "H", "H"), geometry=np.eye(4, 3) * 3)
    assert find_rod(hooh) is None
    with pytest.raises(InputError, match="H2O2 holds no bi-icosahedral rod"):
        twist_coordinate(hooh)
    with pytest.raises(InputError, match="H2O2 holds no bi-icosahedral rod"):
        belt_coordinate(hooh)


def test_the_right_metals_in_the_wrong_places_are_no_rod():
    rod = build_rod(RodModel())
    swapped = list(rod.symbols)
    swapped[1], swapped[23] = swapped[23], swapped[1]
    assert find_rod(Molecule(symbols=tuple(swapped), geometry=rod.geometry, molecular_charge=1)) is None
    torn = rod.geometry.copy()
    torn[23] += [0.0, 0.0, -2.0 / ANGSTROM]
    assert find_rod(rod.moved(torn)) is None


def test_a_cutoff_must_be_a_distance():
    with pytest.raises(InputError, match="cutoff_angstrom -1"):
        measure_rod(build_rod(RodModel()), cutoff_angstrom=-1)
