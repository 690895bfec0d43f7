"""Which integrals over core potentials gpu4pyscf has to compute: those of functions near enough to the potential.

gpu4pyscf 1.9 lists all triples of two shells and a potential on the host: for 373 atoms with 25 metals 57 s and 4.3 GiB
each time, three times a gradient. Nearly all of these integrals are zero, for a potential reaches a few bohr.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import numpy as np

NEGLIGIBLE = 46.0
"""A pair is left out where the product of its functions with the potential is below exp(-46), 1e-20, everywhere.

What stands before the exponentials is below 1e4, so the integrals are below 1e-16 hartree.
"""


@contextmanager
def near_potentials_only(mol: Any, atoms: Sequence[int] | None = None) -> Iterator[None]:
    """Let gpu4pyscf compute only the near ones of its integrals over the core potentials of `atoms`; None: of all."""
    from gpu4pyscf.gto import ecp

    if not len(mol._ecpbas):
        yield
        return
    decay = _decay(mol, atoms)
    plain = ecp.make_tasks, ecp.make_full_tasks
    ecp.make_tasks = lambda shells, potentials: _tasks(decay, shells, potentials, once=True)
    ecp.make_full_tasks = lambda shells, potentials: _tasks(decay, shells, potentials, once=False)
    try:
        yield
    finally:
        ecp.make_tasks, ecp.make_full_tasks = plain


def _decay(mol: Any, atoms: Sequence[int] | None) -> np.ndarray:
    """Return the exponents by which functions have fallen off at the potentials, (n_potentials, n_shells).

    Shells and potentials are in gpu4pyscf's order. exp(-a |r - A|**2), the most diffuse function of a shell, times
    exp(-b/2 |r - B|**2), the root of the widest function of a potential, is at most exp(-a b / (2 a + b) |A - B|**2).
    """
    from gpu4pyscf.gto import ecp
    from gpu4pyscf.gto.mole import group_basis
    from pyscf import gto

    basis = group_basis(mol)[0]
    potentials = mol._ecpbas if atoms is None else ecp.select_basis(mol._ecpbas, list(atoms))
    potentials, _, _, first = ecp.sort_ecp_basis(potentials)
    widest = [
        min(mol._env[row[gto.PTR_EXP] : row[gto.PTR_EXP] + row[gto.NPRIM_OF]].min() for row in potentials[i:j])
        for i, j in pairwise(first)
    ]
    centres = mol.atom_coords()[potentials[first[:-1], gto.ATOM_OF]]
    diffuse = np.array([basis.bas_exp(shell).min() for shell in range(basis.nbas)])
    positions = basis.atom_coords()[basis._bas[:, gto.ATOM_OF]]
    distances = np.linalg.norm(centres[:, None] - positions[None], axis=2)
    wide = np.array(widest)[:, None]
    exponents: np.ndarray = diffuse * wide / (2 * diffuse + wide) * distances**2
    return exponents


def _tasks(
    decay: np.ndarray, shells: np.ndarray, potentials: np.ndarray, once: bool
) -> dict[tuple[int, int, int], np.ndarray]:
    """List the triples (shell, shell, potential) of all groups; `once`: each pair of shells in one order only."""
    tasks = {}
    n_groups = len(shells) - 1
    for i in range(n_groups):
        for j in range(i if once else 0, n_groups):
            for k in range(len(potentials) - 1):
                found = [
                    _near(decay[potential], shells[i : i + 2], shells[j : j + 2], potential, once)
                    for potential in range(potentials[k], potentials[k + 1])
                ]
                # A kernel cannot be started for nothing.
                tasks[i, j, k] = np.concatenate(found) if any(map(len, found)) else _first(shells, i, j, potentials[k])
    return tasks


def _near(decay: np.ndarray, rows: np.ndarray, columns: np.ndarray, potential: int, once: bool) -> np.ndarray:
    near = decay[slice(*rows), None] + decay[None, slice(*columns)] < NEGLIGIBLE
    pairs = np.argwhere(near) + (rows[0], columns[0])
    if once:
        pairs = pairs[pairs[:, 0] <= pairs[:, 1]]
    return np.column_stack([pairs, np.full(len(pairs), potential)])


def _first(shells: np.ndarray, i: int, j: int, potential: int) -> np.ndarray:
    return np.array([[shells[i], shells[j], potential]])
