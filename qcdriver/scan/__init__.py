"""Conformers and a grid of one or two coordinates in, the lowest relaxed structure at each of its points out.

`grid` knows points, neighbours and which of them symmetry makes equal; `wavefront` is the pure function from the state
of a scan to its next points; `stage` asks for their relaxations.
"""

from qcdriver.scan.grid import Grid, Operation, apart
from qcdriver.scan.stage import How, scan
from qcdriver.scan.wavefront import Seed

__all__ = ["Grid", "How", "Operation", "Seed", "apart", "scan"]
