"""A run and its findings -> what a person gets: tables on standard output, pictures in the run directory."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from qcdriver.workflow.findings import Summary
    from qcdriver.workflow.open_run import Run
    from qcdriver.workflow.scan.landscape import Landscape


def show(run: Run, summary: Summary, animated: bool = False, everything: bool = False) -> None:
    """Print the tables, write the page and draw what pictures there are.

    The animation, which takes its time, and a line for everything that was dropped, only if asked.
    """
    from rich.console import Console

    from qcdriver.report.page import NAME as PAGE
    from qcdriver.report.page import write_page
    from qcdriver.report.tables.overview import print_summary
    from qcdriver.workflow.scan.stage import landscape as landscape_of

    print_summary(summary, Console(), everything)
    _tell(_draw(run.directory / PAGE, lambda _: bool(write_page(run, summary)), "page"))
    _tell(draw_pictures(run, summary))
    landscape = landscape_of(run)
    if animated and landscape and summary.profiles:
        _animate(run, summary, landscape)


def draw_pictures(run: Run, summary: Summary) -> Iterator[tuple[str, Path]]:
    """Draw what pictures there are into the run directory; give what each file is, and where."""
    from qcdriver.report.infrared_files import write_infrared
    from qcdriver.report.pictures.contour_map import plot_map
    from qcdriver.report.pictures.density_of_states import plot_density_of_states
    from qcdriver.report.pictures.disconnectivity import plot_network
    from qcdriver.report.pictures.populations import plot_populations
    from qcdriver.report.pictures.profile import plot_profiles
    from qcdriver.report.pictures.spectrum import plot_spectrum
    from qcdriver.report.pictures.time_course import plot_time_courses
    from qcdriver.report.pictures.trajectory import lowest_way
    from qcdriver.report.spectrum_files import write_curves, write_states
    from qcdriver.workflow.scan.stage import landscape as landscape_of
    from qcdriver.workflow.spectrum.findings import Spectrum
    from qcdriver.workflow.thermochemistry.findings import Thermochemistry

    folder = run.directory
    results = [(conformer.label, run.record(conformer.key).result) for conformer in summary.conformers]
    orbitals = [(label, result) for label, result in results if result and result.orbitals]
    yield from _draw(folder / "profile.png", lambda path: plot_profiles(summary, path))
    yield from _draw(folder / "density_of_states.png", lambda path: plot_density_of_states(orbitals, path))
    for network in summary.networks[-1:]:
        yield from _draw(folder / "network.png", partial(plot_network, summary.title, network))
    for found in summary.stages.values():
        if isinstance(found, Spectrum):
            yield from _draw(folder / "spectrum.png", partial(plot_spectrum, summary.title, found))
            yield from _draw(folder / "spectrum.csv", partial(write_curves, found), "curves")
            yield from _draw(folder / "excitations.csv", partial(write_states, found), "states")
        if isinstance(found, Thermochemistry):
            yield from _draw(folder / "infrared.csv", partial(write_infrared, found.infrared), "infrared")
        if isinstance(found, Thermochemistry) and found.populations:
            yield from _draw(folder / "populations.png", partial(plot_populations, summary.title, found.populations))
        if isinstance(found, Thermochemistry) and found.kinetics:
            yield from _draw(folder / "time_course.png", partial(plot_time_courses, summary.title, found.kinetics))
    landscape = landscape_of(run)
    if landscape and summary.profiles:
        profile, way = summary.profiles[0], lowest_way(landscape)
        yield from _draw(folder / "map.png", lambda path: plot_map(summary.title, landscape, profile, way, path))


def _animate(run: Run, summary: Summary, landscape: Landscape) -> None:
    """Write the structures along the profile, or along the lowest way across the map, as a movie and as XYZ."""
    from qcdriver.report.pictures.animation import animate
    from qcdriver.report.pictures.trajectory import lowest_way, trajectory, write_trajectory

    profile = summary.profiles[0]
    frames = trajectory(landscape, lowest_way(landscape))
    path = run.directory / "trajectory.xyz"
    write_trajectory(frames, profile, path)
    sys.stdout.write(f"structures: {path}\n")
    _tell(_draw(run.directory / "trajectory.gif", lambda path: animate(summary.title, profile, frames, path)))


def show_side_by_side(inputs: Sequence[Path], found: Sequence[Summary], directory: Path) -> None:
    """Print the profiles of an input's variants beside each other, and draw them."""
    from rich.console import Console

    from qcdriver.report.pictures.side_by_side import plot_side_by_side
    from qcdriver.report.tables.variants import print_side_by_side
    from qcdriver.workflow.variants import split

    variants = {str(split(path)[1]): summary for path, summary in zip(inputs, found, strict=True)}
    print_side_by_side(variants, Console())
    _tell(_draw(directory / "profiles.png", lambda path: plot_side_by_side(variants, path)))


def _draw(picture: Path, draw: Callable[[Path], bool], word: str = "picture") -> Iterator[tuple[str, Path]]:
    try:
        if draw(picture):
            yield word, picture
    except OSError as error:
        sys.stderr.write(f"qcdriver: {picture}: no {word} ({error.strerror})\n")


def _tell(drawn: Iterator[tuple[str, Path]]) -> None:
    sys.stdout.writelines(f"{word}: {path}\n" for word, path in drawn)
