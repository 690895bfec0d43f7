"""Torsional barriers of real molecules: the scan against a fine drive with the same engine, GFN1-xTB by tblite."""

from __future__ import annotations

import numpy as np
import pytest
from small_scans import (
    ETHANE_TURN,
    GLYCOL_TURN,
    HYDRAZINE_TURN,
    PEROXIDE_TURN,
    energies,
    ethane,
    glycol,
    hydrazine,
    peroxide,
    relaxed,
    scanned,
    torsion_settings,
)

from qcdriver.models.verdicts import Purpose
from qcdriver.units import KCAL_MOL
from qcdriver.workflow.scan.settings import ScanSettings

SAME = 1e-6
"""Hartree; what two relaxations of one structure may differ by."""


def fine_drive(molecule, torsion, values):
    """Relax at each value from the structure at the last: the energies, hartree."""
    found = {}
    for value in map(float, values):
        at = relaxed(molecule, [(torsion, value)])
        molecule, found[value] = at.molecule, at.result.energy
    return found


@pytest.mark.parametrize(
    ("molecule", "torsion", "settings", "fine"),
    [
        (ethane(), ETHANE_TURN, torsion_settings(ETHANE_TURN, -180, 160, 20), range(60, 121)),
        (peroxide(), PEROXIDE_TURN, torsion_settings(PEROXIDE_TURN, 0, 180, 15, mirror=True), range(181)),
    ],
    ids=["ethane", "hydrogen peroxide"],
)
def test_the_barrier_is_that_of_a_direct_drive_in_steps_of_a_degree(molecule, torsion, settings, fine):
    landscape, _, _ = scanned(settings, molecule)
    direct = fine_drive(molecule, torsion, fine)
    barrier = max(direct.values()) - min(direct.values())
    assert barrier > 1.5 / KCAL_MOL
    network = landscape.network
    assert network.passes
    for each in network.passes:
        for end in each.between:
            assert each.energy - network.minima[end].energy == pytest.approx(barrier, abs=SAME)
    for (value,), energy in energies(landscape).items():
        if value in direct:
            assert energy == pytest.approx(direct[value], abs=SAME)


BY_ONE_HYDROGEN = {"kind": "dihedral", "atoms": ETHANE_TURN.quadruples[0]}
BY_ALL_HYDROGENS = {"kind": "twist", "rings": ((2, 3, 4), (5, 7, 6)), "axis": (0, 1)}
"""Of both methyl groups, each counted in the same sense."""


def of_period(period_deg, what=BY_ONE_HYDROGEN):
    axis = {"start_deg": -180, "stop_deg": 160, "step_deg": 20, "period_deg": period_deg}
    return ScanSettings.model_validate({"coordinate": [what | axis]})


def checked_image(verdicts):
    (check,) = [each for each in verdicts if each.purpose is Purpose.SCAN_CHECK]
    return check.kept


@pytest.mark.parametrize("what", [BY_ONE_HYDROGEN, BY_ALL_HYDROGENS], ids=["dihedral", "twist"])
def test_of_a_methyl_group_with_its_period_a_third_of_the_turn_is_computed_and_is_the_whole(what):
    whole = energies(scanned(of_period(None, what), ethane())[0])
    assert len(whole) == 18
    landscape, verdicts, _ = scanned(of_period(120, what), ethane())
    third = energies(landscape)
    assert [value for (value,) in third] == [-180, -160, -140, -120, -100, -80]
    for (value,), energy in whole.items():
        home = landscape.grid.values(landscape.grid.home(landscape.grid.nearest((value,)))[0])
        assert energy == pytest.approx(third[home], abs=SAME)
    assert checked_image(verdicts)
    (over,) = landscape.network.passes
    assert over.between == (0, 0)  # a third of a turn on, to itself


def test_a_period_that_the_molecule_does_not_have_is_found_out():
    """Ethane after 60 deg is eclipsed where it was staggered; the image that is computed as a check shows it."""
    _, verdicts, _ = scanned(of_period(60), ethane())
    assert not checked_image(verdicts)


def test_the_minimum_of_the_scan_of_ethane_is_the_free_minimum():
    found = energies(scanned(torsion_settings(ETHANE_TURN, 0, 110, 10), ethane())[0])
    assert found[60.0,] == pytest.approx(relaxed(ethane()).result.energy, abs=SAME)


def test_a_methyl_group_repeats_after_120_degrees_though_nobody_says_so():
    found = energies(scanned(torsion_settings(ETHANE_TURN, 0, 240, 20), ethane())[0])
    assert len(found) == 13
    for (value,), energy in found.items():
        assert energy == pytest.approx(found[value % 120,], abs=SAME)
        assert energy == pytest.approx(found[(240 - value) % 360,], abs=SAME)


def test_the_slopes_of_a_profile_are_its_derivative():
    """Central differences over 2 * 2 deg are exact to their third derivative, here 1e-7 hartree/deg."""
    landscape, _, _ = scanned(torsion_settings(PEROXIDE_TURN, 60, 120, 2), peroxide())
    points = [landscape.points[index] for index in landscape.grid]
    slopes = np.array([point.relaxed.slopes[0] for point in points])
    by_energy = np.gradient([point.energy for point in points], 2.0)
    assert slopes[1:-1] == pytest.approx(by_energy[1:-1], abs=1e-6)
    assert abs(slopes).min() > 1e-5


def test_where_hydroxyls_lag_behind_the_lower_structure_is_kept_from_whatever_side():
    """Glycol driven up from its gauche minimum past anti ends on the wrong hydroxyls, 3 kcal/mol too high."""
    start = relaxed(glycol()).molecule
    found = energies(scanned(torsion_settings(GLYCOL_TURN, -180, 150, 30), start)[0])
    upward = fine_drive(start, GLYCOL_TURN, range(60, 390, 30))
    once_round = {180 - (180 - value) % 360: energy for value, energy in upward.items()}
    shown = {value if value < 180 else -180: energy for value, energy in once_round.items()}
    lag = {value: energy - found[value,] for value, energy in shown.items()}
    assert max(lag.values()) > 2.0 / KCAL_MOL
    assert min(lag.values()) > -SAME
    for value in (60.0, 90.0, 120.0):  # the mirror image, of which the scan knows nothing, has the same energies
        assert found[value,] == pytest.approx(found[-value,], abs=SAME)


LAYOUTS = [(0, 180), (-180, 180), (-180, 150), (0, 360), (-60, 120)]


@pytest.mark.parametrize(("start", "stop"), LAYOUTS)
def test_the_other_hand_of_hydrazine_is_found_however_the_grid_is_laid_out(start, stop):
    """Its nitrogens do not invert, so half of its turn is 5 kcal/mol too high without its mirror image."""
    molecule = relaxed(hydrazine()).molecule
    turn = energies(scanned(torsion_settings(HYDRAZINE_TURN, -180, 150, 30), molecule)[0])
    found = energies(scanned(torsion_settings(HYDRAZINE_TURN, start, stop, 30, mirror=True), molecule)[0])
    assert max(turn[value,] - turn[-value,] for value in range(30, 180, 30)) > 4.0 / KCAL_MOL
    for (value,), energy in found.items():
        both = (turn[(value + 180) % 360 - 180,], turn[(180 - value) % 360 - 180,])
        assert energy == pytest.approx(min(both), abs=SAME)


def test_a_molecule_that_is_its_own_mirror_image_at_the_ends_costs_a_relaxation_a_point():
    """There it goes the same way whether mirrored or not, and both neighbours of a point lie in one valley."""
    _, _, here = scanned(torsion_settings(PEROXIDE_TURN, 0, 180, 15, mirror=True), peroxide())
    assert len(here.relaxations) == 13


def test_a_conformer_beyond_the_grid_starts_at_a_point_that_is_computed():
    """The minimum at 180 deg lies beyond both ends, of which one is the mirror image of the other."""
    landscape, _, here = scanned(
        torsion_settings(PEROXIDE_TURN, -60, 60, 20, mirror=True), relaxed(peroxide()).molecule
    )
    grid = landscape.grid
    assert set(landscape.points) == set(grid.unique)
    assert [each.task.targets[0].value for each in here.relaxations[:4]] == [-60, -40, -20, 0]
