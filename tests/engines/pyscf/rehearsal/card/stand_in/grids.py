"""gpu4pyscf.dft.gen_grid: the weights of the integration grid, and its order."""

import numpy as np
from cupy._arrays import down, up
from pyscf.dft import gen_grid, radi


def get_partition(mol, atom_grids_tab, radii_adjust=None, atomic_radii=None, becke_scheme=None, concat=True):
    points = {symbol: tuple(map(down, of_atom)) for symbol, of_atom in atom_grids_tab.items()}
    return up(gen_grid.get_partition(mol, points, radi.treutler_atomic_radii_adjust, radi.BRAGG_RADII))


def atomic_group_grids(mol, coords):
    """Leave the points in their order, which only matters for speed."""
    return up(np.arange(len(coords)))
