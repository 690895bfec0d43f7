"""Gradients at the geometries so far in, a quadratic model of the energy around the last one and its step out.

The model is quasi-Newton in redundant internal coordinates: what one gradient difference taught about a bond or a
ligand's rotation stays true when the ligand has turned, which it would not in Cartesian coordinates. Each pair of
displacement and gradient difference is kept in internal coordinates, brought to the geometry at hand, and put on top
of the model Hessian of that geometry by BFGS. Vectors are over the free atoms' Cartesian coordinates, flat, bohr.
"""

from __future__ import annotations

from collections import deque
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qcdriver.optimize.internal_coordinates import InternalCoordinates

MEMORY = 30
"""Gradient differences kept."""
_SOFTEST = 0.1
"""A curvature along a step counts as at least this part of the model Hessian's: the model stays convex."""
_STIFFEST = 5.0
"""hartree/bohr^2, beyond any bond: a gradient difference that says so crossed a collision and teaches nothing."""
_CURVING_STEPS = 4
_FIRST_SHIFT = 1e-3


class Frame:
    """The internal coordinates at one geometry, and the model Hessian there.

    Attributes
    ----------
    geometry
        (natoms, 3).
    hessian
        The model Hessian over the free coordinates, positive definite.
    """

    def __init__(self, internals: InternalCoordinates, geometry: np.ndarray, free: np.ndarray) -> None:
        from scipy.sparse import diags_array

        self.geometry = geometry
        self._internals, self._free = internals, free
        self._values, derivatives, self._constants = internals.measure(geometry)
        self._derivatives = derivatives[:, free]
        self.hessian: np.ndarray = (self._derivatives.T @ diags_array(self._constants) @ self._derivatives).toarray()

    @cached_property
    def _factor(self) -> tuple[np.ndarray, bool]:
        from scipy.linalg import cho_factor

        factor: tuple[np.ndarray, bool] = cho_factor(self.hessian)
        return factor

    def yielding(self, forces: np.ndarray) -> np.ndarray:
        """Displace as forces do by the model Hessian: (nfree,) or (nfree, m)."""
        from scipy.linalg import cho_solve

        return np.asarray(cho_solve(self._factor, forces))

    def internal_gradient(self, gradient: np.ndarray) -> np.ndarray:
        """Give the gradient by the internal coordinates whose Cartesian image is `gradient` exactly.

        They are redundant; of all such gradients it is the one of least weight by the force constants.
        """
        internal: np.ndarray = self._constants * (self._derivatives @ self.yielding(gradient))
        return internal

    def difference(self, other: Frame) -> np.ndarray:
        """Give the internal coordinates here less those of `other`."""
        return self._internals.difference(self._values, other._values)

    def image(self, displacement: np.ndarray, change: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Bring an internal displacement and gradient difference, (n,) each, to the free coordinates here."""
        return self._displaced(displacement), self._derivatives.T @ change

    def moved(self, step: np.ndarray) -> np.ndarray:
        """Take a step along the internal coordinates, so that a ligand turns and keeps its bonds: (natoms, 3)."""
        wanted = self._derivatives @ step
        straight = self.geometry.flatten()
        straight[self._free] += step
        curved = straight.copy()
        for _ in range(_CURVING_STEPS):
            values, _, _ = self._internals.measure(curved.reshape(-1, 3))
            correction = self._displaced(wanted - self._internals.difference(values, self._values))
            if longest(correction) > longest(step):  # no geometry has such internal coordinates
                return straight.reshape(-1, 3)
            curved[self._free] += correction
        return curved.reshape(-1, 3)

    def _displaced(self, displacement: np.ndarray) -> np.ndarray:
        return self.yielding(self._derivatives.T @ (self._constants * displacement))


class QuasiNewton:
    """What the gradient differences so far say about the Hessian."""

    def __init__(self) -> None:
        self._pairs: deque[tuple[np.ndarray, np.ndarray]] = deque(maxlen=MEMORY)

    def learn(self, before: Frame, after: Frame, gradient_before: np.ndarray, gradient_after: np.ndarray) -> None:
        """Remember a gradient difference; gradients over the free coordinates, hartree/bohr."""
        change = after.internal_gradient(gradient_after) - before.internal_gradient(gradient_before)
        self._pairs.append((after.difference(before), change))

    def images(self, frame: Frame) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Bring every displacement and its gradient difference to a geometry, (nfree,) both, the oldest first."""
        for pair in self._pairs:
            yield frame.image(*pair)

    def hessian(self, frame: Frame) -> np.ndarray:
        """Give the Hessian at a geometry, (nfree, nfree), positive definite."""
        hessian = frame.hessian.copy()
        for step, change in self.images(frame):
            modelled = frame.hessian @ step
            lack = _SOFTEST * (step @ modelled) - step @ change
            if lack > 0:
                change = change + lack / (step @ modelled) * modelled
            if change @ change > _STIFFEST * (step @ change):
                continue
            bent = hessian @ step
            hessian += np.outer(change / (step @ change), change) - np.outer(bent / (step @ bent), bent)
        return hessian


def bounded_step(hessian: np.ndarray, gradient: np.ndarray, slopes: np.ndarray, trust: float) -> np.ndarray:
    """Go to the minimum of a quadratic model, (nfree,), no atom by more than about `trust` (bohr).

    Parameters
    ----------
    hessian, gradient
        The model; a shift of the Hessian shortens the step (Levenberg and Marquardt).
    slopes
        The step leaves what these are the gradients of as it is, to first order; (nheld, nfree).
    trust
        Exceeded by at most a tenth.
    """
    from scipy.linalg import cho_factor, cho_solve

    shift = 0.0
    while True:
        factor = cho_factor(hessian + shift * np.eye(len(hessian)))
        step: np.ndarray = -cho_solve(factor, gradient)
        if len(slopes):
            give = cho_solve(factor, slopes.T)
            step -= give @ np.linalg.lstsq(slopes @ give, slopes @ step, rcond=None)[0]
        excess = longest(step) / trust
        if excess <= 1.1:
            return step
        shift = max(_FIRST_SHIFT, shift * min(4.0, max(1.3, excess)))


def longest(step: np.ndarray) -> float:
    """Tell by how much the atom moves that moves most."""
    return float(np.linalg.norm(step.reshape(-1, 3), axis=1).max())
