"""A comparison and its molecules in, a picture of the cores on top of each other out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from qcdriver.errors import InputError
from qcdriver.geometry.bonds import bond_matrix, is_metal
from qcdriver.geometry.superposition import principal_axes, superpose
from qcdriver.geometry.symmetry import common_symmetry
from qcdriver.geometry.topology import find_topology
from qcdriver.models.molecule import Molecule
from qcdriver.report.pictures.canvas import new_figure, save
from qcdriver.systems.comparison.compare import Comparison
from qcdriver.systems.comparison.orbits import LONG_CU_CU_ANGSTROM
from qcdriver.units import ANGSTROM

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COLOURS = ("#1b6ca8", "#e07b00", "#2a9d55", "#b0306a", "#7a5cc0", "#6b6b6b")
"""One a conformer; told apart in grey and by most colour-blind readers."""
_AREAS = {"H": 50.0, "P": 45.0, "S": 60.0, "Cl": 60.0, "Br": 70.0}
_METAL_AREA = 95.0
_MARKERS = {"S": "s", "P": "D", "Cl": "s", "Br": "s", "H": "."}
_ALONG = np.eye(3)
_SIDE = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]])
"""What is across, up and towards the viewer, in terms of the view along the axis."""


def draw_overlay(molecules: Sequence[Molecule], comparison: Comparison, path: Path) -> None:
    """Draw the cores, best superposed on the first: along the main axis, and from the side.

    Structures of the opposite hand are inverted first. Cu-Cu over 2.88 Angstrom is dotted.

    Raises
    ------
    InputError
        The picture cannot be written.
    """
    ordered = [
        Molecule.model_validate({**molecule.__dict__, **_in_order(molecule, conformer.order)})
        for molecule, conformer in zip(molecules, comparison.conformers, strict=True)
    ]
    topology = find_topology(ordered[0])
    core = list(topology.core)
    symbols = tuple(ordered[0].symbols[i] for i in core)
    points = _superposed([conformer.geometry[core] * ANGSTROM for conformer in ordered])
    view = _view(points[0], common_symmetry(ordered, topology).axis)
    figure = new_figure(10.0, 5.6)
    for axes, across, title in zip(
        figure.subplots(1, 2), (_ALONG, _SIDE), ("along the axis", "from the side"), strict=True
    ):
        for k, molecule in enumerate(ordered):
            bonds = np.argwhere(np.triu(bond_matrix(molecule)[core][:, core].toarray()))
            _draw(axes, points[k] @ (across @ view).T, symbols, bonds, _COLOURS[k % len(_COLOURS)])
        axes.set_aspect("equal")
        axes.set_title(title, fontsize=11)
        axes.set_axis_off()
    _legend(figure, comparison, symbols)
    axis = f", {comparison.axis_order}-fold axis" if comparison.axis_order > 1 else ""
    figure.suptitle(f"{comparison.formula}: metal and what binds it{axis}", parse_math=False)
    try:
        save(figure, path)
    except OSError as error:
        raise InputError(f"{path}: the picture cannot be written ({error.strerror})") from None


def _in_order(molecule: Molecule, order: tuple[int, ...]) -> dict[str, object]:
    return {"symbols": tuple(molecule.symbols[i] for i in order), "geometry": molecule.geometry[list(order)]}


def _caption(comparison: Comparison, k: int) -> str:
    label, first = comparison.conformers[k].label, comparison.conformers[0].label
    inverted = any(fit.opposite_hand for fit in comparison.fits if (fit.on, fit.label) == (first, label))
    return f"{label}, inverted" if inverted else label


def _superposed(points: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Lay each set of points on the first, inverted where that fits better."""
    first = points[0] - points[0].mean(axis=0)
    return [superpose(first, point, improper=True).geometry for point in points]


def _view(points: np.ndarray, axis: np.ndarray | None) -> np.ndarray:
    """Give the rotation, (3, 3), that takes the main axis, or the longest extent, to z, and the next extent to x."""
    _, axes = principal_axes(points)
    z = axes[0] if axis is None else axis
    x = max((axis - (axis @ z) * z for axis in axes), key=lambda axis: float(np.linalg.norm(axis)))
    x = x / np.linalg.norm(x)
    return np.array([x, np.cross(z, x), z])


def _draw(axes: Axes, points: np.ndarray, symbols: tuple[str, ...], bonds: np.ndarray, colour: str) -> None:
    """Draw one core, its third coordinate towards the viewer; what is farther away is paler and behind."""
    depth = points[:, 2]
    near = (depth - depth.min()) / max(float(np.ptp(depth)), 1e-9)
    for i, j in bonds:
        metals = is_metal(symbols[i]) and is_metal(symbols[j])
        long = symbols[i] == symbols[j] == "Cu" and np.linalg.norm(points[i] - points[j]) > LONG_CU_CU_ANGSTROM
        middle = (near[i] + near[j]) / 2
        axes.plot(
            *points[[i, j], :2].T,
            ":" if long else "-",
            color=colour,
            linewidth=1.8 if metals and not long else 0.9,
            alpha=0.2 + 0.6 * middle,
            zorder=2 * middle,
        )
    markers = _markers(symbols)
    for i, symbol in enumerate(symbols):
        axes.scatter(
            points[i, 0],
            points[i, 1],
            s=_size(symbol),
            marker=markers[symbol],
            color=colour,
            edgecolors="white",
            linewidths=0.6,
            alpha=0.35 + 0.6 * near[i],
            zorder=2 * near[i] + 0.1,
        )


def _markers(symbols: tuple[str, ...]) -> dict[str, str]:
    """Give each element its mark: circles for the first metal, other shapes for more."""
    metals = [symbol for symbol in dict.fromkeys(symbols) if is_metal(symbol)]
    return _MARKERS | dict(zip(metals, "oph8", strict=False)) | dict.fromkeys(set(symbols) - {*metals, *_MARKERS}, "v")


def _legend(figure: Figure, comparison: Comparison, symbols: tuple[str, ...]) -> None:
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], color=_COLOURS[k % len(_COLOURS)], linewidth=3, label=_caption(comparison, k))
        for k in range(len(comparison.conformers))
    ]
    markers = _markers(symbols)
    handles += [
        Line2D([], [], color="0.35", marker=markers[symbol], linewidth=0, markersize=_size(symbol) ** 0.5, label=symbol)
        for symbol in dict.fromkeys(symbols)
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=min(len(handles), 10), frameon=False)


def _size(symbol: str) -> float:
    return _AREAS.get(symbol, _METAL_AREA)
