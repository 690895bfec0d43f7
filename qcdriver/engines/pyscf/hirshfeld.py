"""Hirshfeld's charges: the electron density of a molecule shared out by the densities of free atoms.

Free atoms are spherical, so each element's density is a function of one distance, tabulated once: 373 atoms on a
million points take 20 s of one thread, where evaluating all basis functions took 760. The molecule's own density is
evaluated where the SCF was: on the GPU if it was there.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from qcdriver.engines.pyscf.adapter import density_on_grid
from qcdriver.engines.pyscf.device_arrays import host

GRID_LEVEL = 0
"""The charges change by less than 0.005 e on finer grids."""
REACH = 15.0
"""Bohr; farther from its nucleus a free atom counts as nothing."""
KNOTS = 1200
"""Distances at which a free atom's density is tabulated, closer to one another near the nucleus."""
NOTHING = 1e-15
"""Electrons per bohr**3: points with less free-atom density are left out; and the least that is tabulated, squared."""
POINTS_AT_ONCE = 4_000


def hirshfeld_charges(mean_field: Any) -> np.ndarray:
    """Share the electron density out by free atoms, (natoms,) (doi:10.1007/BF00549096).

    With core potentials molecule and free atoms lack the same cores.
    """
    mol = mean_field.mol
    grids = mean_field.grids.copy().reset()
    grids.level = GRID_LEVEL
    electrons = host(density_on_grid(mean_field, grids)) * host(grids.weights)
    populations = _shared_out(mol, host(grids.coords), electrons)
    # The coarse grid's error in the number of electrons is shared out like the electrons.
    populations *= mol.nelectron / populations.sum()
    charges: np.ndarray = mol.atom_charges() - populations
    return charges


def _shared_out(mol: Any, points: np.ndarray, electrons: np.ndarray) -> np.ndarray:
    """Share electrons, (n,), at points, (n, 3), out by the free atoms there; return each atom's, (natoms,)."""
    positions, tables = mol.atom_coords(), free_atoms(mol)
    elements = np.array([mol.atom_symbol(atom) for atom in range(mol.natm)])
    populations = np.zeros(mol.natm)
    for first in range(0, len(points), POINTS_AT_ONCE):
        here = points[first : first + POINTS_AT_ONCE]
        squared = (positions**2).sum(axis=1)[:, None] + (here**2).sum(axis=1) - 2 * positions @ here.T
        free = np.zeros_like(squared)
        for element, table in tables.items():
            near = (squared < REACH**2) & (elements == element)[:, None]
            free[near] = np.exp(table(squared[near].clip(0.0) ** 0.25))
        total = free.sum(axis=0)
        there = electrons[first : first + POINTS_AT_ONCE]
        populations += free @ np.divide(there, total, out=np.zeros_like(total), where=total > NOTHING)
    return populations


def free_atoms(mol: Any) -> dict[str, Any]:
    """Tabulate each element's free, neutral atom in its own basis.

    Returns
    -------
    For each symbol a spline: the logarithm of the density, electrons per bohr**3, at the square root of a distance.
    """
    from pyscf.dft import numint
    from pyscf.scf import atom_hf
    from scipy.interpolate import CubicSpline

    roots = np.linspace(0.0, np.sqrt(REACH), KNOTS)
    line = np.zeros((KNOTS, 3))
    line[:, 2] = roots**2
    tables = {}
    states = atom_hf.get_atm_nrhf(mol)
    for atom in range(mol.natm):
        element = mol.atom_symbol(atom)
        if element in tables:
            continue
        _, _, orbitals, occupations = states[element]
        alone = mol.copy(deep=False)
        first, last = mol.aoslice_by_atom()[atom, :2]
        alone._bas = mol._bas[first:last]
        values = numint.eval_ao(alone, line + mol.atom_coord(atom))
        density = ((values @ orbitals) ** 2) @ occupations
        tables[element] = CubicSpline(roots, np.log(density.clip(NOTHING**2)))
    return tables
