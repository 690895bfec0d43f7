"""The model that a cut leaves: caps move with the bonds that were cut, and nothing near a metal decides."""

from __future__ import annotations

import numpy as np
import pytest

from qcdriver.errors import InputError
from qcdriver.geometry.bonds import fragments
from qcdriver.geometry.link_atoms import LinkedModel
from qcdriver.geometry.truncate import CAP_ANGSTROM, find_cut, truncate
from qcdriver.models.molecule import Molecule
from qcdriver.systems.au13ag12.model import RodModel, build_rod
from qcdriver.units import ANGSTROM

# By hand, lengths and angles of textbooks: isopropyl and phenyl thiolates.
ISOPROPYL = """
    Cu 0 0 0
    S 0 0 2.2
    C 1.70 0 2.84
    H 2.30 0.75 2.30
    C 1.66 0.45 4.30
    C 2.35 -1.38 2.75
    H 1.05 -0.25 4.88
    H 1.23 1.45 4.40
    H 2.67 0.45 4.71
    H 3.36 -1.35 3.16
    H 2.40 -1.68 1.70
    H 1.76 -2.10 3.31
"""
PHENYL = """
    Cu 0 0 0
    S 0 0 2.2
    C 1.67 0 2.80
    C 2.70 0 1.87
    C 4.03 0 2.29
    C 4.33 0 3.64
    C 3.30 0 4.57
    C 1.97 0 4.15
    H 2.46 0 0.81
    H 4.83 0 1.57
    H 5.37 0 3.97
    H 3.54 0 5.63
    H 1.17 0 4.87
"""


def molecule(text: str) -> Molecule:
    rows = [line.split() for line in text.strip().splitlines()]
    return Molecule(
        symbols=tuple(row[0] for row in rows),
        geometry=np.array([[float(x) for x in row[1:]] for row in rows]) / ANGSTROM,
    )


@pytest.fixture(scope="module")
def rod() -> Molecule:
    return build_rod(RodModel(phosphine="PPh3"))


def linked(whole: Molecule, **cut: str) -> LinkedModel:
    return LinkedModel(whole, find_cut(whole, covalent_bonds_decide=True, **cut))


def test_a_hydrogen_stands_at_a_fixed_share_of_the_bond_that_was_cut():
    whole = molecule(ISOPROPYL)
    model = linked(whole, thiolate="SH")
    assert model.molecule.symbols == ("Cu", "S", "H")
    for stretch in (1.0, 1.2):
        geometry = np.array(whole.geometry)
        geometry[2] = geometry[1] + stretch * (whole.geometry[2] - whole.geometry[1])
        share = CAP_ANGSTROM["S", "H"] / CAP_ANGSTROM["S", "C"]
        assert model.geometry(geometry)[2] - geometry[1] == pytest.approx(share * (geometry[2] - geometry[1]))


def test_a_methyl_group_keeps_the_carbon_and_the_directions_of_its_bonds():
    whole = molecule(ISOPROPYL)
    cap = linked(whole, thiolate="SMe").molecule.geometry[2:]
    assert cap[:2] == pytest.approx(whole.geometry[2:4])
    for hydrogen, carbon in zip(cap[2:], whole.geometry[4:6], strict=True):
        along, bond = hydrogen - cap[0], carbon - cap[0]
        assert np.linalg.norm(along) * ANGSTROM == pytest.approx(1.09, abs=0.03)
        assert np.linalg.norm(np.cross(along, bond)) < 1e-12


@pytest.mark.parametrize(
    ("cut", "n_atoms"), [({"phosphine": "PH3"}, 73), ({"phosphine": "PMe3"}, 163)], ids=["PH3", "PMe3"]
)
def test_a_gradient_on_the_model_is_carried_to_the_whole_by_the_chain_rule(rod, cut, n_atoms):
    model = linked(rod, **cut)
    assert len(model.molecule.symbols) == n_atoms
    assert len(fragments(model.molecule)) == 1
    rng = np.random.default_rng(1)
    of_model, moves = rng.normal(size=(n_atoms, 3)), rng.normal(size=rod.geometry.shape)
    little = 1e-4
    there, here = (model.geometry(rod.geometry + sign * little * moves) for sign in (1, -1))
    slope = (of_model * (there - here)).sum() / (2 * little)
    assert (model.gradient(rod.geometry, of_model) * moves).sum() == pytest.approx(slope, abs=1e-6)


def test_a_hydrogen_near_a_metal_and_a_metal_gone_change_no_model():
    whole = molecule(ISOPROPYL)
    near, far = np.array(whole.geometry), np.array(whole.geometry)
    near[0] = np.array([1.16, -0.81, 0.39]) / ANGSTROM  # 2.0 Angstrom from a hydrogen: a bond, as distances go
    far[0] -= [0, 0, 3.0]
    assert truncate(whole.moved(near), thiolate="SH").molecule.formula == "C3H7CuS"
    for geometry in (near, far):
        assert linked(whole.moved(geometry), thiolate="SH").molecule.symbols == ("Cu", "S", "H")


def test_a_methyl_group_that_only_a_metal_could_turn_is_refused():
    with pytest.raises(InputError, match=r"on atom 1 \(S\) has no direction that stays: take hydrogen there"):
        linked(molecule(PHENYL), thiolate="SMe")
    assert linked(molecule(PHENYL), thiolate="SH").molecule.formula == "CuHS"
