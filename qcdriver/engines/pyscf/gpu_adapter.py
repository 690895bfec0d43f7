"""Every change to gpu4pyscf's own objects beside those that `adapter` makes to PySCF's and its alike.

gpu4pyscf promises none of it, so `pyproject.toml` bounds its version from above, and
`tests/engines/pyscf/test_on_the_gpu.py` holds the changed objects to the CPU's numbers. No change makes an object refer
to itself: that would keep its arrays on the GPU until Python happens to collect.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from qcdriver.engines.pyscf.core_potential_tasks import near_potentials_only


def compute_exchange_exactly(mean_field: Any) -> None:
    """Fit the Coulomb integrals only, and compute the exchange of a hybrid from the four-index integrals.

    gpu4pyscf 1.9 takes `only_dfj` for it, and then calls its own functions wrongly.
    """
    from gpu4pyscf.scf.hf import RHF

    fit, exact = mean_field.with_df, RHF(mean_field.mol)

    def get_jk(
        mol: Any = None,  # noqa: ARG001
        dm: Any = None,
        hermi: int = 1,
        with_j: bool = True,
        with_k: bool = True,
        omega: Any = None,
        lr_factor: Any = None,
        sr_factor: Any = None,
    ) -> tuple[Any, Any]:
        coulomb = fit.get_jk(dm, hermi, with_k=False)[0] if with_j else None
        exchange = exact.get_k(exact.mol, dm, hermi, omega, lr_factor, sr_factor) if with_k else None
        return coulomb, exchange

    mean_field.get_jk = get_jk


def differentiate_exchange_exactly(method: Any) -> None:
    """Let a gradient method with density fitting differentiate Coulomb integrals by the fit, exchange exactly."""
    from gpu4pyscf.scf.hf import RHF

    method_itself, fitted = weakref.proxy(method), type(method).jk_energy_per_atom
    exact = RHF(method.mol).nuc_grad_method()

    def jk_energy_per_atom(
        dm: Any, j_factor: float = 1, k_factor: float = 1, *, hermi: int = 0, verbose: Any = None, **ranges: Any
    ) -> Any:
        forces = np.zeros((exact.mol.natm, 3))
        if j_factor:
            forces += fitted(method_itself, dm, j_factor, 0, hermi=hermi, verbose=verbose)
        if k_factor:
            forces += exact.jk_energy_per_atom(dm, 0, k_factor, hermi=hermi, verbose=verbose, **ranges)
        return forces

    method.jk_energy_per_atom = jk_energy_per_atom


def differentiate_core_potentials_in_pieces(method: Any, pieces: Sequence[Sequence[int]]) -> None:
    """Let a gradient method hold the derivatives of a few atoms' core potentials at a time, not of all.

    gpu4pyscf 1.9 holds several matrices (3, nao, nao) of each of these atoms at once: 24 to 36 GiB for 25 metal atoms
    with 4382 functions. `pieces` are the atoms with core potentials, shared out.
    """
    from gpu4pyscf.grad.rhf import contract_h1e_dm, get_ecp_ip
    from gpu4pyscf.lib.cupy_helper import contract

    mol, without_potentials = method.mol, method.mol.copy(deep=False)
    without_potentials._ecpbas = mol._ecpbas[:0]
    stranger = _WithoutPotentials(type(method), without_potentials)

    def core_energy(dm0: Any, dme0: Any) -> Any:
        forces = stranger.kind._hcore_energy(stranger, dm0, dme0)
        for atoms in pieces:
            with near_potentials_only(mol, atoms):
                derivatives = get_ecp_ip(mol, ecp_atoms=np.array(atoms))
            forces -= contract_h1e_dm(mol, derivatives.sum(axis=0), dm0, hermi=1)
            forces[atoms] += 2.0 * contract("nxij,ij->nx", derivatives, dm0).get()
        return forces

    method._hcore_energy = core_energy


class _WithoutPotentials:
    """What the rest of the one-electron gradient asks a method for: a molecule, and its overlap's derivatives."""

    def __init__(self, kind: Any, mol: Any) -> None:
        self.kind, self.mol = kind, mol

    def get_ovlp(self, mol: Any) -> Any:
        return self.kind.get_ovlp(self, mol)


def keep_no_cavity_matrices(solvent: Any, tolerance: float) -> None:
    """Solve a cavity's linear equations step by step to `tolerance`, without its matrices (points, points)."""
    solvent.lowmem_intermediate_storage = True
    solvent.conv_tol = tolerance


def orbital_hessian(mean_field: Any) -> tuple[Any, Callable[[Any], Any], Any, Callable[[Any], Any]]:
    """Return gradient, Hessian and its diagonal of the energy by rotations of orbitals, and what such a rotation gives.

    All take and return CuPy vectors, (n_rotations,), hartree; the last one returns orbitals, (nao, nmo), for UKS
    (2, nao, nmo).
    """
    import gpu4pyscf.scf.soscf  # noqa: F401

    second_order = mean_field.newton()
    if hasattr(second_order, "with_solvent"):  # else the cavity's charges would stay as they are
        second_order.with_solvent.equilibrium_solvation = True
    orbitals, occupations = mean_field.mo_coeff, mean_field.mo_occ
    gradient, product, diagonal = second_order.gen_g_hop(orbitals, occupations)

    def rotated(rotation: Any) -> Any:
        turn = second_order.update_rotate_matrix(rotation, occupations, mo_coeff=orbitals)
        return second_order.rotate_mo(orbitals, turn)

    return gradient, product, diagonal, rotated
