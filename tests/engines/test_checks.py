"""What is refused before any program is asked: colliding atoms, wrong keywords, each with the way out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from qcdriver.engines.checks import check_geometry, choices, read_keywords
from qcdriver.errors import InputError
from qcdriver.models.base import Frozen
from qcdriver.units import ANGSTROM


class Settings(Frozen):
    accuracy: float = Field(default=1.0, gt=0)
    cycles: int = 50


def _chain(distance_angstrom):
    return np.array([[0, 0, 0], [0, 3, 0], [0, 3, distance_angstrom / ANGSTROM]])


@given(st.floats(0.401, 50))
def test_atoms_at_any_chemical_distance_pass(distance_angstrom):
    check_geometry(("H", "O", "Au"), _chain(distance_angstrom))


@given(st.floats(0, 0.399))
def test_atoms_in_one_place_are_named_with_their_distance(distance_angstrom):
    with pytest.raises(InputError, match=r"atoms 1 \(O\) and 2 \(Au\) are 0\.\d{3} A apart"):
        check_geometry(("H", "O", "Au"), _chain(distance_angstrom))


@pytest.mark.parametrize("geometry", [np.full((3, 3), np.nan), np.zeros((2, 3)), np.zeros(9)])
def test_positions_are_natoms_by_3_finite_numbers(geometry):
    with pytest.raises(InputError, match="3 x 3 finite numbers"):
        check_geometry(("H", "O", "Au"), geometry)


@given(st.integers(2, 5))
def test_several_atoms_in_one_place_are_two_of_them(count):
    with pytest.raises(InputError, match=r"atoms \d \(H\) and \d \(H\) are 0\.000 A apart"):
        check_geometry(("H",) * count, np.zeros((count, 3)))


def test_one_atom_alone_collides_with_nothing():
    check_geometry(("H",), np.zeros((1, 3)))


def test_keywords_get_their_defaults():
    assert read_keywords("toy", Settings, {"cycles": 7}) == Settings(accuracy=1.0, cycles=7)


@pytest.mark.parametrize(
    ("keywords", "complaint"),
    [
        ({"acuracy": 1}, "toy keywords: 'acuracy' is unknown; did you mean 'accuracy'?"),
        ({"zzz": 1}, "toy keywords: 'zzz' is unknown; there are accuracy, cycles"),
        ({"accuracy": -1}, "toy keywords: accuracy = -1: input should be greater than 0"),
        ({"cycles": True}, "toy keywords: cycles = True: input should be a valid integer"),
        ({"cycles": "1_0"}, "toy keywords: cycles = '1_0': input should be a valid integer"),
        ({"cycles": 7.0}, "toy keywords: cycles = 7.0: input should be a valid integer"),
        ({"accuracy": float("nan")}, "toy keywords: accuracy = nan: input should be a finite number"),
    ],
)
def test_a_wrong_keyword_is_one_line_with_what_would_be_right(keywords, complaint):
    with pytest.raises(InputError) as caught:
        read_keywords("toy", Settings, keywords)
    assert str(caught.value) == complaint


def test_near_matches_ignore_case():
    assert choices("PBEE", ["pbe", "r2scan"]) == "did you mean 'pbe'?"
