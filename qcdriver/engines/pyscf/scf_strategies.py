"""The attempts that the SCF ladder makes, in order, as the keywords ask for them. Knows no program.

A rung begins with the density that the one before ended with; if that one diverged, with its start. They are DIIS;
damping; level shift; Fermi smearing, annealed; second order. Level shift and smearing only prepare a density: the
number always comes from an attempt without either, so that occupations are integer and the dispersion energy is in
(with smearing PySCF leaves it out, silently, and after a level shift it tests convergence loosely). Where an electronic
temperature is asked for, it takes the place of integer occupations in every attempt that gives the number.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from qcdriver.units import KELVIN

if TYPE_CHECKING:
    from qcdriver.engines.pyscf.keywords import PyscfKeywords

DAMPED_CYCLES = 12
"""Damped without DIIS at first, to leave the region where DIIS extrapolates into the wild."""
LAST_SHIFT = 0.1
"""Hartree; between smeared and integer occupations, so that no orbital changes place at once."""


@dataclass(frozen=True)
class Strategy:
    """One way to run the SCF. `level_shift` and `smearing` (Fermi width) in hartree; `gives_number`: else prepares."""

    name: str
    level_shift: float | None = None
    smearing: float | None = None
    damping: float | None = None
    second_order: bool = False
    gives_number: bool = False


def ladder(keywords: PyscfKeywords) -> tuple[Strategy, ...]:
    """List the attempts in order; the first costs nothing against the program left alone."""
    kelvin = keywords.electronic_temperature_k
    width = None if kelvin is None else kelvin / KELVIN
    at = "" if kelvin is None else f" at {kelvin:g} K"
    plain = Strategy(f"DIIS{at}", smearing=width, gives_number=True)
    annealed = [sigma for sigma in keywords.smearing if width is None or sigma > width]
    rungs = {
        "diis": (plain,),
        "damping": (
            Strategy(f"damping {keywords.damping:g}{at}", damping=keywords.damping, smearing=width, gives_number=True),
        ),
        "level_shift": (
            Strategy(f"level shift {keywords.level_shift:g}{at}", level_shift=keywords.level_shift, smearing=width),
            plain,
        ),
        "smearing": (
            *(Strategy(f"Fermi smearing {sigma:g}", smearing=sigma) for sigma in annealed),
            *(() if width else (Strategy(f"level shift {LAST_SHIFT:g}", level_shift=LAST_SHIFT),)),
            plain,
        ),
        # PySCF has no second order with fractional occupations.
        "second_order": () if width else (Strategy("second order", second_order=True, gives_number=True),),
    }
    return tuple(strategy for rung in keywords.scf_ladder for strategy in rungs[rung])
