"""Profiles of one coordinate -> a picture: energy above gap above what a rod's halides bind, one colour a level."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import cycle, pairwise, product
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from qcdriver.report.pictures.canvas import new_figure, save
from qcdriver.report.tables.profiles import HYSTERESIS_KCAL_MOL
from qcdriver.workflow.findings import Profile, ScanPoint, Summary

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.lines import Line2D

_MODES = {"free": "0.9", "terminal": "0.65", "d": "#1b6ca8", "t": "#e07b00", "q": "#b0306a"}
_BRANCH_STYLES = ("--", ":", "-.")
_BETWEEN = np.linspace(0.0, 1.0, 13)


def plot_profiles(summary: Summary, path: Path) -> bool:
    """Draw the profiles of one coordinate; False, and no file, where there is none.

    A line runs through the points of a scan: by the slopes at both ends where they are known, straight where not, and
    not at all where no smooth valley connects two neighbours. Hollow points are images by symmetry. Single points have
    no line: it would claim what lies between.
    """
    profiles = [profile for profile in summary.profiles if len(profile.axes) == 1]
    if not profiles:
        return False
    scan = profiles[0]
    lined = [len(profile.points) > max(len(other.points) for other in profiles) / 2 for profile in profiles]
    belts = any(point.belt for point in scan.points)
    figure = new_figure(7.0, 7.2 if belts else 6.0)
    strips = figure.subplots(2 + belts, 1, sharex=True, height_ratios=(3, 2, 1.2)[: 2 + belts])
    conformers = {conformer.label for conformer in summary.conformers}
    for number, (profile, line) in enumerate(zip(profiles, lined, strict=True)):
        draw_energy(strips[0], profile, f"C{number}", line)
        draw_gap(strips[1], profile, f"C{number}", line)
        _name_conformers(strips[0], profile, conformers)
    if belts:
        draw_belt(strips[2], scan)
        explain_belt(strips[2], [scan])
        strips[2].set_ylabel("belt halides")
    strips[0].set_ylabel("relative energy (kcal/mol)")
    handles: list[Artist] = [*_legend(profiles, lined)]
    if summary.ranking and summary.ranking.scatter_kcal_mol is not None:
        handles.append(_undecided_band(strips[0], summary.ranking.scatter_kcal_mol))
    strips[0].legend(handles=handles, frameon=False, fontsize="small")
    strips[0].set_title(summary.title, parse_math=False)
    strips[1].set_ylabel("HOMO-LUMO gap (eV)")
    scale(strips[-1].xaxis, scan)
    strips[0].margins(x=0.06)
    for axes in strips[:2]:
        axes.grid(alpha=0.25)
    save(figure, path)
    return True


def _undecided_band(axes: Axes, scatter_kcal_mol: float) -> Artist:
    """Shade the energies above the lowest that two levels do not tell apart."""
    label = "undecided: under the scatter of the levels"
    return axes.axhspan(0.0, scatter_kcal_mol, color="0.5", alpha=0.12, linewidth=0, zorder=0, label=label)


def scale(axis: Axis, profile: Profile, number: int = 0) -> None:
    """Give an axis of a picture the name and unit of a coordinate, and ticks at round values, of angles too."""
    from matplotlib.ticker import MaxNLocator

    kind, unit = profile.axes[number]
    axis.set_label_text(f"{kind} ({'Å' if unit == 'A' else unit})")
    axis.set_major_locator(MaxNLocator(8, steps=[1, 1.5, 3, 6, 9, 10] if unit == "deg" else None))


def draw_energy(axes: Axes, profile: Profile, colour: str, with_line: bool) -> None:
    """Draw the energies of one profile, and what came to a point from one side and was not kept."""
    if with_line:
        for values, energies in curves(profile):
            axes.plot(values, energies, "-", color=colour)
        if len(profile.branches) > 1:
            draw_branches(axes, profile)
        for side, marker in enumerate((">", "<")):
            found = ((point.reached[0], lost_energy(point, side)) for point in profile.points)
            if lost := [pair for pair in found if pair[1] is not None]:
                axes.plot(*zip(*lost, strict=True), marker, color=colour, alpha=0.45, markersize=5, linewidth=0)
    _mark(
        axes, [(point, point.relative_energy_kcal_mol) for point in profile.points], colour, "o" if with_line else "D"
    )
    if at := [point for point in profile.points if _origin(point) in cusps_of(profile)]:
        places = [(point.reached[0], point.relative_energy_kcal_mol) for point in at]
        axes.plot(*zip(*places, strict=True), "x", color="0.1", markersize=9)


def draw_branches(axes: Axes, profile: Profile) -> None:
    """Draw what descends from each conformer as a thin line where it is not the profile, the lowest of them."""
    for branch, style in zip(profile.branches, cycle(_BRANCH_STYLES)):
        for one, other in pairwise(branch.points):
            if not (one.lowest and other.lowest):
                places = [(point.target[0], point.relative_energy_kcal_mol) for point in (one, other)]
                axes.plot(*zip(*places, strict=True), style, color="0.45", linewidth=1)


def lost_energy(point: ScanPoint, side: int) -> float | None:
    """Give the energy of what came from below (0) or above (1), where it is higher than what was kept."""
    arrived = point.arrived_kcal_mol[0][side] if point.arrived_kcal_mol else None
    above = arrived is not None and arrived - point.relative_energy_kcal_mol > HYSTERESIS_KCAL_MOL
    return arrived if above else None


def curves(profile: Profile) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Give the curve between each two neighbours that a valley connects: values and energies."""
    broken = {frozenset(break_.between) for break_ in profile.breaks}
    cusps = cusps_of(profile)
    for one, other in pairwise(profile.points):
        if frozenset((_origin(one), _origin(other))) in broken:
            continue
        by, rise = other.reached[0] - one.reached[0], other.relative_energy_kcal_mol - one.relative_energy_kcal_mol
        t, start, end = _BETWEEN, rise, rise
        if one.slopes_kcal_mol and other.slopes_kcal_mol:
            ways = product(*(_either_way(by * point.slopes_kcal_mol[0], point, cusps) for point in (one, other)))
            start, end = min(ways, key=lambda slopes: abs(rise - sum(slopes) / 2))
        # Cubic Hermite; with the mean slope at both ends it is straight.
        along = (3 * t**2 - 2 * t**3) * rise + (t**3 - 2 * t**2 + t) * start + (t**3 - t**2) * end
        yield one.reached[0] + by * t, one.relative_energy_kcal_mol + along


def cusps_of(profile: Profile) -> set[tuple[float, ...]]:
    """Give the places where a structure and its own image by symmetry are two."""
    return {break_.between[0] for break_ in profile.breaks if break_.at_image}


def _either_way(slope: float, point: ScanPoint, cusps: set[tuple[float, ...]]) -> tuple[float, ...]:
    """Give the slope there, and where the point's image is another structure, that of the image too."""
    return (slope, -slope) if _origin(point) in cusps else (slope,)


def _origin(point: ScanPoint) -> tuple[float, ...]:
    """Give the place of the computed point that stands behind this one."""
    return point.image_of or point.target or point.reached


def _mark(axes: Axes, places: Sequence[tuple[ScanPoint, float]], colour: str, marker: str) -> None:
    for image in (False, True):
        shown = [(point.reached[0], height) for point, height in places if (point.image_of is not None) == image]
        if shown:
            face = "white" if image else colour
            axes.plot(*zip(*shown, strict=True), marker, color=colour, markerfacecolor=face, linewidth=0)


def draw_gap(axes: Axes, profile: Profile, colour: str, with_line: bool) -> None:
    """Draw the gaps of one profile, where they are known."""
    known = [(point, point.gap_ev) for point in profile.points if point.gap_ev is not None]
    if with_line and known:
        axes.plot([point.reached[0] for point, _ in known], [gap for _, gap in known], "-", color=colour, linewidth=1)
    _mark(axes, known, colour, "o" if with_line else "D")


def draw_belt(axes: Axes, profile: Profile) -> None:
    """Stack how many halides of the belt bind one, two, three or four metal atoms; images are paler."""
    values = [point.reached[0] for point in profile.points]
    width = 0.8 * min(np.diff(sorted(values)), default=1.0)
    for point in profile.points:
        bottom = 0
        counts = {mode: int(count) for count, mode in re.findall(r"(\d+)([a-z]+)", point.belt or "")}
        for mode, colour in _MODES.items():
            height, pale = counts.get(mode, 0), 0.5 if point.image_of is not None else 1.0
            axes.bar(point.reached[0], height, width, bottom, color=colour, alpha=pale)
            bottom += height


def explain_belt(axes: Axes, profiles: Sequence[Profile]) -> None:
    """Put the colours of the ways to bind beside a belt, those that occur."""
    from matplotlib.patches import Patch

    known = " ".join(point.belt or "" for profile in profiles for point in profile.points)
    handles = [Patch(color=_MODES[mode], label=mode) for mode in reversed(_MODES) if re.search(rf"\d{mode}\b", known)]
    axes.legend(handles=handles, loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False, fontsize="small")


def _name_conformers(axes: Axes, profile: Profile, labels: set[str]) -> None:
    for point in profile.points:
        if point.label in labels:
            place = (point.reached[0], point.relative_energy_kcal_mol)
            axes.annotate(point.label, place, xytext=(0, 7), textcoords="offset points", ha="center", fontsize="small")


def _legend(profiles: Sequence[Profile], lined: Sequence[bool]) -> list[Line2D]:
    """Give one entry a level, and the signs."""
    from matplotlib.lines import Line2D

    levels = [
        Line2D([], [], color=f"C{k}", marker="o" if line else "D", ls="-" if line else "", label=profile.level)
        for k, (profile, line) in enumerate(zip(profiles, lined, strict=True))
    ]
    branches = [
        Line2D([], [], color="0.45", ls=style, linewidth=1, label=f"branch from {branch.conformer}")
        for profile in profiles
        if len(profile.branches) > 1
        for branch, style in zip(profile.branches, cycle(_BRANCH_STYLES))
    ]
    return [*levels, *branches, *signs(profiles)]


def signs(profiles: Sequence[Profile]) -> list[Line2D]:
    """Give what hollow points, arrows and gaps mean, where there are any."""
    from matplotlib.lines import Line2D

    found = []
    points = [point for profile in profiles for point in profile.points]
    if any(point.image_of is not None for point in points):
        found.append(Line2D([], [], color="0.3", marker="o", markerfacecolor="white", ls="", label="by symmetry"))
    if any(lost_energy(point, side) is not None for point in points for side in (0, 1)):
        label = "came along the arrow: higher, not kept"
        found.append(Line2D([], [], color="0.3", marker=">", alpha=0.45, ls="", label=label))
    if any(not break_.at_image for profile in profiles for break_ in profile.breaks):
        found.append(Line2D([], [], ls="", label="gap in the line: no smooth valley"))
    if any(break_.at_image for profile in profiles for break_ in profile.breaks):
        label = "no smooth valley to its own image"
        found.append(Line2D([], [], color="0.1", marker="x", markersize=9, ls="", label=label))
    return found
