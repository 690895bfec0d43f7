"""A landscape over two coordinates -> its contour map: points, minima, passes, and the lowest way across."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from qcdriver.report.pictures.canvas import new_figure, save
from qcdriver.report.pictures.profile import scale
from qcdriver.units import KCAL_MOL
from qcdriver.workflow.findings import Profile
from qcdriver.workflow.scan.findings import shown_values
from qcdriver.workflow.scan.grid import Index
from qcdriver.workflow.scan.landscape import Landscape

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LEVELS = 14
_OF_INTEREST = 3.0
"""What lies higher than so many times the top of the way across is of one colour."""


def plot_map(title: str, landscape: Landscape, profile: Profile, way: Sequence[Index], path: Path) -> bool:
    """Draw a map of two coordinates, whole: what symmetry spared too; False, and no file, where there is none.

    Parameters
    ----------
    profile
        Of the same landscape.
    way
        Places of the grid, as `trajectory.lowest_way` gives them.
    """
    if len(profile.axes) != 2 or not landscape.points:
        return False
    from matplotlib.ticker import MaxNLocator

    grid, heights = landscape.grid, _heights(landscape)
    top = float(np.nanmax(heights))
    if way:
        top = min(top, max(_OF_INTEREST * max(heights[place] for place in way), 1.0))
    across, along = (
        [shown_values(grid, grid.values((k, 0) if axis == 0 else (0, k)))[axis] for k in range(len(grid.axes[axis]))]
        for axis in (0, 1)
    )
    figure = new_figure(7.5, 6.0)
    axes = figure.subplots()
    surface = np.ma.masked_invalid(heights.T)
    levels = [float(level) for level in MaxNLocator(_LEVELS).tick_values(0.0, top) if level >= 0.0]
    extend = "max" if np.nanmax(heights) > levels[-1] else "neither"
    filled = axes.contourf(across, along, surface, levels=levels, cmap="viridis", extend=extend)
    axes.contour(across, along, surface, levels=levels, colors="black", linewidths=0.4, alpha=0.5)
    figure.colorbar(filled, ax=axes, label="relative energy (kcal/mol)")
    _draw_points(axes, landscape)
    _draw_way(axes, landscape, way)
    _draw_network(axes, landscape, heights)
    axes.use_sticky_edges = False  # marks at the edge of the map stay whole
    axes.margins(0.03)
    for number, axis in enumerate((axes.xaxis, axes.yaxis)):
        scale(axis, profile, number)
    axes.set_title(f"{title}\n{profile.level}", fontsize="medium", parse_math=False)
    figure.legend(loc="outside lower center", ncols=5, frameon=False, fontsize="small")
    save(figure, path)
    return True


def _heights(landscape: Landscape) -> np.ndarray:
    """Give the energy of every place of the grid above the lowest, kcal/mol; nan where there is no structure."""
    grid, points = landscape.grid, landscape.points
    lowest = min(point.energy for point in points.values())
    heights = np.full(tuple(map(len, grid.axes)), np.nan)
    for place in grid:
        if point := points.get(grid.home(place)[0]):
            heights[place] = (point.energy - lowest) * KCAL_MOL
    return heights


def _draw_points(axes: Axes, landscape: Landscape) -> None:
    known = [place for place in landscape.grid if _home(landscape, place) in landscape.points]
    computed, images = ([index for index in known if (index in landscape.points) == own] for own in (True, False))
    axes.plot(*_where(landscape, computed), "o", color="black", markersize=2.5, label="computed")
    if images:
        axes.plot(
            *_where(landscape, images), "o", color="black", markersize=2.5, mfc="none", mew=0.5, label="by symmetry"
        )


def _draw_way(axes: Axes, landscape: Landscape, way: Sequence[Index]) -> None:
    """Draw the way; where it leaves the map and comes in again at the other side, the line is cut."""
    from matplotlib.patheffects import withStroke

    outline = [withStroke(linewidth=3.5, foreground="0.2")]
    strokes: list[list[Index]] = [list(way[:1])]
    for one, other in pairwise(way):
        if max(abs(a - b) for a, b in zip(one, other, strict=True)) > 1:
            strokes.append([])
        strokes[-1].append(other)
    for number, stroke in enumerate(strokes):
        places = _where(landscape, stroke)
        label = "lowest way across" if way and not number else None
        axes.plot(*places, "-", color="white", linewidth=2.0, path_effects=outline, label=label)


def _draw_network(axes: Axes, landscape: Landscape, heights: np.ndarray) -> None:
    """Mark minima and passes, images too, and write each one's height once, at the computed point."""
    network = landscape.network
    for name, indices, marker, colour in (
        ("minimum", [minimum.index for minimum in network.minima], "*", "#ffd23f"),
        ("pass", [pass_.index for pass_ in network.passes], "X", "#ff5a36"),
    ):
        places = [place for place in landscape.grid if _home(landscape, place) in indices]
        if not places:
            continue
        size = 13 if marker == "*" else 9
        axes.plot(*_where(landscape, places), marker, color=colour, mec="black", mew=0.7, ms=size, label=name, zorder=4)
        for index in indices:
            across, along = _where(landscape, [index])
            axes.annotate(
                f"{heights[index]:.1f}",
                (across[0], along[0]),
                xytext=(6, 6),
                textcoords="offset points",
                fontsize="small",
                bbox={"boxstyle": "round,pad=0.15", "facecolor": "white", "alpha": 0.75, "linewidth": 0},
                zorder=5,
            )


def _home(landscape: Landscape, place: Index) -> Index:
    return landscape.grid.home(place)[0]


def _where(landscape: Landscape, places: Iterable[Index]) -> tuple[list[float], list[float]]:
    """Give the values of places as a person reads them, coordinate by coordinate."""
    values = [shown_values(landscape.grid, landscape.grid.values(place)) for place in places]
    return [value[0] for value in values], [value[1] for value in values]
