"""A spectrum -> CSV files: every state, and the broadened curves."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

from qcdriver.report.tables.spectra import pair_words
from qcdriver.store.files import write_whole
from qcdriver.workflow.spectrum.curve import MOLAR_ABSORPTION_EV, broadened, energies_for, wavelength_nm
from qcdriver.workflow.spectrum.findings import Spectrum, StateFound


def write_states(found: Spectrum, path: Path) -> bool:
    """Write a row a state, with the names of `StateFound` as the header."""
    names = list(StateFound.model_fields)
    rows = [
        [*(getattr(state, name) for name in names[:-1]), "; ".join(map(pair_words, state.pairs))]
        for state in found.states
    ]
    _write(path, names, rows)
    return True


def write_curves(found: Spectrum, path: Path) -> bool:
    """Write a row an energy: wavelength, and for each isomer, and for all together, two columns.

    `f_per_ev`, whose integral is the sum of the oscillator strengths, and the molar absorption in L/(mol cm).
    """
    curves: dict[str, str | None] = {isomer: isomer for isomer in found.isomers}
    if len(curves) > 1:
        curves["mixture"] = None
    sticks = {name: found.sticks(isomer) for name, isomer in curves.items()}
    energies = energies_for(list(sticks.values()), found.fwhm_ev)
    columns = [broadened(stick, energies, found.fwhm_ev) for stick in sticks.values()]
    header = ["energy_ev", "wavelength_nm"]
    for name in sticks:
        header += [f"{name}_f_per_ev", f"{name}_l_per_mol_cm"]
    rows = (
        [
            energy,
            wavelength_nm(energy),
            *(value for strength in row for value in (strength, MOLAR_ABSORPTION_EV * strength)),
        ]
        for energy, row in zip(energies, zip(*columns, strict=True), strict=True)
    )
    _write(path, header, rows)
    return True


def _write(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([["" if value is None else value for value in row] for row in rows])
    write_whole(path, text.getvalue().encode(), durable=False)
