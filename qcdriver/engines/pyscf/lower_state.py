"""Look for a lower state next to a converged one: the eigenvalues of the orbital Hessian (doi:10.1063/1.434318).

PySCF has the analysis; gpu4pyscf has not, but the product of the Hessian with a rotation of orbitals. From it the
lowest eigenvalue is found as PySCF does, on the GPU: for 373 atoms PySCF's own would take days.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from qcdriver.engines.pyscf.device_arrays import beside, host, on_gpu
from qcdriver.engines.pyscf.gpu_adapter import orbital_hessian

UNSTABLE_BELOW = -1e-5
"""Lowest eigenvalue, hartree, that still counts as none below zero; as PySCF has it, like the next two."""
EIGENVALUE_TOLERANCE = 1e-4
"""Hartree, to which that eigenvalue is converged."""
EIGENVALUES = 3
"""Looked for, so that the lowest is not missed."""


def lower_orbitals(mean_field: Any) -> Any | None:
    """Return orbitals turned towards a lower state of the same kind, (nao, nmo), for UKS (2, nao, nmo).

    None where there is none near.
    """
    if on_gpu(mean_field.mo_coeff):
        return _lower_on_gpu(mean_field, opposite_spins=False)
    orbitals, _, stable, _ = mean_field.stability(return_status=True)
    return None if stable else orbitals


def parted_orbitals(closed: Any, with_parted_spins: Callable[[], Any]) -> tuple[Any, Any] | None:
    """Part the spins of a closed shell towards a lower state; None if none is near.

    Returns
    -------
    UKS of the same molecule and level, set up and not run, as `with_parted_spins` gives it, and orbitals for it,
    (2, nao, nmo).
    """
    if on_gpu(closed.mo_coeff):
        parted = with_parted_spins()
        parted.mo_coeff = closed.mo_coeff[None].repeat(2, axis=0)
        parted.mo_occ = closed.mo_occ[None].repeat(2, axis=0) / 2
        orbitals = _lower_on_gpu(parted, opposite_spins=True)
        return None if orbitals is None else (parted, orbitals)
    _, (up, down), _, stable = closed.stability(internal=False, external=True, return_status=True)
    if stable:
        return None
    # PySCF turns the orbitals of one spin alone, which may end on another saddle point. The unstable mode turns those
    # of the other spin the opposite way.
    turn = down.T @ closed.mol.intor_symmetric("int1e_ovlp") @ up
    return with_parted_spins(), np.array([up, down @ turn.T])


def _lower_on_gpu(mean_field: Any, opposite_spins: bool) -> Any | None:
    """Turn orbitals along the lowest mode; `opposite_spins`: of those that turn the two spins opposite ways."""
    from pyscf import lib

    gradient, product, diagonal, rotated = orbital_hessian(mean_field)
    curvature = 2 * host(diagonal)

    def precondition(residual: np.ndarray, eigenvalue: float, _guess: np.ndarray) -> np.ndarray:
        distance = curvature - eigenvalue
        distance[abs(distance) < 1e-8] = 1e-8
        return np.asarray(residual / distance)

    start = 1.0 / curvature
    if opposite_spins:
        start[len(start) // 2 :] *= -1
    lowest, rotations = lib.davidson(
        lambda vector: 2 * host(product(beside(vector, gradient))),
        start,
        precondition,
        tol=EIGENVALUE_TOLERANCE,
        nroots=EIGENVALUES,
    )
    return rotated(beside(rotations[0], gradient)) if lowest[0] < UNSTABLE_BELOW else None
