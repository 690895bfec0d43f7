"""The map shows the whole period, marks what the network says, and cuts its way only at the edge."""

from __future__ import annotations

import numpy as np
import pytest
from landscape_models import map_landscape, profile, scan_point, twist_landscape
from matplotlib.figure import Figure

from qcdriver.report.pictures.contour_map import _draw_network, _draw_points, _draw_way, _heights, plot_map
from qcdriver.report.pictures.trajectory import lowest_way

PLANE = profile(scan_point(0.0, 0.0), coordinates=("twist_deg", "belt_deg"))


@pytest.fixture(scope="module")
def scanned():
    return map_landscape()


@pytest.fixture
def axes():
    return Figure().subplots()


def places(axes, label):
    (line,) = (line for line in axes.get_lines() if line.get_label() == label)
    return sorted(map(tuple, line.get_xydata().tolist()))


def test_the_whole_period_is_shown_from_the_unique_part(scanned, axes):
    _draw_points(axes, scanned)
    assert len(places(axes, "computed")) == len(scanned.grid.unique) < 91 / 2
    assert len(places(axes, "computed")) + len(places(axes, "by symmetry")) == 91
    heights = _heights(scanned)
    assert np.isfinite(heights).all()
    assert heights == pytest.approx(heights[::-1, :])  # the mirror about 36 deg


def test_minima_and_passes_are_those_of_the_network_wherever_symmetry_puts_them(scanned, axes):
    _draw_network(axes, scanned, _heights(scanned))
    assert places(axes, "minimum") == [(0.0, 0.0), (0.0, 12.0), (36.0, 6.0), (72.0, 0.0), (72.0, 12.0)]
    grid = scanned.grid
    marked = {grid.home(grid.nearest(place))[0] for place in places(axes, "pass")}
    assert marked == {grid.home(each.index)[0] for each in scanned.network.passes}


def test_the_way_is_one_line_and_is_cut_where_it_leaves_the_map(scanned, axes):
    _draw_way(axes, scanned, [(0, 1), (1, 0), (2, 5), (3, 4)])
    assert [line.get_xydata().tolist() for line in axes.get_lines()] == [
        [[0.0, 2.0], [6.0, 0.0]],
        [[12.0, 10.0], [18.0, 8.0]],
    ]


def test_a_map_is_drawn_with_holes_and_without_a_way(tmp_path):
    scanned = map_landscape(holes=[(4, column) for column in range(7)] + [(1, 1)])
    assert plot_map("A rotor, 5$", scanned, PLANE, lowest_way(scanned), tmp_path / "map.png")
    assert (tmp_path / "map.png").stat().st_size > 20_000


def test_one_coordinate_is_no_map(tmp_path):
    scanned = twist_landscape()
    assert not plot_map("A rotor", scanned, profile(scan_point(0.0)), (), tmp_path / "map.png")
    assert not list(tmp_path.iterdir())
