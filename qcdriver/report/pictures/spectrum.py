"""A spectrum -> a picture: the curve of each isomer over the wavelength, its states, the measured peaks as marks."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from qcdriver.report.pictures.canvas import new_figure, save
from qcdriver.workflow.spectrum.curve import MOLAR_ABSORPTION_EV, broadened, energies_for, wavelength_nm
from qcdriver.workflow.spectrum.findings import Spectrum


def plot_spectrum(title: str, found: Spectrum, path: Path) -> bool:
    """Draw a row an isomer: molar absorption, sticks of the oscillator strengths, measured peaks as dashed lines."""
    isomers = found.isomers
    energies = energies_for([found.sticks(isomer) for isomer in isomers], found.fwhm_ev)
    marks = [peak for peaks in found.measured_nm.values() for peak in peaks]
    figure = new_figure(7.5, 1.2 + 2.2 * len(isomers))
    rows = figure.subplots(len(isomers), 1, sharex=True, squeeze=False)[:, 0]
    for axes, isomer in zip(rows, isomers, strict=True):
        sticks, complete = found.sticks(isomer), found.complete_ev(isomer)
        curve = MOLAR_ABSORPTION_EV * broadened(sticks, energies, found.fwhm_ev) / 1000
        known = energies <= complete
        axes.plot(wavelength_nm(energies[known]), curve[known], color="black", linewidth=1.2)
        axes.plot(wavelength_nm(energies[~known]), curve[~known], color="0.6", linewidth=1.0, linestyle=":")
        axes.set_ylabel("1000 L/(mol cm)")
        strengths = axes.twinx()
        strengths.vlines(wavelength_nm(sticks.energies_ev), 0, sticks.strengths, color="tab:blue", linewidth=1.0)
        strengths.set_ylabel("f")
        strengths.set_ylim(0, 1.1 * max(sticks.strengths.max(), 1e-6))
        axes.set_ylim(bottom=0)
        for peak in found.measured_nm.get(isomer, ()):
            axes.axvline(peak, color="tab:red", linestyle="--", linewidth=1.0)
        words = f"{isomer}: {found.approximation.upper()}, {found.level}, no spin-orbit coupling"
        axes.set_title(words, loc="left", fontsize="medium", parse_math=False)
    shown = [*marks, *(wavelength_nm(state.energy_ev) for state in found.states)]
    margin = 0.05 * np.ptp(shown) + 10
    rows[-1].set_xlim(min(shown) - margin, max(shown) + margin)
    rows[-1].set_xlabel("wavelength (nm); dashed: measured, dotted: higher states are missing")
    figure.suptitle(title, parse_math=False)
    save(figure, path)
    return True
