"""The memory of DIIS, carried to the next SCF of the same molecule, whose Hamiltonian differs a little (a finer grid).

DIIS extrapolates from densities and their Fock matrices. With a slightly different Hamiltonian the Fock matrices of all
densities near by change by nearly the same matrix, which is known at the density where the next SCF begins. So that SCF
does not have to learn again how the charge sloshes: on the rod with PH3 it takes one cycle in place of three.
"""

from __future__ import annotations

from typing import Any

from qcdriver.engines.pyscf.adapter import continue_diis

LENGTH = 8
"""Cycles remembered; older ones hardly count in the extrapolation."""


class DiisMemory:
    """Densities and their Fock matrices, (nao, nao), for UKS (2, nao, nao), of the last cycles, NumPy or CuPy."""

    def __init__(self, earlier: DiisMemory | None = None) -> None:
        self._cycles: list[tuple[Any, Any]] = [] if earlier is None else list(earlier._cycles)

    def add(self, density: Any, fock: Any) -> None:
        """Remember one more cycle."""
        self._cycles = [*self._cycles, (density, fock)][-LENGTH:]

    def teach(self, scf: Any) -> None:
        """Hand all of it to the DIIS of an SCF that begins at the last density, with DIIS from its first cycle."""
        if self._cycles:
            continue_diis(scf, self._moved_to)

    def _moved_to(self, fock: Any) -> list[tuple[Any, Any]]:
        """Change all Fock matrices as the last density's has changed, and return the cycles before that one."""
        difference = fock - self._cycles[-1][1]
        self._cycles = [(density, earlier + difference) for density, earlier in self._cycles]
        return self._cycles[:-1]
