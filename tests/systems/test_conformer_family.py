"""A structure's family: what a chemist would name, the same for its mirror image and any order of atoms."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from qcdriver.models.molecule import Molecule
from qcdriver.systems.au13ag12.binding import bound_by_gap
from qcdriver.systems.au13ag12.conformer_traits import open_contacts
from qcdriver.systems.au13ag12.measures import find_rod, measure_rod
from qcdriver.systems.au13ag12.model import RodModel, build_rod
from qcdriver.systems.conformer_family import Bounds
from qcdriver.systems.cu14 import Cu14Model, build_cu14
from qcdriver.systems.registry import conformer_family
from qcdriver.units import ANGSTROM

NONE = Bounds()


def bent(rod: Molecule, degrees: float) -> Molecule:
    """Bend a rod at its shared atom: turn one half, and the ligands on it, about an axis across the rod."""
    upper = (rod.geometry[:, 2] > 0.1)[:, None]
    turn = Rotation.from_euler("x", degrees, degrees=True).as_matrix()
    return rod.moved(np.where(upper, rod.geometry @ turn.T, rod.geometry))


def opened(rod: Molecule) -> Molecule:
    """Turn two neighbours in a ring of Ag away from each other, to 4.15 Angstrom."""
    one, other = find_rod(rod).silver_rings[1][:2]
    moved = rod.geometry.copy()
    for atom, sign in ((one, -1), (other, 1)):
        turn = Rotation.from_euler("z", sign * 20 * np.sign(moved[other, 2]), degrees=True).as_matrix()
        moved[atom] = turn @ moved[atom]
    return rod.moved(moved)


def family(molecule: Molecule, bounds: Bounds = NONE, start: Molecule | None = None):
    return conformer_family(molecule, start, bounds)


@pytest.mark.parametrize(("twist", "name"), [(0, "E, straight, 5d+1q"), (36, "S, straight, 4d+2t")])
def test_the_rotamers_as_they_are_built_have_the_names_of_the_crystals(twist, name):
    rod = build_rod(RodModel(twist_deg=twist))
    assert str(family(rod)) == name
    assert family(rod).words == family(rod.mirrored()).words
    assert family(rod).within_bounds


def test_a_rod_between_e_and_s_says_how_far_it_is_twisted():
    assert str(family(build_rod(RodModel(twist_deg=18)))).startswith("twisted 18 deg, straight, ")


def test_a_bent_rod_keeps_its_name_and_lies_beyond_the_bounds_of_a_rod():
    found = family(bent(build_rod(RodModel(twist_deg=36)), 17.8))
    assert str(found).startswith("S, bent 18 deg, ")
    assert [trait.beyond for trait in found.traits if trait.beyond] == ["max_bend_deg"]
    assert not found.within_bounds


def test_how_far_a_rod_is_bent_makes_no_other_family_and_the_bound_is_the_inputs():
    one, other = (bent(build_rod(RodModel(twist_deg=36)), angle) for angle in (12, 14))
    assert family(one).words == family(other).words
    assert family(one, Bounds(max_bend_deg=13)).within_bounds
    assert not family(other, Bounds(max_bend_deg=13)).within_bounds


def test_an_open_contact_of_an_icosahedron_is_counted_whatever_it_was_relaxed_from():
    rod = opened(build_rod(RodModel(twist_deg=36)))
    assert open_contacts(rod, find_rod(rod)) == 1
    assert "1 contact open" in family(rod, start=rod).words
    assert not family(rod).within_bounds
    assert family(rod, Bounds(allow_opened=1)).within_bounds


@pytest.mark.parametrize(
    ("angstrom", "count"),
    [
        ((2.63, 2.65, 2.96, 2.99, 5.27), 2),  # E of the PH3 model at GFN1-xTB: 5d+1q
        ((2.76, 2.76, 2.76, 2.76, 5.36), 4),
        ((2.59, 2.67, 2.83, 4.50, 4.65), 3),  # S of it
        ((2.60, 2.64, 2.89, 4.25, 4.85), 3),
        ((2.70, 2.74, 2.99, 4.25, 4.85), 3),  # as before with bonds that are 0.1 longer: beyond a cutoff of 2.9
        ((2.52, 2.52, 3.62, 3.87, 5.09), 2),
        ((2.40, 3.90, 4.00, 4.10, 4.20), 1),
    ],
)
def test_a_chloride_binds_what_lies_before_the_gap(angstrom, count):
    assert bound_by_gap(np.array(angstrom)) == count


def test_the_smooth_numbers_of_a_built_belt_are_near_those_of_its_modes():
    smooth = measure_rod(build_rod(RodModel(twist_deg=36))).belt_coordination
    assert smooth == pytest.approx([2, 2, 2, 2, 3, 3], abs=0.5)
    assert list(smooth) == sorted(smooth)


def test_a_cu14_is_named_by_its_hydrides_and_so_is_its_mirror_image():
    cluster = build_cu14(Cu14Model())
    found = family(cluster, start=cluster)
    assert [trait.kind for trait in found.traits] == ["hydrides", "contacts"]
    assert found.words == family(cluster.mirrored(), start=cluster.mirrored()).words
    assert sum(int(part.partition("mu")[0]) for part in found.words[0].partition(" in ")[0].split("+")) == 10


def test_any_other_cluster_is_described_by_its_metal_contacts_against_its_start():
    ring = 2.7 / ANGSTROM * np.array([[0, 0, 0], [1, 0, 0], [0.5, 0.87, 0]])
    start = Molecule(symbols=("Au",) * 3, geometry=ring, molecular_charge=1)
    away = start.moved(ring + [[0, 0, 0], [1.5 / ANGSTROM, -1.5 / ANGSTROM, 0], [0, 0, 0]])
    assert str(family(start, start=start)) == "contacts kept"
    assert str(family(away, start=start)) == "2 contacts open"
    assert not family(away, Bounds(allow_opened=1), start).within_bounds
    assert family(away) is None


def test_a_molecule_without_metal_has_no_family():
    water = Molecule(symbols=("O", "H", "H"), geometry=[[0, 0, 0], [1.8, 0, 0], [0, 1.8, 0]])
    assert family(water, start=water) is None
