"""Orbital energies -> a picture of the density of states around the gap, one curve a conformer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from qcdriver.models.outcomes import Result
from qcdriver.report.pictures.canvas import new_figure, save
from qcdriver.units import EV

WIDTH_EV = 0.15
"""Standard deviation of the Gaussian that stands for each orbital."""
SHOWN_EV = 6.0
"""Below the HOMO and above the LUMO."""


def density_of_states(result: Result, energies_ev: np.ndarray) -> np.ndarray:
    """Give orbitals per eV, both spins, at energies (n,) in eV; every orbital counts once (twice if it has no spin)."""
    assert result.orbitals is not None
    density = np.zeros_like(energies_ev)
    weight = 2.0 if len(result.orbitals.energies) == 1 else 1.0
    for spin in result.orbitals.energies:
        distance = (energies_ev[:, None] - EV * np.array(spin)) / WIDTH_EV
        density += weight * np.exp(-(distance**2) / 2).sum(axis=1) / (WIDTH_EV * np.sqrt(2 * np.pi))
    return density


def plot_density_of_states(results: Sequence[tuple[str, Result]], path: Path) -> bool:
    """Draw each labelled result's density of states, filled where occupied; False, and no file, when none has one."""
    known = [
        (label, result, EV * result.homo) for label, result in results if result.orbitals and result.homo is not None
    ]
    if not known:
        return False
    figure = new_figure(7.0, 1.0 + 1.8 * len(known))
    rows = figure.subplots(len(known), 1, sharex=True, squeeze=False)[:, 0]
    for axes, (label, result, homo) in zip(rows, known, strict=True):
        lumo = homo if result.lumo is None else EV * result.lumo
        energies = np.linspace(homo - SHOWN_EV, lumo + SHOWN_EV, 1200)
        density = density_of_states(result, energies)
        axes.plot(energies, density, color="black", linewidth=1.0)
        axes.fill_between(energies, density, where=energies <= (homo + lumo) / 2, alpha=0.4)
        axes.axvspan(homo, lumo, color="0.9")
        axes.set_title(
            f"{label}: HOMO {homo:.2f} eV, LUMO {lumo:.2f} eV", loc="left", fontsize="medium", parse_math=False
        )
        axes.set_ylabel("states / eV")
    rows[-1].set_xlabel("orbital energy (eV)")
    save(figure, path)
    return True
