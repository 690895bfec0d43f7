"""Gradients at the geometries so far in, a quadratic model of the energy around the last one and its step out.

The model is quasi-Newton in redundant internal coordinates: what one gradient difference taught about a bond or a
ligand's rotation stays true when the ligand has turned, which it would not in Cartesian coordinates. Each pair of
displacement and gradient difference is kept in internal coordinates, brought to the geometry at hand, and put on top
of the model Hessian of that geometry by BFGS. Vectors are over the free atoms' Cartesian coordinates, flat, bohr.

The model Hessian is sparse, because far atoms share no internal coordinate, and 30 updates are 60 columns beside it. So
nothing here takes the cube of the number of atoms, which a force field's gradient does not either.
"""

from __future__ import annotations

from collections import deque
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from scipy.sparse import csc_array

    from qcdriver.optimize.internal_coordinates import InternalCoordinates

MEMORY = 30
"""Gradient differences kept."""
_SOFTEST = 0.1
"""A curvature along a step counts as at least this part of the model Hessian's: the model stays convex."""
_STIFFEST = 5.0
"""hartree/bohr^2, beyond any bond: a gradient difference that says so crossed a collision and teaches nothing."""
_CURVING_STEPS = 4
_CURVED = 1e-4
"""bohr; an internal coordinate step that is met so closely is met."""
_FIRST_SHIFT = 1e-3


class Frame:
    """The internal coordinates at one geometry, and the model Hessian there.

    Attributes
    ----------
    geometry
        (natoms, 3).
    hessian
        The model Hessian over the free coordinates, (nfree, nfree), sparse, positive definite.
    n_internals
        How many internal coordinates there are.
    """

    def __init__(self, internals: InternalCoordinates, geometry: np.ndarray, free: np.ndarray) -> None:
        from scipy.sparse import csc_array, diags_array

        self.geometry = geometry
        self._internals, self._free = internals, free
        self._values, derivatives, self._constants = internals.measure(geometry)
        self.n_internals = len(self._values)
        self._derivatives = derivatives[:, free]
        self.hessian = csc_array(self._derivatives.T @ diags_array(self._constants) @ self._derivatives)

    @cached_property
    def yielding(self) -> Callable[[np.ndarray], np.ndarray]:
        """How forces, (nfree,) or (nfree, m), displace the atoms by the model Hessian."""
        return _solver(self.hessian)

    def internal_gradient(self, gradient: np.ndarray) -> np.ndarray:
        """Give the gradient by the internal coordinates whose Cartesian image is `gradient` exactly.

        They are redundant; of all such gradients it is the one of least weight by the force constants.
        """
        internal: np.ndarray = self._constants * (self._derivatives @ self.yielding(gradient))
        return internal

    def internal_step(self, step: np.ndarray) -> np.ndarray:
        """Give the internal coordinates' change along a step of the free coordinates, to first order."""
        change: np.ndarray = self._derivatives @ step
        return change

    def difference(self, other: Frame) -> np.ndarray:
        """Give the internal coordinates here less those of `other`."""
        return self._internals.difference(self._values, other._values)

    def images(self, displacements: np.ndarray, changes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Bring m internal displacements and gradient differences, (n, m) each, to the free coordinates: (nfree, m)."""
        return self._displaced(displacements), self._derivatives.T @ changes

    def moved(self, step: np.ndarray) -> np.ndarray:
        """Take a step along the internal coordinates, so that a ligand turns and keeps its bonds: (natoms, 3)."""
        wanted = self._derivatives @ step
        straight = self.geometry.flatten()
        straight[self._free] += step
        curved = straight.copy()
        for _ in range(_CURVING_STEPS):
            values, _, _ = self._internals.measure(curved.reshape(-1, 3))
            correction = self._displaced(wanted - self._internals.difference(values, self._values))
            length = longest(correction)
            if length > longest(step):  # no geometry has such internal coordinates
                return straight.reshape(-1, 3)
            curved[self._free] += correction
            if length < _CURVED:
                break
        return curved.reshape(-1, 3)

    def _displaced(self, displacement: np.ndarray) -> np.ndarray:
        return self.yielding(self._derivatives.T @ (self._constants * displacement.T).T)


class QuasiNewton:
    """What the gradient differences so far say about the Hessian."""

    def __init__(self) -> None:
        self._taught: list[tuple[np.ndarray, np.ndarray]] = []
        self._pairs: deque[tuple[np.ndarray, np.ndarray]] = deque(maxlen=MEMORY)

    def teach(self, frame: Frame, hessian: np.ndarray) -> None:
        """Begin with a Hessian known at one geometry, (nfree, nfree).

        It is remembered as the gradient differences along its eigenvectors would be, for good. These are conjugate, so
        that at its own geometry all of them together make the model the Hessian itself, where that is convex.
        """
        for vector, change in zip(*_along_eigenvectors(hessian), strict=True):
            self._taught.append((frame.internal_step(vector), frame.internal_gradient(change)))

    def learn(self, before: Frame, after: Frame, gradient_before: np.ndarray, gradient_after: np.ndarray) -> None:
        """Remember a gradient difference; gradients over the free coordinates, hartree/bohr."""
        change = after.internal_gradient(gradient_after) - before.internal_gradient(gradient_before)
        self._pairs.append((after.difference(before), change))

    @property
    def pairs(self) -> np.ndarray:
        """All that it remembers, for `remember`: (npairs, 2, n) over the n internal coordinates, the oldest first."""
        return np.array(self._pairs) if self._pairs else np.zeros((0, 2, 0))

    def remember(self, pairs: np.ndarray) -> None:
        """Take over what another model has learnt."""
        self._pairs.extend((step, change) for step, change in pairs)

    def images(self, frame: Frame) -> tuple[np.ndarray, np.ndarray]:
        """Bring all displacements and gradient differences to a geometry, (npairs, nfree) both, the oldest first."""
        known = (*self._taught, *self._pairs)
        if not known:
            nothing = np.zeros((0, frame.hessian.shape[0]))
            return nothing, nothing
        displacements, changes = (np.array(column).T for column in zip(*known, strict=True))
        steps, differences = frame.images(displacements, changes)
        return steps.T, differences.T

    def model(self, frame: Frame) -> Quadratic:
        """Give the model of the energy at a geometry; its Hessian is positive definite."""
        steps, changes = self.images(frame)
        modelled = (frame.hessian @ steps.T).T
        columns = np.empty((2 * len(steps), frame.hessian.shape[0]))
        signs = np.empty(2 * len(steps))
        count = 0
        for step, change, stiff in zip(steps, changes, modelled, strict=True):
            lack = _SOFTEST * (step @ stiff) - step @ change
            if lack > 0:
                change = change + lack / (step @ stiff) * stiff
            if change @ change > _STIFFEST * (step @ change):
                continue
            bent = stiff + (signs[:count] * (columns[:count] @ step)) @ columns[:count]
            columns[count], signs[count] = change / np.sqrt(step @ change), 1.0
            columns[count + 1], signs[count + 1] = bent / np.sqrt(step @ bent), -1.0
            count += 2
        return Quadratic(frame.hessian, columns[:count], signs[:count])


class Quadratic:
    """A Hessian that is a sparse matrix and a few columns: base + sum of sign * column column^T, positive definite.

    Parameters
    ----------
    base
        (nfree, nfree), sparse, positive definite.
    columns, signs
        (m, nfree) and (m,); signs are 1 or -1.
    """

    def __init__(self, base: csc_array, columns: np.ndarray, signs: np.ndarray) -> None:
        self._base, self._columns, self._signs = base, columns, signs

    def product(self, step: np.ndarray) -> np.ndarray:
        """Multiply the Hessian by a step, (nfree,)."""
        whole: np.ndarray = self._base @ step + (self._signs * (self._columns @ step)) @ self._columns
        return whole

    def solver(self, shift: float) -> Callable[[np.ndarray], np.ndarray]:
        """Give what solves (Hessian + shift) x = f for x, (nfree,) or (nfree, m), by Woodbury's identity."""
        from scipy.sparse import eye_array

        base = _solver(self._base + shift * eye_array(self._base.shape[0], format="csc") if shift else self._base)
        if not len(self._signs):
            return base
        give = base(self._columns.T)
        capacitance = np.diag(self._signs) + self._columns @ give

        def solve(forces: np.ndarray) -> np.ndarray:
            at_base = base(forces)
            whole: np.ndarray = at_base - give @ np.linalg.solve(capacitance, self._columns @ at_base)
            return whole

        return solve


def _along_eigenvectors(hessian: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give the eigenvectors as rows, and the gradient differences along them."""
    values, vectors = np.linalg.eigh(hessian)
    return vectors.T, (values * vectors).T


def bounded_step(model: Quadratic, gradient: np.ndarray, slopes: np.ndarray, trust: float) -> np.ndarray:
    """Go to the minimum of a quadratic model, (nfree,), no atom by more than about `trust` (bohr).

    Parameters
    ----------
    model, gradient
        A shift of the model's Hessian shortens the step (Levenberg and Marquardt).
    slopes
        The step leaves what these are the gradients of as it is, to first order; (nheld, nfree).
    trust
        Exceeded by at most a tenth.
    """
    shift = 0.0
    while True:
        solve = model.solver(shift)
        step = -solve(gradient)
        if len(slopes):
            give = solve(slopes.T)
            step -= give @ np.linalg.lstsq(slopes @ give, slopes @ step, rcond=None)[0]
        excess = longest(step) / trust
        if excess <= 1.1:
            return step
        shift = max(_FIRST_SHIFT, shift * min(4.0, max(1.3, excess)))


def longest(step: np.ndarray) -> float:
    """Tell by how much the atom moves that moves most."""
    return float(np.linalg.norm(step.reshape(-1, 3), axis=1).max())


def _solver(matrix: csc_array) -> Callable[[np.ndarray], np.ndarray]:
    """Factorise a sparse, symmetric, positive definite matrix; the factor solves for (n,) or (n, m)."""
    from scipy.sparse.linalg import splu

    # Pivots on the diagonal, as such a matrix allows, keep the factors sparse.
    factor = splu(matrix, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True})
    solve: Callable[[np.ndarray], np.ndarray] = factor.solve
    return solve
