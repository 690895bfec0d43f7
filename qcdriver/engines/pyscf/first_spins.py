"""The spin densities with which an SCF begins.

PySCF's own guess has as many electrons up as down, whatever the multiplicity; gpu4pyscf's has the right numbers. Here
both have the right numbers, which saves a cycle (NiO 12 in place of 13). Where a singlet may part its spins, its up and
down densities are made to differ: equal ones would stay equal in every cycle.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from qcdriver.engines.pyscf.device_arrays import beside


def with_spins(mean_field: Any, density: Any = None) -> Any:
    """Return the first density of a mean field, (nao, nao), for UKS (2, nao, nao); None leaves the guess to it.

    Parameters
    ----------
    density
        (nao, nao) or (2, nao, nao) from elsewhere; None: the mean field's own guess.
    """
    if not mean_field.istype("UHF"):
        return density.sum(axis=0) if density is not None and density.ndim == 3 else density
    mol = mean_field.mol
    if density is None:
        density = mean_field.get_init_guess(mol, mean_field.init_guess)
        if mol.spin == 0 or abs(density[0] - density[1]).max() == 0:
            density = density.sum(axis=0)
    if density.ndim == 3:
        return density
    both = density[None].repeat(2, axis=0) / 2
    if mol.spin == 0:
        return _parted(mean_field, both)
    alpha, beta = mol.nelec
    both[0] *= 2 * alpha / (alpha + beta)
    both[1] *= 2 * beta / (alpha + beta)
    return both


def _parted(mean_field: Any, both: Any) -> Any:
    """Turn HOMO and LUMO of a closed shell into each other by 45 degrees, up one way and down the other.

    In a stretched bond the electron that goes up is then at one end, the one that goes down at the other.
    """
    overlap = mean_field.get_ovlp()
    fock = mean_field.get_fock(None, None, None, beside(both, overlap))  # gpu4pyscf has two names for the last one
    energies, orbitals = mean_field.eig(fock, overlap)
    occupations = mean_field.get_occ(energies, orbitals)
    lumo = mean_field.mol.nelec[0]
    if lumo < orbitals.shape[2]:
        full, empty = orbitals[0][:, lumo - 1].copy(), orbitals[0][:, lumo].copy()
        orbitals[0][:, lumo - 1] = (full + empty) / np.sqrt(2)
        orbitals[1] = orbitals[0]
        orbitals[1][:, lumo - 1] = (full - empty) / np.sqrt(2)
    return mean_field.make_rdm1(orbitals, occupations)
