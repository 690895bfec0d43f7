"""A spectrum -> what the page draws of it: a row an isomer, with curve, states and measured peaks."""

from __future__ import annotations

import numpy as np

from qcdriver.report.page.model import SpectrumChart, SpectrumRow, Stick
from qcdriver.report.tables.profiles import number
from qcdriver.workflow.spectrum.curve import MOLAR_ABSORPTION_EV, broadened, energies_for, wavelength_nm
from qcdriver.workflow.spectrum.findings import Spectrum


def spectrum_chart(found: Spectrum) -> SpectrumChart:
    """Make the rows; all have one axis, wide enough for every state and every measured peak."""
    energies = energies_for([found.sticks(isomer) for isomer in found.isomers], found.fwhm_ev)
    marks = [peak for peaks in found.measured_nm.values() for peak in peaks]
    shown = np.array([*marks, *(wavelength_nm(state.energy_ev) for state in found.states)])
    margin = 0.05 * float(np.ptp(shown)) + 10
    low, high = float(shown.min()) - margin, float(shown.max()) + margin
    return SpectrumChart(
        title=f"{found.approximation.upper()}, {found.level}, bands {found.fwhm_ev:g} eV wide",
        low_nm=low,
        high_nm=high,
        rows=tuple(_row(found, isomer, energies, (low, high)) for isomer in found.isomers),
    )


def _row(found: Spectrum, isomer: str, energies: np.ndarray, shown: tuple[float, float]) -> SpectrumRow:
    curve = MOLAR_ABSORPTION_EV * broadened(found.sticks(isomer), energies, found.fwhm_ev) / 1000
    complete = found.complete_ev(isomer)
    places = [
        (round(float(nm), 2), round(float(height), 4), bool(energy <= complete))
        for energy, nm, height in zip(energies, wavelength_nm(energies), curve, strict=True)
        if shown[0] <= nm <= shown[1]
    ]
    conformers = {conformer.conformer for conformer in found.conformers if conformer.isomer == isomer}
    sticks = tuple(
        Stick(
            nm=state.wavelength_nm,
            strength=state.oscillator_strength,
            words=f"{state.conformer}, state {state.state}: {state.wavelength_nm:.0f} nm, "
            f"{number(state.energy_ev, 2)} eV, f = {number(state.oscillator_strength, 4)}",
        )
        for state in found.states
        if state.conformer in conformers
    )
    return SpectrumRow(
        name=isomer,
        curve=tuple((nm, height) for nm, height, known in places if known),
        beyond=tuple((nm, height) for nm, height, known in places if not known),
        sticks=sticks,
        measured_nm=found.measured_nm.get(isomer, ()),
    )
