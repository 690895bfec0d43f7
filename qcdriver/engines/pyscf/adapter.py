"""Every change to PySCF's own objects, and every look at what they keep private; no other file does either.

PySCF promises none of it, so `pyproject.toml` bounds its version from above, and `tests/engines/pyscf/test_adapter.py`
fails, and says what has moved, when a change no longer reaches the SCF. gpu4pyscf's objects have the same names.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from qcdriver.engines.pyscf.device_arrays import joined


def keep_core_hamiltonian(mean_field: Any) -> None:
    """Compute the core Hamiltonian now, and once: every attempt on a copy takes the same matrix, (nao, nao)."""
    core_hamiltonian = mean_field.get_hcore()
    mean_field.get_hcore = lambda *_mol: core_hamiltonian


def limit_grid_block(mean_field: Any, points: int) -> None:
    """Work off the integration grid in blocks of so many points, a multiple of PySCF's own block length."""
    numerical = mean_field._numint
    numerical.block_loop = functools.partial(numerical.block_loop, blksize=points)


def add_fixed_potential(mean_field: Any, potential: Any) -> Any:
    """Return a copy whose effective potential has a fixed matrix added, and its energy the matrix's share.

    `potential` (nao, nao), for UKS (2, nao, nao), hartree.
    """
    from pyscf import lib

    plain = mean_field.get_veff

    def get_veff(mol: Any = None, dm: Any = None, dm_last: Any = None, vhf_last: Any = None, hermi: int = 1) -> Any:
        veff = plain(mol, dm, dm_last, vhf_last, hermi)
        tags = {**vars(veff), "exc": veff.exc + float((potential * dm).sum())}
        return lib.tag_array(veff + potential, **tags)

    shifted = mean_field.copy()
    shifted.get_veff = get_veff
    return shifted


def store_integrals(fit: Any, room_mb: float) -> None:
    """Build the three-index tensor of a density fit in memory, with room for its buffers beside it.

    PySCF keeps it in memory while it takes less than 0.9 of what is left, and takes all the rest for buffers.
    """
    from pyscf import lib

    allowed = fit.max_memory
    fit.max_memory = lib.current_memory()[0] + room_mb
    try:
        fit.build()
    finally:
        fit.max_memory = allowed


def continue_diis(scf: Any, history: Callable[[Any], list[tuple[Any, Any]]]) -> None:
    """Let an SCF's DIIS begin with earlier cycles.

    `history` takes the first Fock matrix and returns pairs of density and Fock matrix, oldest first.
    """
    plain = scf.DIIS

    class Continued(plain):  # type: ignore[misc, valid-type]
        def update(self, overlap: Any, density: Any, fock: Any, *rest: Any, **words: Any) -> Any:
            if self.get_num_vec() == 0:
                for earlier in history(fock):
                    super().update(overlap, *earlier)
            return super().update(overlap, density, fock, *rest, **words)

    scf.DIIS = Continued


def apply_in_pieces(method: Any, most: int, progress: Callable[[str], None]) -> int:
    """Let a response method multiply at most so many vectors at once, and say how many it has multiplied.

    `method` is a PySCF TDA or TDDFT object. Returns the length of a vector.
    """
    product, diagonal = method.gen_vind()
    done = 0

    def in_pieces(vectors: Any) -> Any:
        nonlocal done
        pieces = []
        for first in range(0, len(vectors), most):
            pieces.append(product(vectors[first : first + most]))
            done += len(vectors[first : first + most])
            progress(f"excited states: {done} products")
        return joined(pieces)

    method.gen_vind = lambda *_mean_field: (in_pieces, diagonal)
    return int(diagonal.size)


def exchange_correlation_potential(mean_field: Any, density: Any) -> Any:
    """Return the potential of a density on the mean field's own grid, both (nao, nao), for UKS (2, nao, nao)."""
    if mean_field.grids.coords is None:
        mean_field.grids.build(with_non0tab=True)
    numerical = mean_field._numint
    build = numerical.nr_rks if density.ndim == 2 else numerical.nr_uks
    return build(mean_field.mol, mean_field.grids, mean_field.xc, density)[2]


def range_separation(mean_field: Any) -> tuple[float, float, float]:
    """Return a functional's range parameter, 1/bohr, and its shares of long-range and of all exact exchange."""
    omega, alpha, hybrid = mean_field._numint.rsh_and_hybrid_coeff(mean_field.xc, spin=mean_field.mol.spin)
    return float(omega), float(alpha), float(hybrid)


def density_on_grid(mean_field: Any, grids: Any) -> Any:
    """Build a grid, and return the electron density of a converged mean field at its points, electrons per bohr**3."""
    grids.build()
    density = mean_field.make_rdm1()
    if density.ndim == 3:
        density = density.sum(axis=0)
    return mean_field._numint.get_rho(mean_field.mol, density, grids)
