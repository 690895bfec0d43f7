"""Minima of a scan's grid, and ways over its passes in, stationary points of the whole surface out, each verified.

Minima are relaxed with every constraint off, duplicates and mirror images merged (`minima`), and what vibrations show
to be a saddle is pushed off it (`pushes`); a band climbs each pass between the minima that its ends became, and from
its top a search goes on to the saddle (`climbs`). A minimum is one without an imaginary wavenumber, a saddle with
exactly one (`verification`). What is not is dropped with its verdict; a pass whose ends became one minimum is still a
path, from one numbering of its atoms to another, as a methyl group turns.
"""

from qcdriver.stationary.search import MINIMUM, NO_FAILURE, SADDLE, VIBRATIONS, GridPoint, Search, Way
from qcdriver.stationary.stage import stationary
from qcdriver.stationary.verification import core_atoms

__all__ = [
    "MINIMUM",
    "NO_FAILURE",
    "SADDLE",
    "VIBRATIONS",
    "GridPoint",
    "Search",
    "Way",
    "core_atoms",
    "stationary",
]
