"""The closing cycle of an SCF, which PySCF makes and gpu4pyscf 1.9 leaves out though it has the setting for it.

The orbitals that an SCF ends with are those of DIIS's extrapolated Fock matrix: their energies were off by 2e-5 hartree
where the total energy was converged to 1e-8. One diagonalisation of the last density's own Fock matrix mends that.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from qcdriver.engines.pyscf.device_arrays import host

LOOSER_ENERGY, LOOSER_GRADIENT = 10, 3
"""How much less strict the criteria of convergence are for this cycle, of which one must hold; as PySCF has it."""


def close(scf: Any, fock: Any) -> bool:
    """Make the closing cycle from the last density's Fock matrix; return whether the SCF still is converged.

    Only then the SCF object has the new state.
    """
    overlap, core = scf.get_ovlp(), scf.get_hcore()
    energies, orbitals = scf.eig(fock, overlap, x=scf.check_linear_dependency(overlap))
    occupations = scf.get_occ(energies, orbitals)
    density = scf.make_rdm1(orbitals, occupations)
    potential = scf.get_veff(scf.mol, density)
    energy = float(scf.energy_tot(density, core, potential))
    gradient = host(scf.get_grad(orbitals, occupations, scf.get_fock(core, overlap, potential, density)))
    allowed = scf.conv_tol_grad or math.sqrt(scf.conv_tol)
    held = abs(energy - float(scf.e_tot)) < LOOSER_ENERGY * scf.conv_tol
    if not held and np.linalg.norm(gradient) >= LOOSER_GRADIENT * allowed:
        return False
    scf.e_tot, scf.mo_energy, scf.mo_coeff, scf.mo_occ = energy, energies, orbitals, occupations
    return True
