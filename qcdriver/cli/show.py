"""A run and its findings -> what a person gets: tables on standard output, pictures in the run directory."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from qcdriver.findings import Summary
    from qcdriver.landscape.points import Landscape
    from qcdriver.run import Run


def show(this: Run, summary: Summary, animated: bool = False) -> None:
    """Print the tables, and draw what pictures there are; the animation, which takes its time, only if asked."""
    from rich.console import Console

    from qcdriver.pictures.contour_map import plot_map
    from qcdriver.pictures.density_of_states import plot_density_of_states
    from qcdriver.pictures.disconnectivity import plot_network
    from qcdriver.pictures.profile import plot_profiles
    from qcdriver.pictures.trajectory import lowest_way
    from qcdriver.report.summary import print_summary
    from qcdriver.summary import landscape_of, result_of, task_record

    print_summary(summary, Console())
    results = [(each, result_of(task_record(this.records, each.key))) for each in summary.conformers]
    orbitals = [(each.label, result) for each, result in results if result and result.orbitals]
    _draw(this.directory / "profile.png", lambda path: plot_profiles(summary, path))
    _draw(this.directory / "density_of_states.png", lambda path: plot_density_of_states(orbitals, path))
    for network in summary.networks[-1:]:
        _draw(this.directory / "network.png", partial(plot_network, summary.title, network))
    landscape = landscape_of(this.settings, this.stages(), this.records)
    if landscape and summary.profiles:
        profile, way = summary.profiles[0], lowest_way(landscape)
        _draw(this.directory / "map.png", lambda path: plot_map(summary.title, landscape, profile, way, path))
        if animated:
            _animate(this, summary, landscape)


def _animate(this: Run, summary: Summary, landscape: Landscape) -> None:
    """Write the structures along the profile, or along the lowest way across the map, as a movie and as XYZ."""
    from qcdriver.pictures.animation import animate
    from qcdriver.pictures.trajectory import lowest_way, trajectory, write_trajectory

    profile = summary.profiles[0]
    frames = trajectory(landscape, lowest_way(landscape))
    path = this.directory / "trajectory.xyz"
    write_trajectory(frames, profile, path)
    sys.stdout.write(f"structures: {path}\n")
    _draw(this.directory / "trajectory.gif", lambda path: animate(summary.title, profile, frames, path))


def show_side_by_side(inputs: Sequence[Path], found: Sequence[Summary], directory: Path) -> None:
    """Print the profiles of an input's variants beside each other, and draw them."""
    from rich.console import Console

    from qcdriver.config.variants import split
    from qcdriver.pictures.side_by_side import plot_side_by_side
    from qcdriver.report.variants import print_side_by_side

    variants = {str(split(path)[1]): summary for path, summary in zip(inputs, found, strict=True)}
    print_side_by_side(variants, Console())
    _draw(directory / "profiles.png", lambda path: plot_side_by_side(variants, path))


def _draw(picture: Path, draw: Callable[[Path], bool]) -> None:
    try:
        if draw(picture):
            sys.stdout.write(f"picture: {picture}\n")
    except OSError as error:
        sys.stderr.write(f"qcdriver: {picture}: no picture ({error.strerror})\n")
