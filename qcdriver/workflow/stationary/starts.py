"""The landscape of a scan -> the minima of its grid, and the ways over its passes, to start stationary points from."""

from __future__ import annotations

from qcdriver.workflow.scan.grid import Index
from qcdriver.workflow.scan.landscape import Landscape
from qcdriver.workflow.scan.network import GridPass
from qcdriver.workflow.scan.unfolding import place
from qcdriver.workflow.stationary.settings import GridPoint, PassRoute


def minima_of(landscape: Landscape) -> list[GridPoint]:
    """List the minima of the grid, the lowest first."""
    return [_grid_point(landscape, minimum.index) for minimum in landscape.network.minima]


def routes_over_passes(landscape: Landscape) -> list[PassRoute]:
    """List the ways from minimum to minimum, that over the lowest pass first."""
    return [_way(landscape, pass_) for pass_ in landscape.network.passes]


def _way(landscape: Landscape, over: GridPass) -> PassRoute:
    minima = landscape.network.minima
    points = []
    for unfolded in over.path:
        found = place(landscape.grid, unfolded)
        assert found is not None
        points.append((_grid_point(landscape, found[0]), found[1]))
    start, end = (landscape.grid.shown(minima[number].index) for number in over.between)
    return PassRoute(landscape.grid.shown(over.index), (start, end), tuple(points), landscape.grid.values(over.index))


def _grid_point(landscape: Landscape, index: Index) -> GridPoint:
    point = landscape.points[index]
    return GridPoint(landscape.grid.shown(index), point.verdict.key, point.molecule, landscape.grid.values(index))
