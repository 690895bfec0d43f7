"""The density of states counts every electron pair, and is drawn where there are orbitals to draw."""

from __future__ import annotations

import numpy as np
import pytest

from qcdriver.models.outcomes import Orbitals, Result
from qcdriver.report.pictures.density_of_states import density_of_states, plot_density_of_states
from qcdriver.units import EV

CLOSED = Result(
    energy=-1.0,
    homo=-0.3,
    lumo=-0.1,
    orbitals=Orbitals(energies=((-0.5, -0.3, -0.1),), occupations=((2, 2, 0),)),
)
OPEN = Result(
    energy=-1.0,
    homo=-0.3,
    lumo=-0.2,
    orbitals=Orbitals(energies=((-0.5, -0.3), (-0.45, -0.2)), occupations=((1, 1), (1, 0))),
)


def _integral(result, energies):
    return density_of_states(result, energies).sum() * (energies[1] - energies[0])


@pytest.mark.parametrize(("result", "states"), [(CLOSED, 6), (OPEN, 4)], ids=["closed", "open"])
def test_every_orbital_counts_for_each_of_its_spins(result, states):
    energies = np.linspace(-30, 10, 40001)
    assert _integral(result, energies) == pytest.approx(states, abs=1e-6)


def test_below_the_gap_are_the_electrons():
    energies = np.linspace(-30, EV * -0.2, 40001)
    assert _integral(CLOSED, energies) == pytest.approx(4, abs=1e-6)


def test_a_picture_is_drawn_of_what_has_orbitals_and_of_nothing_else(tmp_path):
    path = tmp_path / "dos.png"
    assert not plot_density_of_states([("xtb", Result(energy=-1.0))], path)
    assert list(tmp_path.iterdir()) == []
    assert plot_density_of_states([("E", CLOSED), ("S$^*", OPEN), ("xtb", Result(energy=-1.0))], path)
    assert [each.name for each in tmp_path.iterdir()] == ["dos.png"]
    assert path.read_bytes().startswith(b"\x89PNG")
