"""Populations over time -> a picture: a row a temperature, a line a minimum, over the logarithm of the time."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from qcdriver.report.pictures.canvas import new_figure, save
from qcdriver.units import DAY_S
from qcdriver.workflow.thermochemistry.findings import Kinetics

_LANDMARKS = {
    "1 ns": 1e-9,
    "1 us": 1e-6,
    "1 ms": 1e-3,
    "1 s": 1.0,
    "1 h": 3600.0,
    "1 day": DAY_S,
    "1 year": 365.25 * DAY_S,
}


def plot_time_courses(title: str, kinetics: Kinetics, path: Path) -> bool:
    """Draw the populations; dashed what they end with, dotted the times that the input asks for. False: none."""
    courses = [course for course in kinetics.courses if course.moments]
    if not courses:
        return False
    figure = new_figure(7.5, 1.0 + 2.4 * len(courses))
    rows = figure.subplots(len(courses), 1, squeeze=False)[:, 0]
    for axes, course in zip(rows, courses, strict=True):
        times = np.array([moment.time_s for moment in course.moments])
        populations = np.array([moment.populations_percent for moment in course.moments])
        for place, minimum in enumerate(kinetics.minima):
            name = ", ".join((minimum, *kinetics.isomers[place]))
            (line,) = axes.plot(times, populations[:, place], label=name, linewidth=1.4)
            axes.axhline(course.equilibrium_percent[place], color=line.get_color(), linestyle="--", linewidth=0.7)
        axes.set_xscale("log")
        axes.set_xlim(times[0], times[-1])
        axes.set_ylim(-2, 102)
        for moment in course.asked:
            if times[0] <= moment.time_s <= times[-1]:
                axes.axvline(moment.time_s, color="0.4", linestyle=":", linewidth=1.0)
        for words, time_s in _LANDMARKS.items():
            if times[0] <= time_s <= times[-1]:
                axes.annotate(words, (time_s, 103), annotation_clip=False, fontsize="x-small", ha="center")
        axes.set_ylabel("population (%)")
        axes.set_title(f"{course.temperature_k:g} K", loc="left", fontsize="medium", pad=12)
    rows[0].legend(fontsize="x-small", frameon=False)
    rows[-1].set_xlabel("time (s); dashed: equilibrium, dotted: times asked for")
    figure.suptitle(f"{title}: from {kinetics.start}", parse_math=False)
    save(figure, path)
    return True
