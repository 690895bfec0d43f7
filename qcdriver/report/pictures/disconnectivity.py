"""A network -> its disconnectivity graph (Becker and Karplus 1997, doi:10.1063/1.473299).

Each minimum is the lower end of a branch; two branches join where the lowest saddle between them lies, so that how high
one has to climb from any minimum to any other is read off the axis. A saddle that joins nothing new, because it leads
back to the same minimum or is a second way, is a diamond over dotted lines.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from qcdriver.report.pictures.canvas import new_figure, save
from qcdriver.report.tables.networks import how_sure
from qcdriver.units import KCAL_MOL
from qcdriver.workflow.findings import Network

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_NAMED = 30
"""Names of more minima than these run into each other: they are left out."""


def plot_network(title: str, network: Network, path: Path) -> bool:
    """Draw the graph; False, and no file, for a single minimum that no saddle leaves."""
    if len(network.minima) < 2 and not network.saddles:
        return False
    figure = new_figure(min(4.0 + 0.7 * len(network.minima), 14.0), 5.5)
    axes = figure.subplots()
    heights = [minimum.relative_energy_kcal_mol for minimum in network.minima]
    heights += [(merge.energy - network.minima[0].energy_hartree) * KCAL_MOL for merge in network.merges]
    across = places_across(network)
    span = max([*heights, *(saddle.relative_energy_kcal_mol for saddle in network.saddles)]) or 1.0
    _draw_branches(axes, network, across, heights)
    _draw_saddles(axes, network, across)
    if len(network.minima) <= _NAMED:
        _name_minima(axes, network, across)
    axes.set_xlim(-0.7, len(network.minima) - 0.3)
    axes.set_ylim(-0.16 * span, 1.18 * span)
    axes.set_xticks([])
    axes.spines[["top", "right", "bottom"]].set_visible(False)
    axes.set_ylabel("relative energy (kcal/mol)")
    axes.set_title(f"{title}\n{network.level}, {how_sure(network)}", fontsize="medium", parse_math=False)
    save(figure, path)
    return True


def places_across(network: Network) -> list[float]:
    """Give the horizontal places of minima and merges: what merges lies side by side, a merge over its middle."""
    n_minima = len(network.minima)
    children = {n_minima + count: merge.children for count, merge in enumerate(network.merges)}
    order: list[int] = []
    inside = {child for pair in children.values() for child in pair}
    left = [node for node in reversed(range(n_minima + len(children))) if node not in inside][::-1]
    while left:
        node = left.pop(0)
        if node < n_minima:
            order.append(node)
        else:
            left = [*children[node], *left]
    places = [float(order.index(node)) for node in range(n_minima)]
    for one, other in children.values():
        places.append((places[one] + places[other]) / 2)
    return places


def _draw_branches(axes: Axes, network: Network, across: Sequence[float], heights: Sequence[float]) -> None:
    parent = {child: len(network.minima) + k for k, merge in enumerate(network.merges) for child in merge.children}
    for child, node in parent.items():
        places = [across[child], across[child], across[node]]
        axes.plot(places, [heights[child], heights[node], heights[node]], color="black", linewidth=1.4)
    axes.plot(across[: len(network.minima)], heights[: len(network.minima)], "o", color="#1b6ca8", zorder=3)


def _draw_saddles(axes: Axes, network: Network, across: Sequence[float]) -> None:
    """Name the saddles that merge branches, and draw the others, dotted, with the minima they connect."""
    for saddle, (place, ends) in zip(network.saddles, saddle_places(network, across), strict=True):
        height = saddle.relative_energy_kcal_mol
        for end in ends:
            bottom = network.minima[end].relative_energy_kcal_mol
            axes.plot([across[end], place], [bottom, height], ":", color="0.5", linewidth=1.0, zorder=1)
        if ends:
            axes.plot(place, height, "D", color="white", markeredgecolor="0.3", markersize=5, zorder=3)
        if len(network.minima) <= _NAMED:
            _write(axes, f"{saddle.label}\n{height:.2f}", place, height, above=bool(ends))


def saddle_places(network: Network, across: Sequence[float]) -> list[tuple[float, tuple[int, ...]]]:
    """Give the horizontal place of each saddle, and the minima that dotted lines lead to from there.

    No minima where it joins two branches; the others stand between the minima they connect, or beside the one.
    """
    number = {minimum.label: count for count, minimum in enumerate(network.minima)}
    joining = {merge.energy: across[len(network.minima) + k] for k, merge in enumerate(network.merges)}
    found: list[tuple[float, tuple[int, ...]]] = []
    beside = 0.0
    for saddle in network.saddles:
        place = joining.pop(saddle.energy_hartree, None)
        if place is not None:
            found.append((place, ()))
            continue
        ends = [number[label] for label in saddle.between]
        beside = 0.3 if ends[0] == ends[1] and beside <= 0 else -0.3 * (ends[0] == ends[1])
        found.append(((across[ends[0]] + across[ends[1]]) / 2 + beside, tuple(dict.fromkeys(ends))))
    return found


def _name_minima(axes: Axes, network: Network, across: Sequence[float]) -> None:
    for minimum, place in zip(network.minima, across, strict=False):
        words = f"{minimum.label}\n{minimum.relative_energy_kcal_mol:.2f}"
        _write(axes, words, place, minimum.relative_energy_kcal_mol, above=False)


def _write(axes: Axes, words: str, place: float, height: float, above: bool) -> None:
    axes.annotate(
        words,
        (place, height),
        xytext=(0, 5 if above else -5),
        textcoords="offset points",
        ha="center",
        va="bottom" if above else "top",
        fontsize="x-small",
        parse_math=False,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5},
    )
