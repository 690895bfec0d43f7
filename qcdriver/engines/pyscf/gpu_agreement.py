"""Whether this GPU gives the CPU's number: one small molecule with core potentials, once a process, before any work.

Some versions of gpu4pyscf gave wrong energies for some systems and no error (its issue 754); a bad driver can too.
"""

from __future__ import annotations

import functools

from qcdriver.errors import EngineError

TOLERANCE = 1e-6
"""Hartree; sums on a GPU differ in their last digits from run to run."""


@functools.cache
def deviation_from_cpu() -> float:
    """Compute AuCl (PBE/LANL2DZ, closed shell) on both devices; gives GPU minus CPU, hartree.

    Raises
    ------
    EngineError
        They differ by more than `TOLERANCE`, or one did not converge.
    """
    from gpu4pyscf import dft as on_gpu
    from pyscf import dft as on_cpu
    from pyscf import gto

    mol = gto.M(atom="Au 0 0 0; Cl 0 0 2.25", basis="lanl2dz", ecp="lanl2dz", verbose=0)
    energies = []
    for dft in (on_cpu, on_gpu):
        mean_field = dft.RKS(mol, xc="pbe").density_fit(auxbasis="def2-universal-jfit")
        mean_field.grids.level = 1
        mean_field.init_guess = "atom"
        mean_field.kernel()
        if not mean_field.converged:
            raise EngineError("AuCl, which tests the GPU before each run, did not converge: gpu4pyscf is broken here")
        energies.append(float(mean_field.e_tot))
    deviation = energies[1] - energies[0]
    if not abs(deviation) <= TOLERANCE:
        raise EngineError(
            f"this GPU's energy of AuCl is {deviation:+.1e} hartree off the CPU's: no number of it can be trusted"
        )
    return deviation
