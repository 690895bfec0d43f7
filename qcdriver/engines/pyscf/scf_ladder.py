"""Converge a PySCF mean field by a ladder of strategies, and list the attempts."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from qcdriver.engines.pyscf.first_spins import with_spins
from qcdriver.engines.pyscf.scf_attempt import NOT_AUFBAU, Attempt
from qcdriver.errors import ConvergenceError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from qcdriver.engines.base import Progress
    from qcdriver.engines.pyscf.diis_memory import DiisMemory
    from qcdriver.engines.pyscf.scf_strategies import Strategy
    from qcdriver.models.outcomes import ScfAttempt


@dataclass(frozen=True)
class Start:
    """A density to begin with, (nao, nao), for UKS (2, nao, nao), and in words where it comes from.

    `memory` ends with this density, if the molecule's SCF on another grid left one.
    """

    density: Any
    source: str
    memory: DiisMemory | None = None


def converge(
    mean_field: Any,
    start: Start | None,
    strategies: Sequence[Strategy],
    progress: Progress,
    title: str = "",
    keep: Callable[[Any, Any], None] | None = None,
) -> tuple[Any, tuple[ScfAttempt, ...]]:
    """Converge a mean field, from `start` or, without one, from its own guess.

    Parameters
    ----------
    mean_field
        PySCF or gpu4pyscf RKS or UKS object, set up but not run; it is left as it is.
    start
        Where the first attempt begins; if that fails, all of them are made from the guess.
    strategies
        The attempts to make, in order.
    title
        Stands before the names of the attempts, to say which basis set or grid they are on.
    keep
        Called with orbitals (nao, nmo) and occupations (nmo,) of every cycle, with a spin axis first for UKS.

    Returns
    -------
    A converged copy of the mean field, and what was tried. At a finite temperature its `e_tot` is the free energy, and
    it has an `entropy_term`, -TS in hartree.

    Raises
    ------
    ConvergenceError
        No attempt converged.
    """
    last, attempts = _climb(mean_field, start, strategies, progress, title, keep)
    return last.result(), attempts


def prepare(
    mean_field: Any,
    start: Start | None,
    strategies: Sequence[Strategy],
    progress: Progress,
    title: str,
    keep: Callable[[Any, Any], None] | None = None,
) -> tuple[Start, tuple[ScfAttempt, ...]]:
    """Converge as `converge` does, but to a start for the same molecule's next SCF.

    `title` says what this one is ("coarse grid"). PySCF's closing step, without DIIS, is left out.
    """
    mean_field = mean_field.copy()
    mean_field.conv_check = False
    last, attempts = _climb(mean_field, start, strategies, progress, f"{title}: ", keep)
    return Start(last.best_density, f"the {title}", last.memory), attempts


def _climb(
    mean_field: Any,
    start: Start | None,
    strategies: Sequence[Strategy],
    progress: Progress,
    title: str,
    keep: Callable[[Any, Any], None] | None,
) -> tuple[Attempt, tuple[ScfAttempt, ...]]:
    attempts: list[ScfAttempt] = []
    lowest = math.inf
    # A density from elsewhere may be a bad start; then the whole ladder begins at the guess.
    starts: list[tuple[Any, str, DiisMemory | None, Sequence[Strategy]]] = [(None, "", None, strategies)]
    if start is not None:
        starts.insert(0, (with_spins(mean_field, start.density), f" from {start.source}", start.memory, strategies[:1]))
    for density, source, memory, rungs in starts:
        for strategy in rungs:
            name = f"{title}{strategy.name}{source}"
            if attempts:
                progress(f"SCF: {attempts[-1].strategy} {attempts[-1].message}; now {name}")
            attempt = Attempt(mean_field, strategy, lambda line: progress(f"{title}{line}"), name, keep, memory)
            attempts.append(attempt.go(density))
            if attempts[-1].converged and strategy.gives_number:
                return attempt, tuple(attempts)
            if attempt.astray:  # nothing was learned: the next begins where this one did
                continue
            # Smeared densities are wanted for what they are; of the others the lowest is nearest to the minimum.
            if attempt.best_density is not None and (strategy.smearing is not None or attempt.best_energy <= lowest):
                density = attempt.best_density
            if strategy.smearing is None:
                lowest = min(lowest, attempt.best_energy)
    cycles = sum(attempt.cycles or 0 for attempt in attempts)
    raise ConvergenceError(
        f"the SCF did not converge in {len(attempts)} attempts, {cycles} cycles{_hint(mean_field, attempts)}",
        history=[attempt.model_dump(mode="json") for attempt in attempts],
    )


def _hint(mean_field: Any, attempts: Sequence[ScfAttempt]) -> str:
    if not any(attempt.message == NOT_AUFBAU for attempt in attempts):
        return ""
    parted = "" if mean_field.istype("UHF") else "unrestricted = true (a singlet of parted spins), "
    return (
        "; every state with whole electrons in its orbitals has an empty one below an occupied one: try "
        f"{parted}another multiplicity, or electronic_temperature_k"
    )
