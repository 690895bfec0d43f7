"""Maps of two coordinates of real molecules, GFN1-xTB by tblite: their minima are the conformers that are known."""

from __future__ import annotations

import itertools

import pytest
from small_scans import energies, relaxed, scanned, trisulfane, water

from qcdriver.geometry.coordinates import measured
from qcdriver.models.coordinates import Angle, Distance
from qcdriver.models.verdicts import Code
from qcdriver.units import ANGSTROM
from qcdriver.workflow.scan.findings import scan_profile
from qcdriver.workflow.scan.settings import ScanSettings

SAME = 1e-6
"""Hartree; what two relaxations of one structure may differ by."""
STRETCH, BEND = Distance(atoms=(0, 1)), Angle(atoms=(1, 0, 2))


def torsion(*atoms):
    return {"kind": "dihedral", "atoms": atoms, "start_deg": -180, "stop_deg": 135, "step_deg": 45}


TORSIONS = [torsion(0, 1, 2, 3), torsion(1, 2, 3, 4)]


@pytest.fixture(scope="module")
def trisulfane_map():
    """H-S-S-S-H over both torsions from its helical conformer, mirror images computed once."""
    settings = ScanSettings.model_validate({"coordinate": TORSIONS, "mirror": True})
    return settings, *scanned(settings, trisulfane(90, 90))


def test_of_two_torsions_and_their_mirror_image_half_is_computed(trisulfane_map):
    """By hand: of 8 x 8 points the four of 0 and 180 deg are their own mirror images, the other 60 pair up."""
    _, landscape, _, here = trisulfane_map
    assert len(landscape.points) == 34
    computed = {landscape.grid.nearest([target.value for target in each.task.targets]) for each in here.relaxations}
    assert len(computed) == 35  # and the one that checks the mirror image


def test_the_mirror_image_was_computed_and_agrees(trisulfane_map):
    _, _, verdicts, here = trisulfane_map
    (check,) = [each for each in verdicts if each.label.startswith("mirror image of ")]
    assert check.kept
    home = here.records[here.records[check.key].parents[0]]
    assert here.records[check.key].result.energy == pytest.approx(home.result.energy, abs=SAME)


def test_the_profile_is_whole_and_a_mirror_image_has_the_energy_of_its_twin(trisulfane_map):
    settings, landscape, _, _ = trisulfane_map
    points = {each.target: each for each in scan_profile(settings, landscape).points}
    assert len(points) == 64
    for (first, last), point in points.items():
        twin = points[tuple((180 - value) % 360 - 180 for value in (first, last))]
        assert point.energy_hartree == twin.energy_hartree
        assert point.reached == pytest.approx((first, last), abs=1e-4)


def test_the_minima_of_the_map_are_the_helix_and_the_ring_shaped_conformer(trisulfane_map):
    """Trisulfane has two conformers, both torsions of one sign or of two (trans and cis), one known start each."""
    _, landscape, _, _ = trisulfane_map
    known = {"helix": relaxed(trisulfane(90, 90)), "ring": relaxed(trisulfane(90, -90))}
    free = [relaxed(landscape.points[each.index].molecule) for each in landscape.network.minima]
    found = sorted(each.result.energy for each in free)
    assert found == pytest.approx(sorted(each.result.energy for each in known.values()), abs=SAME)
    assert found[1] - found[0] > 100 * SAME


def test_exchanging_the_ends_of_trisulfane_which_nobody_told_leaves_the_map_as_it_is(trisulfane_map):
    _, landscape, _, _ = trisulfane_map
    grid = landscape.grid
    for first, last in itertools.product(range(8), repeat=2):
        one, other = (landscape.points[grid.home(index)[0]] for index in ((first, last), (last, first)))
        assert one.energy == pytest.approx(other.energy, abs=5 * SAME)


@pytest.fixture(scope="module")
def water_map():
    """Water over a bond (Angstrom) and its angle."""
    stretch = {"kind": "distance", "atoms": STRETCH.atoms}
    stretch |= {"start_angstrom": 0.9, "stop_angstrom": 1.02, "step_angstrom": 0.06}
    bend = {"kind": "angle", "atoms": BEND.atoms, "start_deg": 97, "stop_deg": 117, "step_deg": 10}
    settings = ScanSettings.model_validate({"coordinate": [stretch, bend]})
    return settings, scanned(settings, water())[0]


def test_the_lowest_point_of_a_bond_and_an_angle_is_that_nearest_to_the_free_minimum(water_map):
    _, landscape = water_map
    free = relaxed(water())
    values = [measured(coordinate, free.molecule.geometry) for coordinate in (STRETCH, BEND)]
    lowest = min(landscape.points, key=lambda index: landscape.points[index].energy)
    assert landscape.grid.nearest(values) == lowest == (1, 1)
    assert free.result.energy < landscape.points[lowest].energy


def test_every_point_of_a_bond_and_an_angle_is_a_direct_constrained_relaxation(water_map):
    _, landscape = water_map
    found = energies(landscape)
    assert len(found) == 9
    for (length, angle), energy in found.items():
        direct = relaxed(water(), [(STRETCH, length), (BEND, angle)])
        assert energy == pytest.approx(direct.result.energy, abs=SAME)


def test_lengths_are_told_in_angstrom_and_reached(water_map):
    settings, landscape = water_map
    profile = scan_profile(settings, landscape)
    assert profile.axes == (("distance", "A"), ("angle", "deg"))
    assert [point.target[0] for point in profile.points[::3]] == pytest.approx([0.90, 0.96, 1.02])
    for index, point in zip(landscape.grid, profile.points, strict=True):
        geometry = landscape.points[index].molecule.geometry
        assert point.reached[0] == pytest.approx(measured(STRETCH, geometry) * ANGSTROM, abs=1e-8)
        assert point.reached[1] == pytest.approx(measured(BEND, geometry), abs=1e-6)


def test_the_difference_of_two_bonds_can_be_driven_and_its_profile_is_even():
    """Water does not tell its hydrogens apart."""
    terms = [{"weight": 1, "atoms": [0, 1]}, {"weight": -1, "atoms": [0, 2]}]
    values = {"start_angstrom": -0.1, "stop_angstrom": 0.1, "step_angstrom": 0.05}
    settings = ScanSettings.model_validate({"coordinate": [{"kind": "combination", "terms": terms, **values}]})
    found = list(energies(scanned(settings, water())[0]).values())
    assert len(found) == 5
    assert found == pytest.approx(found[::-1], abs=SAME)
    assert min(found) == found[2]


def test_a_bond_may_be_driven_until_it_breaks():
    """Beyond 1.37 Angstrom O and H count as not bonded; nothing else of water may fall apart, and nothing does."""
    values = {"start_angstrom": 0.95, "stop_angstrom": 1.7, "step_angstrom": 0.15}
    settings = ScanSettings.model_validate({"coordinate": [{"kind": "distance", "atoms": STRETCH.atoms, **values}]})
    landscape, verdicts, _ = scanned(settings, water())
    assert len(landscape.points) == 6
    assert not any(verdict.code is Code.FELL_APART for verdict in verdicts)
    found = list(energies(landscape).values())
    assert found == sorted(found)
