"""The only physical constants: CODATA 2018, as a factor from atomic units to the unit that the name says.

And how a time span is written for a person.

Source: Tiesinga, Mohr, Newell, Taylor, Rev. Mod. Phys. 93, 025010 (2021), doi:10.1103/RevModPhys.93.025010.
"""

ANGSTROM = 0.529177210903
"""One bohr in Angstrom."""
EV = 27.211386245988
"""One hartree in electronvolt."""
KCAL_MOL = 627.5094740631
"""One hartree in kcal/mol (thermochemical calorie, 4.184 J)."""
EV_PER_ANGSTROM = EV / ANGSTROM
"""One hartree/bohr in eV/Angstrom."""
KELVIN = 315775.02480407
"""One hartree in kelvin (divided by the Boltzmann constant)."""
WAVENUMBER = 219474.63136320
"""One hartree in 1/cm (divided by Planck's constant and the speed of light)."""
HARTREE_J = 4.3597447222071e-18
"""One hartree in joule."""
DALTON = 1 / 1822.888486209
"""One electron mass in dalton."""
PLANCK_S = 1.519829846057e-16
"""Planck's constant in hartree times seconds."""
NANOMETRE = 45.56335252912
"""Wavelength, in nm, of light whose quantum is one hartree; that of an energy is this divided by it."""
MOLAR_ABSORPTION = 1054.95164
"""An oscillator strength of one per hartree in L/(mol cm): 2 pi^2 alpha a0^2 N_A / ln 10."""
INFRARED_KM_MOL = 1777097.7313
"""A squared derivative of the dipole of one e^2 per electron mass in km/mol: N_A e^2 / (12 epsilon_0 c^2 m_e)."""

DAY_S = 86400
"""One day in seconds."""


def duration(seconds: float) -> str:
    """Write a time span for a person: 12 s, 3 min 20 s, 2 h 5 min, 12 days, 3.1e+02 years."""
    whole = round(seconds)
    if whole < 100:
        return f"{seconds:.1f} s" if seconds < 10 else f"{whole} s"
    if whole < 6000:
        return f"{whole // 60} min {whole % 60} s"
    if whole < 2 * DAY_S:
        return f"{whole // 3600} h {whole % 3600 // 60} min"
    return f"{whole / DAY_S:.0f} days" if whole < 1000 * DAY_S else f"{whole / (365.25 * DAY_S):.2g} years"


def time_span(seconds: float) -> str:
    """Write any time span for a person, the shortest too: 3.2e-11 s, 4.1 s, 12 days."""
    return f"{seconds:.3g} s" if seconds < 10 else duration(seconds)
