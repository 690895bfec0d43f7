"""Infrared absorption -> a CSV file."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from qcdriver.store.files import write_whole
from qcdriver.workflow.thermochemistry.findings import Infrared


def write_infrared(found: Sequence[Infrared], path: Path) -> bool:
    """Write a row a vibration of each conformer; False, and no file, where no intensity is known."""
    if not any(spectrum.intensities_km_mol for spectrum in found):
        return False
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["conformer", "wavenumber_cm", "intensity_km_mol"])
    for spectrum in found:
        strengths: Sequence[float | str] = spectrum.intensities_km_mol or [""] * len(spectrum.wavenumbers_cm)
        pairs = zip(spectrum.wavenumbers_cm, strengths, strict=True)
        writer.writerows([spectrum.conformer, wavenumber, strength] for wavenumber, strength in pairs)
    write_whole(path, text.getvalue().encode(), durable=False)
    return True
