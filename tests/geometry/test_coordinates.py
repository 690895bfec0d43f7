"""Coordinates: exact gradients, continuity, what they are invariant to, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.spatial.transform import Rotation

from qcdriver.errors import InputError
from qcdriver.geometry.coordinates import gradient, measured, repeat_deg
from qcdriver.models.coordinates import Angle, Belt, Combination, Coordinate, Distance, Term, Torsion

DISTANCE = Distance(atoms=(0, 7))
ANGLE = Angle(atoms=(4, 1, 2))
DIHEDRAL = Torsion(kind="dihedral", quadruples=((0, 1, 2, 3),))
TWIST = Torsion(kind="twist", quadruples=((0, 1, 2, 3), (4, 1, 2, 5), (6, 1, 2, 7)))
BELT = Belt(quadruples=((0, 1, 2, 3), (0, 1, 2, 5), (4, 1, 2, 3), (4, 1, 2, 5)), offsets_deg=(0, 120, -120, 0))


def combined(*terms: tuple[float, Coordinate]) -> Combination:
    return Combination(terms=tuple(Term(weight=weight, coordinate=coordinate) for weight, coordinate in terms))


LENGTHS = combined((1.0, DISTANCE), (-0.7, Distance(atoms=(0, 1))))
ANGLES = combined((1.0, ANGLE), (-2.0, TWIST), (0.5, BELT))
KINDS = [DISTANCE, ANGLE, DIHEDRAL, TWIST, BELT, LENGTHS, ANGLES]
every_kind = pytest.mark.parametrize(
    "coordinate", KINDS, ids=["distance", "angle", "dihedral", "twist", "belt", "lengths", "angles"]
)
few = settings(max_examples=30, deadline=None)


def rings(turn_deg: float) -> np.ndarray:
    """Two triangles about a bond, one turned against the other: eight atoms as the coordinates number them, (8, 3)."""
    geometry = np.zeros((8, 3))
    geometry[2] = 0.0, 0.0, 2.8
    for k, (near, far) in enumerate(((0, 3), (4, 5), (6, 7))):
        for atom, z, azimuth in ((near, -1.0, 120.0 * k), (far, 3.8, 120.0 * k + turn_deg)):
            geometry[atom] = 2 * np.cos(np.radians(azimuth)), 2 * np.sin(np.radians(azimuth)), z
    return geometry


@st.composite
def uneven_rings(draw: st.DrawFn) -> np.ndarray:
    """`rings` at any twist, distorted; (8, 3)."""
    return rings(draw(st.floats(-180.0, 180.0))) + draw(arrays(float, (8, 3), elements=st.floats(-0.4, 0.4)))


@st.composite
def planar_rings(draw: st.DrawFn) -> np.ndarray:
    """`rings` whose dihedrals are within 0.01 deg of 0 or 180, on either side; (8, 3)."""
    return rings(draw(st.sampled_from([0.0, 180.0, -180.0])) + draw(st.floats(-0.01, 0.01)))


def ase_value(coordinate: Coordinate, geometry: np.ndarray) -> float:
    """Measure one distance, angle or dihedral with ASE."""
    atoms = Atoms("H" * len(geometry), geometry)
    if isinstance(coordinate, Distance):
        return atoms.get_distance(*coordinate.atoms)
    if isinstance(coordinate, Angle):
        return atoms.get_angle(*coordinate.atoms)
    return atoms.get_dihedral(*coordinate.quadruples[0])


@every_kind
@few
@given(geometry=uneven_rings() | planar_rings())
def test_the_gradient_is_the_derivative_of_the_value(coordinate: Coordinate, geometry: np.ndarray) -> None:
    value, h = measured(coordinate, geometry), 1e-5
    numerical = np.zeros_like(geometry)
    for place in np.ndindex(*geometry.shape):
        shift = np.zeros_like(geometry)
        shift[place] = h
        up, down = (measured(coordinate, geometry + sign * shift, value) for sign in (1, -1))
        numerical[place] = (up - down) / (2 * h)
    np.testing.assert_allclose(gradient(coordinate, geometry), numerical, atol=5e-5)


@every_kind
@few
@given(geometry=uneven_rings(), turn=st.integers(0, 2**32 - 1))
def test_the_value_knows_neither_place_nor_orientation(coordinate: Coordinate, geometry: np.ndarray, turn: int) -> None:
    value = measured(coordinate, geometry)
    moved = Rotation.random(rng=np.random.default_rng(turn)).apply(geometry) + [3.0, -2.0, 1.0]
    assert measured(coordinate, moved, value) == pytest.approx(value, abs=1e-7)


@every_kind
@few
@given(geometry=uneven_rings())
def test_a_mirror_turns_the_sign_of_torsions_and_leaves_lengths_and_angles(
    coordinate: Coordinate, geometry: np.ndarray
) -> None:
    mirrored = geometry * [1, 1, -1]
    value = measured(coordinate, geometry)
    if coordinate in (DIHEDRAL, TWIST):
        assert measured(coordinate, mirrored, -value) == pytest.approx(-value, abs=1e-7)
    elif coordinate == BELT:
        opposite = BELT.model_copy(update={"offsets_deg": tuple(-offset for offset in BELT.offsets_deg)})
        assert measured(opposite, mirrored, -value) == pytest.approx(-value, abs=1e-7)
    elif coordinate != ANGLES:
        assert measured(coordinate, mirrored) == pytest.approx(value, abs=1e-7)


@few
@given(geometry=uneven_rings(), order=st.permutations(range(8)))
def test_renumbered_atoms_keep_the_value(geometry: np.ndarray, order: list[int]) -> None:
    new = {old: k for k, old in enumerate(order)}
    renumbered = Torsion(
        kind="twist", quadruples=tuple(tuple(new[atom] for atom in four) for four in reversed(TWIST.quadruples))
    )
    value = measured(TWIST, geometry)
    assert measured(renumbered, geometry[list(order)], value) == pytest.approx(value, abs=1e-9)


@pytest.mark.parametrize("coordinate", [DISTANCE, ANGLE, DIHEDRAL], ids=lambda c: c.kind)
@few
@given(geometry=uneven_rings())
def test_the_value_is_that_of_ase(coordinate: Coordinate, geometry: np.ndarray) -> None:
    value = ase_value(coordinate, geometry)
    assert measured(coordinate, geometry, value) == pytest.approx(value, abs=1e-6)


@few
@given(geometry=uneven_rings(), shift=st.floats(-100, 100))
def test_a_belt_counts_each_dihedral_from_its_own_zero(geometry: np.ndarray, shift: float) -> None:
    value = measured(BELT, geometry)
    shifted = BELT.model_copy(update={"offsets_deg": tuple(offset - shift for offset in BELT.offsets_deg)})
    assert measured(shifted, geometry, value + shift) == pytest.approx(value + shift, abs=1e-9)


@pytest.mark.parametrize("coordinate", [DIHEDRAL, TWIST, BELT], ids=lambda c: c.kind)
def test_a_full_turn_is_continuous(coordinate: Coordinate) -> None:
    # Uneven rings: the dihedrals of a mean pass 180 deg one after the other.
    uneven = np.random.default_rng(1).normal(0, 0.15, (8, 3))
    turned = [measured(coordinate, rings(0.0) + uneven)]
    for turn in range(5, 725, 5):
        turned.append(measured(coordinate, rings(turn) + uneven, turned[-1]))
        assert abs(turned[-1] - turned[-2] - 5.0) < 2.5
    assert turned[-1] - turned[0] == pytest.approx(720.0)


@pytest.mark.parametrize(
    ("weights", "repeat"), [((1, -1), 360), ((0.5, 0.5), 180), ((2 / 3, -1 / 3), 120), ((12, 5), 360), ((0.1, 0.2), 36)]
)
def test_a_combination_of_torsions_is_continuous_and_repeats_by_the_divisor_of_its_weights(
    weights: tuple[float, float], repeat: float
) -> None:
    coordinate = combined((weights[0], DIHEDRAL), (weights[1], Torsion(kind="dihedral", quadruples=((4, 1, 2, 7),))))
    assert repeat_deg(coordinate) == pytest.approx(repeat)
    values = [measured(coordinate, rings(0.0))]
    for turn in range(5, 725, 5):
        values.append(measured(coordinate, rings(turn), values[-1]))
        assert values[-1] - values[-2] == pytest.approx(5 * sum(weights), abs=1e-9)
    assert measured(coordinate, rings(720.0)) == pytest.approx(values[0], abs=1e-9), "without a past, the same value"


def test_a_combination_whose_torsions_share_no_divisor_is_refused() -> None:
    coordinate = combined((1.0, DIHEDRAL), (0.123, TWIST))
    with pytest.raises(InputError, match=r"weights 1, 0.123 .* no common divisor: take whole numbers up to 12"):
        measured(coordinate, rings(10.0))
    of_lengths = combined((1.0, DISTANCE), (0.123, Distance(atoms=(0, 1))))
    assert repeat_deg(of_lengths) is None


@pytest.mark.parametrize(
    "coordinate",
    [
        Distance(atoms=(0, 9)),
        Angle(atoms=(9, 1, 0)),
        Torsion(kind="dihedral", quadruples=((0, 1, 2, 9),)),
        combined((1.0, Distance(atoms=(0, 1))), (1.0, Distance(atoms=(0, 9)))),
    ],
    ids=lambda c: c.kind,
)
def test_an_atom_that_is_not_there_is_named(coordinate: Coordinate) -> None:
    for ask in (measured, gradient):
        with pytest.raises(
            InputError,
            match=r"^atom 9 of the (distance|angle|dihedral) \[.*\] does not exist: there are 8, counted from 0",
        ):
            ask(coordinate, rings(0.0))


LINE = np.array([[-2.0, 0, 0], [0, 0, 0], [2.0, 0, 0], [3.0, 1, 0]])


def test_collinear_atoms_have_no_dihedral() -> None:
    with pytest.raises(InputError, match=r"dihedral \[0, 1, 2, 3\] is undefined: three of its atoms are collinear"):
        gradient(DIHEDRAL, LINE)


def test_a_straight_angle_has_a_value_and_no_derivative() -> None:
    angle = Angle(atoms=(0, 1, 2))
    assert measured(angle, LINE) == 180.0
    with pytest.raises(InputError, match=r"angle \[0, 1, 2\] has no derivative: its atoms are collinear"):
        gradient(angle, LINE)


@pytest.mark.filterwarnings("ignore:invalid value")
def test_atoms_in_one_place_have_no_angle() -> None:
    geometry = LINE.copy()
    geometry[0] = geometry[1]
    with pytest.raises(InputError, match=r"angle \[0, 1, 2\] is undefined: two of its atoms coincide"):
        measured(Angle(atoms=(0, 1, 2)), geometry)
    with pytest.raises(InputError, match=r"distance \[0, 1\] is 0 and has no derivative"):
        gradient(Distance(atoms=(0, 1)), geometry)


def test_a_twist_about_two_axes_is_refused() -> None:
    crooked = Torsion(kind="twist", quadruples=((3, 2, 1, 0), *TWIST.quadruples[1:]))
    with pytest.raises(InputError, match="share their two middle atoms"):
        measured(crooked, rings(10.0))


@pytest.mark.parametrize(
    "coordinate",
    [
        Torsion(kind="twist", quadruples=((0, 1, 2, 3), (4, 1, 2, 0))),
        Belt(quadruples=((0, 1, 2, 3), (4, 1, 2, 0)), offsets_deg=(0, 0)),
    ],
    ids=lambda c: c.kind,
)
def test_an_atom_in_two_groups_is_refused(coordinate: Coordinate) -> None:
    with pytest.raises(InputError, match=r"groups of the (twist|belt) about \[1, 2\] overlap: atom 0 is in two"):
        measured(coordinate, rings(10.0))
