"""PySCF's objects for those of gpu4pyscf, and what its derivatives are contracted to."""

import numpy as np
from pyscf import df
from pyscf.dft import gen_grid


def grid(mol, grids):
    """Give PySCF's grid of the same points, which are made if they are not there."""
    if grids.coords is None:
        grids.build()
    host = gen_grid.Grids(mol)
    host.coords, host.weights = grids.coords.get(), grids.weights.get()
    host.non0tab = host.screen_index = host.make_mask(mol, host.coords)
    return host


def fit(fitted):
    """Give PySCF's density fitting of the same molecule, which keeps its integrals."""
    if fitted.auxmol is None:
        fitted.auxmol = df.addons.make_auxmol(fitted.mol, fitted.auxbasis)
    if getattr(fitted, "_on_host", None) is None or fitted._on_host.mol is not fitted.mol:
        fitted._on_host = df.DF(fitted.mol, auxbasis=fitted.auxbasis)
    return fitted._on_host


def by_atoms(mol, matrices, density):
    """Sum derivatives (3, nao, nao) with a density (nao, nao) by the atom of the row; gives (natoms, 3).

    Of both spins there may be two each, (2, 3, nao, nao) and (2, nao, nao).
    """
    if density.ndim == 3:
        return sum(by_atoms(mol, one, each) for one, each in zip(matrices, density, strict=True))
    blocks = mol.aoslice_by_atom()[:, 2:]
    return np.array([np.einsum("xij,ij->x", matrices[:, i:j], density[i:j]) for i, j in blocks])


def kept(surface, get_matrices):
    """Give the matrices of a cavity's surface, made once."""
    if "matrices" not in surface:
        surface["matrices"] = get_matrices(surface, with_D=True)
    return surface["matrices"]
