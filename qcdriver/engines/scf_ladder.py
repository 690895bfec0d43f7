"""Self-consistency by a ladder of strategies: a PySCF mean field in, a converged one and the attempts out.

Rungs, each from the density that the one before got to: DIIS; level shift; Fermi smearing, annealed; second order.
Level shift and smearing only prepare a density. The number always comes from DIIS or second order without either,
so that occupations are integer and the dispersion energy is in: with smearing PySCF leaves it out, silently, and
after a level shift it tests convergence loosely.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from qcdriver.engines.base import orbital_gap
from qcdriver.errors import ConvergenceError
from qcdriver.schema import ScfAttempt
from qcdriver.units import EV

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qcdriver.engines.base import Progress

PATIENCE = 15
"""Cycles without a lower energy or orbital gradient after which an attempt is given up."""
PREPARATION_TOLERANCE = 1e-5
"""Hartree; a density that only prepares needs no more."""
SMALL_GAP = 0.1 / EV
"""Below this, hartree, a converged SCF carries a warning: another state may be near."""
NOT_AUFBAU = "converged with an empty orbital below an occupied one"


@dataclass(frozen=True)
class Strategy:
    """One way to run the SCF. `level_shift` and `smearing` (Fermi width) in hartree."""

    name: str
    level_shift: float | None = None
    smearing: float | None = None
    second_order: bool = False

    @property
    def prepares(self) -> bool:
        """Whether only its density is of use."""
        return self.level_shift is not None or self.smearing is not None


PLAIN = Strategy("DIIS")
RUNGS: dict[str, tuple[Strategy, ...]] = {
    "diis": (PLAIN,),
    "level_shift": (Strategy("level shift 0.3", level_shift=0.3), PLAIN),
    "smearing": (
        Strategy("Fermi smearing 0.01", smearing=0.01),
        Strategy("Fermi smearing 0.005", smearing=0.005),
        Strategy("Fermi smearing 0.001", smearing=0.001),
        Strategy("level shift 0.1", level_shift=0.1),
        PLAIN,
    ),
    "second_order": (Strategy("second order", second_order=True),),
}
"""The strategies of each rung, in order."""


def converge(
    mean_field: Any, start: np.ndarray | None, rungs: Sequence[str], progress: Progress
) -> tuple[Any, tuple[ScfAttempt, ...]]:
    """Converge a mean field, from the density `start` or, without one, from its own guess.

    Parameters
    ----------
    mean_field
        PySCF or gpu4pyscf RKS or UKS object, set up but not run; it is left as it is.
    start
        Density matrix, (nao, nao), for UKS (2, nao, nao).
    rungs
        Keys of `RUNGS`, in the order to try them.

    Returns
    -------
    A converged copy of the mean field, and what was tried.

    Raises
    ------
    ConvergenceError
        No rung converged.
    """
    attempts: list[ScfAttempt] = []
    lowest = math.inf
    ladder = [strategy for rung in rungs for strategy in RUNGS[rung]]
    # A density from elsewhere may be a bad start; then the whole ladder begins at the guess.
    for density, strategies in [(None, ladder)] if start is None else [(start, [PLAIN]), (None, ladder)]:
        for strategy in strategies:
            if attempts:
                progress(f"SCF: {attempts[-1].strategy} {attempts[-1].message}; now {strategy.name}")
            run = _Run(mean_field, strategy, progress)
            attempts.append(run.go(density))
            if attempts[-1].converged and not strategy.prepares:
                return run.result(), tuple(attempts)
            # Smeared densities are wanted for what they are; of the others the lowest is nearest to the minimum.
            if run.best_density is not None and (strategy.smearing is not None or run.best_energy <= lowest):
                density = run.best_density
            if strategy.smearing is None:
                lowest = min(lowest, run.best_energy)
    raise ConvergenceError(
        f"the SCF did not converge in {len(attempts)} attempts, {sum(a.cycles for a in attempts)} cycles"
        f"{_hint(attempts)}",
        history=[attempt.model_dump(mode="json") for attempt in attempts],
    )


def frontier(energies: Any, occupations: Any) -> tuple[float | None, float | None]:
    """Give HOMO and LUMO, (nmo,) or (2, nmo) arrays; of either spin, None where there is none."""
    energies, occupations = host(energies), host(occupations)
    occupied = occupations > (1.0 if energies.ndim == 1 else 0.5)
    homo = float(energies[occupied].max()) if occupied.any() else None
    lumo = float(energies[~occupied].min()) if not occupied.all() else None
    return homo, lumo


def host(array: Any) -> np.ndarray:
    """Give a NumPy array of one that may live on the GPU."""
    return np.asarray(array.get() if hasattr(array, "get") else array)


class _GiveUp(Exception):  # noqa: N818
    pass


class _Run:
    """One strategy on a copy of the mean field, watched cycle by cycle.

    `best_density` is the one of lowest energy `best_energy`: the energy is variational, the orbital gradient also
    vanishes at saddle points.
    """

    def __init__(self, mean_field: Any, strategy: Strategy, progress: Progress) -> None:
        self._original = mean_field
        self._scf = _apply(mean_field, strategy)
        self._scf.callback = self._watch
        self._strategy = strategy
        self._progress = progress
        self.best_density: Any = None
        self.best_energy = math.inf
        self._best_norm = math.inf
        self._best_cycle = 0
        self._cycles = 0
        self._energy: float | None = None
        self._norm: float | None = None
        self._orbitals: tuple[Any, Any] | None = None

    def go(self, density: Any) -> ScfAttempt:
        try:
            self._scf.kernel(dm0=density)
            converged, message = self._judge()
        except (_GiveUp, np.linalg.LinAlgError) as error:
            converged, message = False, str(error)
        gap = None if self._orbitals is None else orbital_gap(*frontier(*self._orbitals))
        if converged and gap is not None and gap < SMALL_GAP:
            message += f", with a gap of {gap * EV:.3f} eV: another state may be near"
        return ScfAttempt(
            strategy=self._strategy.name,
            converged=converged,
            cycles=self._cycles,
            energy=self._energy,
            gradient_norm=self._norm,
            gap=gap,
            message=message,
        )

    def result(self) -> Any:
        """Give a mean field of the original class with what this run converged to."""
        mean_field = self._original.copy()
        for name in ("converged", "e_tot", "mo_energy", "mo_coeff", "mo_occ"):
            setattr(mean_field, name, getattr(self._scf, name))
        return mean_field

    def _judge(self) -> tuple[bool, str]:
        if not self._scf.converged:
            if self._cycles < self._scf.max_cycle:
                return False, f"reached convergence in {self._cycles} cycles and lost it in the check after"
            return False, f"did not converge in {self._cycles} cycles"
        self.best_density = self._scf.make_rdm1()
        self._energy = self.best_energy = float(self._scf.e_tot)
        self._orbitals = self._scf.mo_energy, self._scf.mo_occ
        if not self._strategy.prepares and not _is_aufbau(*self._orbitals):
            return False, NOT_AUFBAU
        return True, "converged"

    def _watch(self, scf: dict[str, Any]) -> None:
        cycle = 1 + scf.get("cycle", scf.get("imacro", 0))
        if cycle == self._cycles:
            return  # second order reports its last cycle twice
        if not self._strategy.second_order:  # its orbital energies are known at the end only
            self._orbitals = scf["mo_energy"], scf["mo_occ"]
        last, self._energy, self._norm = self._energy, float(scf["e_tot"]), float(scf["norm_gorb"])
        self._cycles = cycle
        change = "" if last is None else f"  dE = {self._energy - last:+.1e}"
        self._progress(f"SCF cycle {cycle}  E = {self._energy:.6f}{change}")
        if not math.isfinite(self._energy):
            self._energy = self._norm = None
            raise _GiveUp(f"energy is not a number in cycle {cycle}")
        if self._energy < self.best_energy:
            self.best_energy, self._best_cycle, self.best_density = self._energy, cycle, scf["dm"]
        if self._norm < self._best_norm:
            self._best_norm, self._best_cycle = self._norm, cycle
        if cycle - self._best_cycle >= PATIENCE:
            raise _GiveUp(
                f"stalled: energy and orbital gradient ({self._best_norm:.1e}) no lower for {PATIENCE} cycles"
            )


def _apply(mean_field: Any, strategy: Strategy) -> Any:
    scf = mean_field.copy()
    if strategy.smearing is not None:
        # Spins keep their electron numbers: the multiplicity is the user's, not the temperature's.
        scf = scf.smearing(sigma=strategy.smearing, method="fermi", fix_spin=True)
    if strategy.level_shift is not None:
        scf.level_shift = strategy.level_shift
    if strategy.second_order:
        return scf.newton()
    if strategy != PLAIN:
        scf.conv_tol = max(PREPARATION_TOLERANCE, mean_field.conv_tol)
    return scf


def _hint(attempts: Sequence[ScfAttempt]) -> str:
    if any(attempt.message == NOT_AUFBAU for attempt in attempts):
        return "; the state found has an empty orbital below an occupied one: try another multiplicity"
    return ""


def _is_aufbau(energies: Any, occupations: Any) -> bool:
    """Whether no empty orbital lies below an occupied one of its own spin."""
    for energy, occupation in zip(np.atleast_2d(host(energies)), np.atleast_2d(host(occupations)), strict=True):
        occupied = occupation > 0
        if occupied.any() and not occupied.all() and energy[occupied].max() > energy[~occupied].min() + 1e-6:
            return False
    return True
