"""Populations against temperature -> a picture: a line and a band a species, measured transitions as marks."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from qcdriver.report.pictures.canvas import new_figure, save
from qcdriver.workflow.thermochemistry.findings import Populations


def plot_populations(title: str, found: Populations, path: Path) -> bool:
    """Draw the populations; dashed where two are equal, red where that was measured. False: one species alone."""
    if len(found.species) < 2:
        return False
    temperatures = np.array([row.temperature_k for row in found.temperatures])
    figure = new_figure(7.0, 4.5)
    axes = figure.subplots()
    for place, name in enumerate(found.species):
        percent = [row.percent[place] for row in found.temperatures]
        (line,) = axes.plot(temperatures, percent, label=name, linewidth=1.5)
        low = [row.lowest_percent[place] for row in found.temperatures if row.lowest_percent]
        high = [row.highest_percent[place] for row in found.temperatures if row.highest_percent]
        if low and high:
            axes.fill_between(temperatures, low, high, color=line.get_color(), alpha=0.15, linewidth=0)
    for crossing in found.equal:
        if crossing.temperature_k is not None:
            axes.axvline(crossing.temperature_k, color="0.3", linestyle="--", linewidth=1.0)
        if crossing.measured_k is not None:
            axes.axvline(
                crossing.measured_k, color="tab:red", linestyle="--", linewidth=1.0, label="measured transition"
            )
    axes.set_xlim(min(temperatures), max(temperatures))
    axes.set_ylim(-2, 102)
    axes.set_xlabel("temperature (K)")
    axes.set_ylabel("population (%)")
    axes.legend(fontsize="small", frameon=False)
    bands = "" if found.scatter_kcal_mol is None else f"; bands: {found.scatter_kcal_mol:.2f} kcal/mol of scatter"
    axes.set_title(f"{title}\n{found.energies_of}{bands}", fontsize="medium", parse_math=False)
    save(figure, path)
    return True
