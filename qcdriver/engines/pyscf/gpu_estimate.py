"""Estimate what a calculation takes of a GPU, and of the host beside it, from sizes alone.

The memory is the least that gpu4pyscf 1.9 needs, counted from its code: it uses more where there is more. No figure
here was measured on a GPU.
"""

from __future__ import annotations

from typing import NamedTuple

MB = 2**20
CONTEXT_MB = 1500
"""CUDA's context, the loaded kernels and the pools of small arrays, on the GPU."""
MATRICES, AUXILIARY_MATRICES = 80, 3
"""Matrices of the basis' size at the peak of an SCF, most of them DIIS's; and of the auxiliary basis' size."""
POINT_BYTES = 300
"""Bytes a grid point: density, potential and their derivatives, coordinates and weights."""
CAVITY_MATRICES = 13
"""Matrices of a solvent cavity's size that live at once: 12.6 measured on PPh3 (3886 points), 28 for forces."""
USABLE = 0.9
"""Share of a GPU's memory that a plan may count on; gpu4pyscf's own pool takes as much."""
HOST_MB = 1200
"""Python with PySCF, gpu4pyscf, CuPy and CUDA's libraries loaded, on the host."""
HOST_MATRICES = 10
"""Matrices of the basis' size on the host: density, orbitals and overlap, and a checkpoint being written."""
PAIR_BYTES = 0.5
"""Bytes a pair of basis functions and atom with a core potential, for the list of integrals to compute: 0.2 GiB with
4382 functions and 25 such atoms, twice that while it is made."""


class GpuMemory(NamedTuple):
    """What a calculation takes: MB on the GPU and on the host, and what it has to do without to fit.

    `stores_cavity`: whether the matrices of a solvent's cavity fit, or its equations are solved without them;
    `tensor_on_gpu`: whether the three-index tensor of a hybrid fits, or lies in the host's memory, as gpu4pyscf has it.
    """

    gpu_mb: float
    host_mb: float
    stores_cavity: bool
    tensor_on_gpu: bool


def gpu_memory(
    n_basis: int,
    n_auxiliary: int,
    n_points: int,
    n_cavity: int,
    n_potentials: int,
    spins: int,
    tensor_mb: float,
    total_mb: int | None,
) -> GpuMemory:
    """Place a calculation on a GPU of `total_mb`; of unknown size (None), all of it fits."""
    matrices = spins * MATRICES * n_basis**2 + AUXILIARY_MATRICES * n_auxiliary**2
    gpu = CONTEXT_MB + matrices * 8 / MB + n_points * POINT_BYTES / MB
    host = HOST_MB + spins * HOST_MATRICES * n_basis**2 * 8 / MB + n_potentials * n_basis**2 * PAIR_BYTES / MB
    usable = None if total_mb is None else USABLE * total_mb
    cavity = CAVITY_MATRICES * n_cavity**2 * 8 / MB
    stores_cavity = usable is None or gpu + cavity <= usable
    gpu += cavity if stores_cavity else 0.0
    tensor_on_gpu = usable is None or gpu + tensor_mb <= usable
    if tensor_on_gpu:
        return GpuMemory(gpu + tensor_mb, host, stores_cavity, True)
    return GpuMemory(gpu, host + tensor_mb, stores_cavity, False)
