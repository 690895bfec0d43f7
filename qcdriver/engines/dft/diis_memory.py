"""What DIIS has learned of a molecule, carried to its next SCF with another Hamiltonian: the same on a finer grid.

DIIS extrapolates from densities and the Fock matrices that belong to them. Of a Hamiltonian that differs a little, the
Fock matrices differ by nearly the same matrix for all densities near by; one of them, at the density where the next SCF
begins, tells which. So the next SCF need not find out again how the charge sloshes: on the rod with PH3 one cycle is
left of the fine grid's three.
"""

from __future__ import annotations

from typing import Any

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
        """Let the DIIS of an SCF that begins at the last density, with DIIS from its first cycle, know all of them."""
        memory, untaught = self, scf.DIIS

        class Taught(untaught):  # type: ignore[misc, valid-type]
            def update(self, overlap: Any, density: Any, fock: Any, *rest: Any, **words: Any) -> Any:
                if self.get_num_vec() == 0:
                    for earlier in memory._moved_to(fock):
                        super().update(overlap, *earlier)
                return super().update(overlap, density, fock, *rest, **words)

        if self._cycles:
            scf.DIIS = Taught

    def _moved_to(self, fock: Any) -> list[tuple[Any, Any]]:
        """Change all Fock matrices as the last density's changed; gives the cycles before that one."""
        difference = fock - self._cycles[-1][1]
        self._cycles = [(density, each + difference) for density, each in self._cycles]
        return self._cycles[:-1]
