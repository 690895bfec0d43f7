"""Test whether a converged SCF is a minimum of the energy, and follow it down where it is not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from qcdriver.engines.pyscf.device_arrays import beside, host
from qcdriver.engines.pyscf.lower_state import lower_orbitals, parted_orbitals
from qcdriver.engines.pyscf.scf_ladder import Start, converge
from qcdriver.engines.pyscf.scf_strategies import Strategy
from qcdriver.errors import ConvergenceError

if TYPE_CHECKING:
    from collections.abc import Callable

    from qcdriver.engines.base import Progress
    from qcdriver.models.outcomes import ScfAttempt

MAX_DESCENTS = 5
"""States followed downhill before the search is given up; one or two are usual."""
DOWNHILL = (Strategy("second order, down", second_order=True, gives_number=True),)
"""DIIS would climb back; second order only goes down."""


def descend(
    mean_field: Any, with_parted_spins: Callable[[], Any], progress: Progress
) -> tuple[Any, tuple[ScfAttempt, ...], bool]:
    """Follow instabilities to a stable state: within closed or open shells, then from a closed shell to parted spins.

    The eigenvalues are those of the orbital Hessian (doi:10.1063/1.434318). The multiplicity stays what it is.

    Parameters
    ----------
    mean_field
        A converged RKS or UKS object.
    with_parted_spins
        Sets up UKS of the same molecule and level; asked only for a closed shell that is stable as one.

    Returns
    -------
    The lowest state found, the attempts on the way down, and whether it is stable.
    """
    mean_field, attempts, stable = _descend_inside(mean_field, progress)
    if not stable or mean_field.istype("UHF"):
        return mean_field, attempts, stable
    progress("stability analysis: parted spins")
    found = parted_orbitals(mean_field, with_parted_spins)
    if found is None:
        return mean_field, attempts, True
    progress("the closed shell is not stable: parting its spins")
    parted, orbitals = found
    occupations = beside(np.array([host(mean_field.mo_occ) / 2] * 2), mean_field.mo_coeff)
    start = Start(parted.make_rdm1(orbitals, occupations), "an unstable closed shell")
    lower, more = _lower(mean_field, parted, start, progress)
    if lower is None:
        return mean_field, attempts + more, False
    lowest, last, stable = _descend_inside(lower, progress)
    return lowest, attempts + more + last, stable


def _descend_inside(mean_field: Any, progress: Progress) -> tuple[Any, tuple[ScfAttempt, ...], bool]:
    attempts: tuple[ScfAttempt, ...] = ()
    for _ in range(MAX_DESCENTS):
        progress("stability analysis")
        orbitals = lower_orbitals(mean_field)
        if orbitals is None:
            return mean_field, attempts, True
        progress("the state is not stable: following it down")
        start = Start(mean_field.make_rdm1(orbitals, mean_field.mo_occ), "an unstable state")
        lower, more = _lower(mean_field, mean_field, start, progress)
        attempts += more
        if lower is None:
            return mean_field, attempts, False
        mean_field = lower
    return mean_field, attempts, False


def _lower(
    unstable: Any, mean_field: Any, start: Start, progress: Progress
) -> tuple[Any | None, tuple[ScfAttempt, ...]]:
    """Converge from a start downhill; returns None in place of a state that is not lower than the unstable one."""
    try:
        found, attempts = converge(mean_field, start, DOWNHILL, progress)
    except ConvergenceError:
        return None, ()
    return (found if found.e_tot < unstable.e_tot - unstable.conv_tol else None), attempts
