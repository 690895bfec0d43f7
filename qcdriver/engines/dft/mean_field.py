"""Keywords -> a PySCF or gpu4pyscf mean field of one molecule, set up and not yet run.

Both packages have the same classes under the same names, so there is one code path; `_dft` alone chooses. What follows
the choice of the CPU only saves time there (measured on the rod with PH3, 754 basis functions, one thread; PySCF as it
comes: 50 s before the first cycle, 65 s a cycle):

- the core Hamiltonian, with its slow integrals over core potentials, is computed once, not by every attempt;
- the fitted Coulomb integrals are kept in memory where they fit: 90 s once, then 0.5 s a cycle in place of 34 s;
- the grid is worked off in blocks that stay in the caches: a third less time, 2 GB less memory;
- a large molecule is first converged on a coarse grid, a third to a tenth of the points (`coarse`), then there with the
  fine grid's potential at that density (`corrected`): for the fine grid itself one or two cycles are left.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from qcdriver.engines.dft.memory_plan import FIT_BUFFER_MB, MB, XC_BLOCK_MB, DftPlan

if TYPE_CHECKING:
    from qcdriver.engines.base import Device
    from qcdriver.engines.dft.keywords import PyscfKeywords

NONLOCAL_LEVELS_COARSER = 2
"""VV10 costs the square of its points, and is smooth: on a coarser grid than the rest (doi:10.1063/1.3521275)."""
COARSE_GRID_LEVEL = 0
COARSE_TOLERANCE = 1e-3
"""Hartree; what comes after goes on with what DIIS has learned, and may begin soon."""
COARSE_FROM_BASIS_FUNCTIONS = 100
"""Below, a coarse grid would add cycles and save nothing worth having; four waters (96) take 0.6 of the time."""


def build_mean_field(mol: Any, method: str, keywords: PyscfKeywords, device: Device, plan: DftPlan) -> Any:
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
    if device == "cpu":
        _economize(mean_field, plan)
    return mean_field


def pays_coarse(mol: Any, keywords: PyscfKeywords) -> bool:
    """Whether converging on a coarse grid first saves time."""
    return bool(mol.nao >= COARSE_FROM_BASIS_FUNCTIONS and keywords.grid_level > COARSE_GRID_LEVEL)


def coarse(mean_field: Any) -> Any:
    """Give a copy on the coarse grid, as tightly converged as pays."""
    rough = mean_field.copy()
    for name in ("grids", "nlcgrids"):
        grids = getattr(mean_field, name).copy()
        grids.level = COARSE_GRID_LEVEL
        setattr(rough, name, grids.reset())
    rough.conv_tol = max(COARSE_TOLERANCE, mean_field.conv_tol)
    return rough


def corrected(rough: Any, fine: Any, density: Any) -> Any:
    """Give a copy of the coarse mean field that feels the fine grid's potential.

    What the potential of `density` on the fine grid is more than on the coarse one is added and held fixed; what is
    neglected is the change of that difference, so the solution is the fine grid's to second order.
    """
    from pyscf import lib

    difference = _exchange_correlation_potential(fine, density) - _exchange_correlation_potential(rough, density)
    of_coarse_grid = rough.get_veff

    def get_veff(mol: Any = None, dm: Any = None, dm_last: Any = None, vhf_last: Any = None, hermi: int = 1) -> Any:
        veff = of_coarse_grid(mol, dm, dm_last, vhf_last, hermi)
        tags = {**vars(veff), "exc": veff.exc + float((difference * dm).sum())}
        return lib.tag_array(veff + difference, **tags)

    shifted = rough.copy()
    shifted.get_veff = get_veff
    shifted.conv_tol = fine.conv_tol
    return shifted


def _exchange_correlation_potential(mean_field: Any, density: Any) -> Any:
    if mean_field.grids.coords is None:
        mean_field.grids.build(with_non0tab=True)
    numerical = mean_field._numint
    build = numerical.nr_rks if density.ndim == 2 else numerical.nr_uks
    return build(mean_field.mol, mean_field.grids, mean_field.xc, density)[2]


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
    solvated.with_solvent.method = {"iefpcm": "IEF-PCM", "cpcm": "C-PCM"}[keywords.solvent_model]
    solvated.with_solvent.eps = solvent_db[keywords.solvent][5]
    return solvated


def _economize(mean_field: Any, plan: DftPlan) -> None:
    from pyscf.dft.gen_grid import BLKSIZE

    mol = mean_field.mol
    core_hamiltonian = mean_field.get_hcore()
    mean_field.get_hcore = lambda *_mol: core_hamiltonian
    points = max(4, int(XC_BLOCK_MB * MB / (4 * 8 * mol.nao)) // BLKSIZE) * BLKSIZE
    if points < plan.n_grid_points:
        numerical = mean_field._numint
        numerical.block_loop = functools.partial(numerical.block_loop, blksize=points)
    if plan.stores_tensor:
        _store_integrals(mean_field.with_df, mol.max_memory)
        omega, alpha, hybrid = mean_field._numint.rsh_and_hybrid_coeff(mean_field.xc, spin=mol.spin)
        if omega and mean_field.only_dfj is None and (alpha or hybrid):
            with mean_field.with_df.range_coulomb(omega if alpha else -omega) as second:
                _store_integrals(second, mol.max_memory)


def _store_integrals(fit: Any, max_memory: float) -> None:
    """Build the three-index tensor in memory, with buffers of a foreseeable size.

    PySCF keeps it in memory while it takes less than 0.9 of what is left, and takes all the rest for buffers.
    """
    from pyscf import df, lib

    auxiliary = df.addons.make_auxmol(fit.mol, fit.auxbasis)
    tensor = fit.mol.nao * (fit.mol.nao + 1) / 2 * auxiliary.nao * 8 / 1e6
    room = max(tensor * 1.15, tensor + (3 * FIT_BUFFER_MB * MB + 8 * auxiliary.nao**2) / 1e6)
    fit.max_memory = lib.current_memory()[0] + room
    fit.build()
    fit.max_memory = max_memory
