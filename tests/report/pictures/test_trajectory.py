"""The structures along a scan as one movie: one order of atoms, no atom jumps, the way across is the lowest."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from ase.io import read
from landscape_models import landscape, map_energy, map_landscape, peroxide, profile, twist_landscape

from qcdriver.report.pictures.trajectory import lowest_way, moved_angstrom, trajectory, write_trajectory
from qcdriver.systems.au13ag12.measures import measure_rod
from qcdriver.units import ANGSTROM, EV, KCAL_MOL
from qcdriver.workflow.scan.grid import Grid, Operation
from qcdriver.workflow.scan.network import lowest_path

TORSION = Grid((tuple(15.0 * k for k in range(13)),), (360.0,), (False,), (Operation((1,)),))


@pytest.fixture(scope="module")
def turn():
    """A whole turn of the rod; every point has its own order of atoms, and half of them are mirror images."""
    scanned = twist_landscape()
    return trajectory(scanned, lowest_way(scanned))


def test_no_atom_jumps_between_frames_of_a_smooth_turn(turn):
    assert [frame.values for frame in turn] == [(6.0 * k,) for k in range(13)]
    assert len({frame.molecule.symbols for frame in turn}) == 1
    # 3 deg of each icosahedron move P by 0.25 Angstrom; another atom would be 2 away or more. The builder turns a PH3
    # about its bond now and then.
    heavy = [k for k, symbol in enumerate(turn[0].molecule.symbols) if symbol != "H"]
    for one, other in itertools.pairwise(turn):
        step = np.linalg.norm((other.molecule.geometry - one.molecule.geometry)[heavy], axis=1) * ANGSTROM
        assert step.max() < 0.4
        assert moved_angstrom(one, other) < 1.3


def test_the_turn_goes_on_in_one_sense(turn):
    """Mirror images are laid so that 42 deg follows on 36 deg, and is not 30 deg again."""
    assert [measure_rod(frame.molecule).twist_deg for frame in turn[:-1]] == pytest.approx(
        [6.0 * k for k in range(12)], abs=1e-4
    )
    first, last = (frame.molecule.geometry for frame in (turn[0], turn[-1]))
    assert np.linalg.norm(first - last, axis=1).max() > 2.0  # a period on every atom has taken its neighbour's place


def test_frames_carry_what_was_computed_for_programs_that_read_xyz(turn, tmp_path):
    points = profile(coordinates=("twist_deg",))
    write_trajectory(turn, points, tmp_path / "turn.xyz")
    frames = read(tmp_path / "turn.xyz", index=":")
    assert len(frames) == 13
    assert [frame.info["twist_deg"] for frame in frames] == [6.0 * k for k in range(13)]
    assert [frame.get_potential_energy() for frame in frames] == pytest.approx([each.energy * EV for each in turn])
    assert frames[0].info["gap_ev"] == pytest.approx(0.05 * EV)
    assert frames[0].info["charge"] == turn[0].molecule.molecular_charge
    assert frames[0].info["relative_energy_kcal_mol"] == pytest.approx(0.02 * KCAL_MOL)


def test_a_molecule_without_metals_moves_smoothly_too():
    scanned = landscape(TORSION, peroxide, lambda value: value / 1e5)
    frames = trajectory(scanned, lowest_way(scanned))
    assert max(moved_angstrom(one, other) for one, other in itertools.pairwise(frames)) < 0.3


def test_a_hole_in_a_profile_is_stepped_over():
    scanned = landscape(TORSION, peroxide, lambda value: value / 1e5, holes=[(3,)])
    assert [place for (place,) in lowest_way(scanned)] == [0, 1, 2, *range(4, 13)]


def test_the_way_across_a_map_is_the_lowest_and_tops_at_the_networks_pass():
    scanned = map_landscape()
    way = lowest_way(scanned)
    heights = {place: scanned.points[scanned.grid.home(place)[0]].energy for place in scanned.grid}
    assert way[0][0] == 0
    assert way[-1][0] == 12
    assert all(max(abs(a - b) for a, b in zip(*pair, strict=True)) <= 1 for pair in itertools.pairwise(way))
    lowest = min(each.energy for each in scanned.network.passes)
    assert max(heights[place] for place in way) == pytest.approx(lowest, abs=1e-12)
    assert (6, 3) in way, "S lies on it"


def test_the_way_may_leave_one_side_of_the_map_and_come_in_at_the_other():
    """The valley aslant from (0, 6) leaves at 12 deg of the belt, which is 0; the twist itself is never cut short."""
    grid = Grid(
        (tuple(6.0 * k for k in range(13)), tuple(2.0 * k for k in range(6))),
        (None, 12.0),
        (False, False),
        (Operation((1, 1)),),
    )
    scanned = landscape(
        grid, lambda _twist, _belt: peroxide(90.0), lambda twist, belt: map_energy(twist, belt - 6.0 + twist / 12)
    )
    way = lowest_way(scanned)
    assert [place[0] for place in way] == list(range(13))
    assert any(abs(a[1] - b[1]) == 5 for a, b in itertools.pairwise(way))
    everywhere = {place: scanned.points[place].energy for place in grid}
    assert lowest_path(everywhere, grid.around, way[0], way[-1]) == way


def test_a_first_coordinate_that_closes_on_itself_is_gone_through_all_the_same():
    """From 0 to 66 deg it is one step round the end, and a turn the other way."""
    grid = Grid((tuple(6.0 * k for k in range(12)), (0.0, 2.0)), (72.0, None), (False, False), (Operation((1, 1)),))
    scanned = landscape(grid, lambda _twist, _belt: peroxide(90.0), map_energy)
    assert [place[0] for place in lowest_way(scanned)] == list(range(12))


def test_no_way_leads_across_a_wall_of_holes():
    wall = [(row, column) for row in (4, 8) for column in range(7)]
    scanned = map_landscape(holes=wall)
    assert lowest_way(scanned) == ()
    assert trajectory(scanned, ()) == []
