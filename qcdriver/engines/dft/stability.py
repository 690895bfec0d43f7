"""Whether a converged SCF is a minimum: a mean field in, the same or a lower one out, and if that is stable."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qcdriver.engines.dft.device_arrays import beside
from qcdriver.engines.dft.scf_ladder import Start, converge
from qcdriver.engines.dft.scf_strategies import Strategy
from qcdriver.errors import ConvergenceError

if TYPE_CHECKING:
    from qcdriver.engines.base import Progress
    from qcdriver.schema import ScfAttempt

MAX_DESCENTS = 5
"""States followed downhill before the search is given up; one or two are usual."""
DOWNHILL = (Strategy("second order, down", second_order=True, gives_number=True),)
"""DIIS would climb back; second order only goes down."""


def descend(mean_field: Any, progress: Progress) -> tuple[Any, tuple[ScfAttempt, ...], bool]:
    """Follow internal instabilities (restricted to restricted, unrestricted to unrestricted) to a stable state.

    The eigenvalues are those of the orbital Hessian (doi:10.1063/1.434318); external instabilities, which break spin
    symmetry, are not looked for: they are another multiplicity's or another method's business.

    Returns
    -------
    The lowest state found, the attempts on the way down, and whether it is stable.
    """
    attempts: tuple[ScfAttempt, ...] = ()
    for _ in range(MAX_DESCENTS):
        progress("stability analysis")
        on_cpu = mean_field.to_cpu() if hasattr(mean_field, "to_cpu") else mean_field  # gpu4pyscf has no analysis
        orbitals, _, stable, _ = on_cpu.stability(return_status=True)
        if stable:
            return mean_field, attempts, True
        progress("the state is not stable: following it down")
        try:
            orbitals = beside(orbitals, mean_field.mo_coeff)
            start = Start(mean_field.make_rdm1(orbitals, mean_field.mo_occ), "an unstable state")
            lower, more = converge(mean_field, start, DOWNHILL, progress)
        except ConvergenceError:
            return mean_field, attempts, False
        attempts += more
        if lower.e_tot > mean_field.e_tot - mean_field.conv_tol:
            return mean_field, attempts, False
        mean_field = lower
    return mean_field, attempts, False
