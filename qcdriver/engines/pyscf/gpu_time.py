"""Estimate how long a calculation would take on a GPU that need not be here, and whether it would fit."""

from __future__ import annotations

from qcdriver.engines.base import Gpu, GpuEstimate
from qcdriver.engines.pyscf.estimate import count_grid_points, estimate_needs
from qcdriver.engines.pyscf.functionals import is_meta, is_pure
from qcdriver.engines.pyscf.gpu_cards import CYCLE_S, EXACT_S, MULTIPLICATIONS_PER_S, speeds
from qcdriver.engines.pyscf.keywords import PyscfKeywords
from qcdriver.engines.pyscf.mean_field import COARSE_FROM_BASIS_FUNCTIONS, COARSE_GRID_LEVEL
from qcdriver.models.level import Model, Resources
from qcdriver.models.molecule import Molecule

COARSE_CYCLES, FINE_CYCLES = (14, 8), (7, 6)
"""Cycles of an SCF, of a first geometry and of one near by: on the coarse grid, as counted in the kept run of
[Au13Ag12(PH3)10Cl8]+ (PBE/def2-SVP); on the fine one, 5 or 6 and the closing cycle."""
FORCES_CYCLES = {"fitted": 4, "exact": 9}
"""Cycles that a gradient takes the time of; from the benchmarks that `gpu_cards` names."""
START_S = 60.0
"""Loading the program, the test of the GPU and what is compiled at first; once a process."""


def estimate_on_gpu(
    molecule: Molecule, model: Model, keywords: PyscfKeywords, resources: Resources, gpu: Gpu
) -> GpuEstimate:
    """Estimate memory and time of a calculation on a GPU of known memory and speed.

    Raises
    ------
    InputError
        A basis set does not exist or lacks an element.
    """
    there = resources.model_copy(update={"device": "gpu"})
    needs = estimate_needs(molecule, model, keywords, there, gpu.total_mb)
    on_grid, otherwise = speeds(gpu)
    spins = 1 if molecule.molecular_multiplicity == 1 and not keywords.unrestricted else 2
    work = spins * (9 if is_meta(model.method) else 5) * needs.n_basis_functions**2 / (MULTIPLICATIONS_PER_S * on_grid)
    exact = not keywords.density_fit or (keywords.density_fit == "coulomb" and not is_pure(model.method))
    rest = spins * EXACT_S * needs.n_basis_functions**2 / otherwise if exact else 0.0
    fine = CYCLE_S + work * needs.n_grid_points + rest
    coarse = CYCLE_S + work * count_grid_points(molecule, COARSE_GRID_LEVEL) + rest
    both_grids = needs.n_basis_functions >= COARSE_FROM_BASIS_FUNCTIONS and keywords.grid_level > COARSE_GRID_LEVEL
    first, later = (
        of_coarse * coarse + of_fine * fine if both_grids else (of_coarse + of_fine) * fine
        for of_coarse, of_fine in zip(COARSE_CYCLES, FINE_CYCLES, strict=True)
    )
    return GpuEstimate(
        gpu=gpu.name,
        total_mb=gpu.total_mb,
        gpu_memory_mb=needs.gpu_memory_mb or 0,
        memory_mb=needs.memory_mb,
        first_s=START_S + first,
        next_s=later,
        forces_s=FORCES_CYCLES["exact" if exact else "fitted"] * fine,
        too_large=needs.too_large,
    )
