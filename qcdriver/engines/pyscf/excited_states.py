"""Excited singlets of a converged closed shell by linear response, TDA or full TDDFT, on the CPU and the GPU.

PySCF's eigensolver begins with as many orbital pairs as states are wanted, and then misses states: of formaldehyde's
three lowest by PBE0 it gives the fourth for the third, 0.7 eV off, and calls it converged. So it begins with
`LEAST_GUESSES` pairs of orbitals here, and looks for `SPARE_STATES` more, which are not shown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from qcdriver.engines.pyscf.adapter import apply_in_pieces
from qcdriver.engines.pyscf.device_arrays import beside, host
from qcdriver.engines.pyscf.excitation_needs import (
    SPARE_STATES,
    VECTORS_AT_ONCE,
    n_guesses,
    subspace_mb,
)
from qcdriver.errors import ConvergenceError
from qcdriver.models.excitations import ExcitedState, OrbitalPair
from qcdriver.models.outcomes import StateWarning, WarningCode
from qcdriver.units import EV

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qcdriver.engines.base import Progress
    from qcdriver.engines.pyscf.keywords import PyscfKeywords
    from qcdriver.models.excitations import ExcitationRequest

SHOWN_WEIGHT = 0.05
"""Orbital pairs of a smaller weight are left out, but for the largest of a state."""
SHOWN_PAIRS = 6
MORE = 1.5
"""By how much the number of states grows where the highest lies below the energy that is asked for."""
ZERO = 1e-4
"""Hartree, below which an excitation energy is none: the ground state is not the lowest."""
UNSTABLE = (
    "the ground state is not stable: full TDDFT has no real excitation energies; stability = true looks for the "
    "lower state, approximation = 'tda' does without"
)


class Found:
    """What the eigensolver gave: energies (hartree, rising), which of them converged, X and Y of each (nocc, nvir)."""

    def __init__(self, method: Any) -> None:
        energies = np.asarray(host(method.e), dtype=float)
        order = np.argsort(np.where(np.isfinite(energies), energies, -np.inf), kind="stable")
        self.energies = energies[order]
        self.converged = np.asarray(host(method.converged), dtype=bool)[: len(order)][order]
        self.amplitudes = [method.xy[index] for index in order]
        self.strengths = np.full(len(order), np.nan)
        self.dipoles = np.full((len(order), 3), np.nan)
        real = np.isfinite(self.energies)
        if real.any():
            kept = [amplitudes for amplitudes, is_real in zip(self.amplitudes, real, strict=True) if is_real]
            self.dipoles[real] = host(method.transition_dipole(xy=kept))
            self.strengths[real] = host(method.oscillator_strength(e=self.energies[real], xy=kept))


def excited_states(
    mean_field: Any, keywords: PyscfKeywords, request: ExcitationRequest, progress: Progress
) -> tuple[tuple[ExcitedState, ...], int, tuple[StateWarning, ...]]:
    """Compute the excited singlets of a converged RKS object.

    Returns
    -------
    The states that converged, how many did not, and what there is to doubt: a state below the ground state.

    Raises
    ------
    ConvergenceError
        None converged, the ground state is not stable, or there are too many below the energy that is asked for.
    """
    found, wanted = _solved(mean_field, keywords, request, progress)
    converged = found.converged[:wanted]
    positive = found.energies[:wanted] > ZERO  # false of NaN, the root of a negative square
    shown = np.flatnonzero(converged & positive)
    if not shown.size:
        raise ConvergenceError("no excited state above the ground state converged")
    populations = _Populations(mean_field)
    states = tuple(_state(found, int(index), populations) for index in shown)
    return states, int((~converged).sum()), _doubts(found.energies[:wanted][converged])


def _solved(
    mean_field: Any, keywords: PyscfKeywords, request: ExcitationRequest, progress: Progress
) -> tuple[Found, int]:
    """Return the states and how many of them are wanted, the lowest ones."""
    gaps = _gaps(mean_field)
    count = request.n_states or max(1, int((gaps < (request.up_to or 0.0)).sum()))
    while True:
        count = min(count, len(gaps))
        if request.up_to is not None and count > request.max_states:
            raise ConvergenceError(
                f"more than max_states = {request.max_states} states may lie below {request.up_to * EV:g} eV: a lower "
                "energy, or a larger max_states"
            )
        progress(f"excited states: {count}")
        found = _lowest(mean_field, keywords, request, count, progress)
        if request.up_to is None:
            return found, count
        below = int((~(found.energies > request.up_to)).sum())
        if below < len(found.energies) or len(found.energies) >= len(gaps):
            return found, max(1, below)
        count = max(count + 1, int(MORE * count))


def _lowest(
    mean_field: Any, keywords: PyscfKeywords, request: ExcitationRequest, count: int, progress: Progress
) -> Found:
    method = _response(mean_field, keywords, request)
    gaps = _gaps(mean_field)
    method.nstates = min(count + SPARE_STATES, len(gaps))
    method.conv_tol = request.max_residual
    method.positive_eig_threshold = -np.inf  # else states below the ground state are left out and nothing is said
    width = apply_in_pieces(method, VECTORS_AT_ONCE, progress)
    method.max_memory = subspace_mb(len(gaps), method.nstates, width > len(gaps))
    guess = _pairs_of_small_gaps(gaps, n_guesses(method.nstates), width)
    with np.errstate(invalid="ignore"):  # the root of a negative square is told below
        try:
            method.kernel(x0=beside(guess, mean_field.mo_coeff))
        except (RuntimeError, np.linalg.LinAlgError) as error:
            raise ConvergenceError(f"{UNSTABLE} ({error})") from None
        return Found(method)


def _response(mean_field: Any, keywords: PyscfKeywords, request: ExcitationRequest) -> Any:
    """Set up the response; that of a solvent is of its electrons alone, whose permittivity is n squared.

    The nuclei of the solvent stay as the ground state has them: the excitation is too fast for them
    (doi:10.1063/1.1394921). PySCF itself has water's n for every solvent.
    """
    method = mean_field.TDA() if request.approximation == "tda" else mean_field.TDDFT()
    if keywords.solvent is not None:
        from pyscf.solvent.smd import solvent_db

        method.with_solvent.eps = solvent_db[keywords.solvent][0] ** 2
        method.with_solvent.build()
    return method


def _gaps(mean_field: Any) -> np.ndarray:
    """Return the gaps of all orbital pairs, (nocc * nvir,), hartree, as PySCF orders them."""
    energies, occupations = host(mean_field.mo_energy), host(mean_field.mo_occ)
    gaps: np.ndarray = (energies[occupations == 0] - energies[occupations == 2][:, None]).ravel()
    return gaps


def _pairs_of_small_gaps(gaps: np.ndarray, count: int, width: int) -> np.ndarray:
    """Return the orbital pairs of the smallest gaps as vectors, (count, width); what is wider than the pairs is 0."""
    lowest = np.argsort(gaps, kind="stable")[:count]
    vectors = np.zeros((len(lowest), width))
    vectors[np.arange(len(lowest)), lowest] = 1.0
    return vectors


def _state(found: Found, index: int, populations: _Populations) -> ExcitedState:
    x, y = (np.asarray(host(part), dtype=float) for part in found.amplitudes[index])
    y = np.broadcast_to(y, x.shape)  # a plain 0 in the Tamm-Dancoff approximation
    return ExcitedState(
        energy=float(found.energies[index]),
        oscillator_strength=float(found.strengths[index]),
        transition_dipole=found.dipoles[index],
        pairs=tuple(_pairs(2 * (x**2 - y**2))),
        electrons_gained=populations.gained(x, y),
    )


def _pairs(weights: np.ndarray) -> Iterator[OrbitalPair]:
    """Give the orbital pairs of the largest weights, (nocc, nvir)."""
    n_occupied = len(weights)
    for rank, flat in enumerate(np.argsort(-weights, axis=None, kind="stable")[:SHOWN_PAIRS]):
        occupied, empty = np.unravel_index(flat, weights.shape)
        if rank and weights[occupied, empty] < SHOWN_WEIGHT:
            return
        yield OrbitalPair(
            occupied=n_occupied - 1 - int(occupied), empty=int(empty), weight=float(weights[occupied, empty])
        )


def _doubts(energies: np.ndarray) -> tuple[StateWarning, ...]:
    """Say where a converged excitation energy, hartree, is no positive number; not a number: it is imaginary."""
    below = energies[~(energies > ZERO)]
    if not below.size:
        return ()
    real = below[np.isfinite(below)]
    what = f"{real.min() * EV:.2f} eV above it" if real.size else "at an imaginary energy"
    words = f"the ground state is not the lowest: an excited singlet lies {what} (stability = true looks for it)"
    return (StateWarning(code=WarningCode.LOWER_STATE, sentence=words),)


class _Populations:
    """Loewdin's populations (doi:10.1063/1.1747632) of what an excitation takes from the atoms and brings them."""

    def __init__(self, mean_field: Any) -> None:
        mol, occupations = mean_field.mol, host(mean_field.mo_occ)
        values, vectors = np.linalg.eigh(mol.intor_symmetric("int1e_ovlp"))
        orthogonal = (vectors * np.sqrt(values.clip(0))) @ vectors.T @ host(mean_field.mo_coeff)
        self._occupied, self._empty = orthogonal[:, occupations == 2], orthogonal[:, occupations == 0]
        self._first = mol.aoslice_by_atom()[:, 2]

    def gained(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Return the electrons that each atom gains, (natoms,); in all it is none."""
        electron = sum(((self._empty @ part.T) ** 2).sum(axis=1) for part in (x, y))
        hole = sum(((self._occupied @ part) ** 2).sum(axis=1) for part in (x, y))
        gained: np.ndarray = np.add.reduceat(electron - hole, self._first) / ((x**2).sum() + (y**2).sum())
        return gained
