"""Set up a PySCF or gpu4pyscf mean field of one molecule from its keywords; nothing runs yet.

Both packages have the same classes under the same names, so there is one code path; `_dft` alone chooses. The core
Hamiltonian, with its slow integrals over core potentials, is computed once a geometry, not by every attempt. What
follows the choice of the CPU only saves time there (measured on the rod with PH3, 754 basis functions, one thread;
PySCF as it comes: 50 s before the first cycle, 65 s a cycle):

- the fitted Coulomb integrals are kept in memory where they fit: 90 s once, then 0.5 s a cycle in place of 34 s;
- the grid is worked off in blocks that stay in the caches: a third less time, 2 GB less memory;
- a large molecule is first converged on a coarse grid, a third to a tenth of the points (`coarse`), then there with the
  fine grid's potential at that density (`corrected`): for the fine grid itself one or two cycles are left.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qcdriver.engines.pyscf.adapter import (
    add_fixed_potential,
    exchange_correlation_potential,
    keep_core_hamiltonian,
    limit_grid_block,
    range_separation,
    store_integrals,
)
from qcdriver.engines.pyscf.core_potential_tasks import near_potentials_only
from qcdriver.engines.pyscf.estimate import FIT_BUFFER_MB, XC_BLOCK_MB, DftNeeds
from qcdriver.engines.pyscf.gpu_adapter import compute_exchange_exactly, keep_no_cavity_matrices
from qcdriver.engines.pyscf.gpu_estimate import MB

if TYPE_CHECKING:
    from qcdriver.engines.base import Device
    from qcdriver.engines.pyscf.keywords import PyscfKeywords

PCM_NAMES = {"iefpcm": "IEF-PCM", "cpcm": "C-PCM"}
NONLOCAL_LEVELS_COARSER = 2
"""VV10 costs the square of its points, and is smooth: on a coarser grid than the rest (doi:10.1063/1.3521275)."""
CAVITY_TOLERANCE = 1e-9
"""To which a cavity's linear equations are solved step by step: an energy differs by less than 1e-7 hartree."""
COARSE_GRID_LEVEL = 0
COARSE_TOLERANCE = 1e-3
"""Hartree; what comes after goes on with what DIIS has learned, and may begin soon."""
COARSE_FROM_BASIS_FUNCTIONS = 100
"""Below, a coarse grid would add cycles and save nothing worth having; four waters (96) take 0.6 of the time."""


def build_mean_field(mol: Any, method: str, keywords: PyscfKeywords, device: Device, needs: DftNeeds) -> Any:
    """Set up RKS (singlets) or UKS with functional, grid, density fitting, dispersion and solvent."""
    dft = _dft(device)
    mean_field = (dft.UKS if mol.spin or keywords.unrestricted else dft.RKS)(mol, xc=method)
    auxiliary = keywords.auxiliary_basis(method)
    if auxiliary is not None:
        only_coulomb = None if keywords.density_fit is True else True
        mean_field = mean_field.density_fit(auxbasis=auxiliary, only_dfj=only_coulomb)
    mean_field.grids.level = keywords.grid_level
    mean_field.nlcgrids.level = max(0, keywords.grid_level - NONLOCAL_LEVELS_COARSER)
    mean_field.conv_tol = keywords.conv_tol
    mean_field.max_cycle = keywords.max_cycle
    mean_field.init_guess = keywords.init_guess
    mean_field.diis_space = keywords.diis_space
    mean_field.chkfile = None
    if keywords.dispersion is not None:
        mean_field.disp = keywords.dispersion
    if keywords.solvent is not None:
        mean_field = _in_solvent(mean_field, keywords)
        if not needs.stores_cavity:
            keep_no_cavity_matrices(mean_field.with_solvent, CAVITY_TOLERANCE)
    if device == "cpu":
        keep_core_hamiltonian(mean_field)
        _economize(mean_field, needs)
        return mean_field
    with near_potentials_only(mol):
        keep_core_hamiltonian(mean_field)
    if keywords.density_fit == "coulomb":
        compute_exchange_exactly(mean_field)
    return mean_field


def pays_coarse(mol: Any, keywords: PyscfKeywords) -> bool:
    """Whether converging on a coarse grid first saves time."""
    return bool(mol.nao >= COARSE_FROM_BASIS_FUNCTIONS and keywords.grid_level > COARSE_GRID_LEVEL)


def coarse(mean_field: Any) -> Any:
    """Return a copy on the coarse grid, to be converged only as far as the next grid needs."""
    rough = mean_field.copy()
    for name in ("grids", "nlcgrids"):
        grids = getattr(mean_field, name).copy()
        grids.level = COARSE_GRID_LEVEL
        setattr(rough, name, grids.reset())
    rough.conv_tol = max(COARSE_TOLERANCE, mean_field.conv_tol)
    return rough


def corrected(rough: Any, fine: Any, density: Any) -> Any:
    """Return a copy of the coarse mean field that feels the fine grid's potential.

    What the potential of `density` on the fine grid is more than on the coarse one is added and held fixed; what is
    neglected is the change of that difference, so the solution is the fine grid's to second order.
    """
    difference = exchange_correlation_potential(fine, density) - exchange_correlation_potential(rough, density)
    shifted = add_fixed_potential(rough, difference)
    shifted.conv_tol = fine.conv_tol
    return shifted


def _dft(device: Device) -> Any:
    if device == "gpu":
        from gpu4pyscf import dft
    else:
        from pyscf import dft
    return dft


def _in_solvent(mean_field: Any, keywords: PyscfKeywords) -> Any:
    from pyscf.solvent.smd import solvent_db

    if keywords.solvent_model == "smd":
        solvated = mean_field.SMD()
        solvated.with_solvent.solvent = keywords.solvent
        return solvated
    solvated = mean_field.PCM()
    solvated.with_solvent.method = PCM_NAMES[keywords.solvent_model]
    solvated.with_solvent.eps = solvent_db[keywords.solvent][5]
    return solvated


def _economize(mean_field: Any, needs: DftNeeds) -> None:
    from pyscf.dft.gen_grid import BLKSIZE

    points = max(4, int(XC_BLOCK_MB * MB / (4 * 8 * mean_field.mol.nao)) // BLKSIZE) * BLKSIZE
    if points < needs.n_grid_points:
        limit_grid_block(mean_field, points)
    if needs.stores_tensor:
        fit = mean_field.with_df
        room_mb = _room_mb(fit)
        store_integrals(fit, room_mb)
        omega, alpha, hybrid = range_separation(mean_field)
        if omega and mean_field.only_dfj is None and (alpha or hybrid):
            with fit.range_coulomb(omega if alpha else -omega) as second:
                store_integrals(second, room_mb)


def _room_mb(fit: Any) -> float:
    """Return what PySCF is allowed for a three-index tensor and its buffers, in its own MB of 1e6 bytes."""
    from pyscf import df

    auxiliary = df.addons.make_auxmol(fit.mol, fit.auxbasis)
    tensor = fit.mol.nao * (fit.mol.nao + 1) / 2 * auxiliary.nao * 8 / 1e6
    return float(max(tensor * 1.15, tensor + (3 * FIT_BUFFER_MB * MB + 8 * auxiliary.nao**2) / 1e6))
