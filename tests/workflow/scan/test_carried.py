"""Coordinates carried by a symmetry: their values are what the symmetry says, on real rods, distorted ones too."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qcdriver.geometry.coordinates import measured
from qcdriver.models.coordinates import Distance, Torsion, held
from qcdriver.optimize.driving import driven
from qcdriver.systems.au13ag12.measures import belt_coordinate, twist_coordinate
from qcdriver.systems.au13ag12.model import RodModel, build_rod
from qcdriver.workflow.scan.grid import Operation, apart
from qcdriver.workflow.scan.symmetry import all_carried

OPERATIONS = (
    Operation((1, 1)),
    Operation((-1, -1), mirrored=True),
    Operation((-1, 1), mirrored=True, flipped=True),
    Operation((1, -1), flipped=True),
)
PERIODS = (72.0, 12.0)
angles = st.floats(-100, 100)


@settings(max_examples=25, deadline=None)
@given(angles, angles, st.sampled_from(OPERATIONS), st.floats(-80, 80), st.floats(-30, 30), st.integers(0, 2**32 - 1))
def test_an_operation_changes_signs_and_the_numbering_nearest_to_the_wish_is_taken(
    twist, belt, operation, near_twist, near_belt, seed
):
    rod = build_rod(RodModel(twist_deg=twist, belt_deg=belt))
    coordinates = (twist_coordinate(rod), belt_coordinate(rod))
    shaken = rod.moved(rod.geometry + np.random.default_rng(seed).uniform(-0.5, 0.5, rod.geometry.shape))
    values = [measured(each, shaken.geometry) for each in coordinates]
    image = shaken.mirrored() if operation.mirrored else shaken
    near = (near_twist, near_belt)
    there = all_carried(coordinates, operation, image, near)
    for sign, value, each, wish, period in zip(operation.signs, values, there, near, PERIODS, strict=True):
        now = measured(each, image.geometry, wish)
        assert apart(now, sign * value, period) < 1e-6
        assert abs(now - wish) <= period / 2 + 1e-6


def test_a_structure_carried_over_the_mirror_can_be_driven_on_from_there():
    """From 36 deg on to 42 is, in the mirror image, from 36 back to 30; it is reached with the belt as it was."""
    rod = build_rod(RodModel(twist_deg=36))
    image = rod.mirrored()
    there = all_carried((twist_coordinate(rod, 36), belt_coordinate(rod)), OPERATIONS[1], image, (36.0, -6.0))
    wanted = (30.0, measured(there[1], image.geometry, -6.0))
    turned = driven(image, [held(each, value) for each, value in zip(there, wanted, strict=True)])
    for each, value in zip(there, wanted, strict=True):
        assert measured(each, turned.geometry, value) == pytest.approx(value, abs=1e-6)


def test_coordinates_of_chosen_atoms_stay_as_they_are():
    rod = build_rod(RodModel())
    chosen = (Distance(atoms=(0, 5)), Torsion(kind="dihedral", quadruples=((0, 1, 2, 3),)))
    assert all_carried(chosen, OPERATIONS[1], rod.mirrored(), (3.0, 10.0)) == chosen
