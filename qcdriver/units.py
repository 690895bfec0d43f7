"""The only physical constants: CODATA 2018, as a factor from atomic units to the unit that the name says.

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
DALTON = 1 / 1822.888486209
"""One electron mass in dalton."""
