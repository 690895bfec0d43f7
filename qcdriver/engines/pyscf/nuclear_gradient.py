"""The gradient of a converged mean field by the positions of the nuclei."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from qcdriver.engines.pyscf.device_arrays import host
from qcdriver.engines.pyscf.gpu_adapter import differentiate_core_potentials_in_pieces, differentiate_exchange_exactly

if TYPE_CHECKING:
    from qcdriver.engines.base import Device, Progress

POTENTIAL_MATRICES = 12
"""Matrices of Cartesian basis functions that the derivatives of one atom's core potential take on the GPU."""
SHARE_OF_FREE_MEMORY = 0.5
"""Of the GPU's, for these derivatives: other arrays are made meanwhile."""


def nuclear_gradient(mean_field: Any, device: Device, progress: Progress) -> np.ndarray:
    """Compute the gradient, (natoms, 3), hartree/bohr."""
    method = mean_field.nuc_grad_method()
    if device == "gpu":
        if getattr(mean_field, "only_dfj", None):
            differentiate_exchange_exactly(method)
        if len(mean_field.mol._ecpbas):
            pieces = _pieces(mean_field.mol)
            progress(f"gradient: core potentials of {sum(map(len, pieces))} atoms, {len(pieces[0])} at a time")
            differentiate_core_potentials_in_pieces(method, pieces)
    return host(method.kernel())


def atoms_with_core_potentials(mol: Any) -> list[int]:
    """List the atoms whose cores are replaced."""
    return [atom for atom in range(mol.natm) if mol.atom_nelec_core(atom)]


def _pieces(mol: Any) -> list[list[int]]:
    """Share out the atoms with core potentials, so that the derivatives of each share fit what the GPU has left."""
    import cupy

    cupy.get_default_memory_pool().free_all_blocks()
    free, _ = cupy.cuda.runtime.memGetInfo()
    at_once = max(1, int(SHARE_OF_FREE_MEMORY * free / (POTENTIAL_MATRICES * 8 * mol.nao_cart() ** 2)))
    atoms = atoms_with_core_potentials(mol)
    return [atoms[first : first + at_once] for first in range(0, len(atoms), at_once)]
