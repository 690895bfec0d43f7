"""Walk from a geometry near a saddle to the saddle: uphill along one mode, downhill along all others.

The Hessian is a quasi-Newton model of the energy's own: the model Hessian of `internal_coordinates` made negative along
the way up, corrected by the gradients computed so far (the symmetric update of Bofill's family in which the weights are
those of TS-BFGS, doi:10.1021/acs.jctc.2c00395, with the model Hessian for the absolute one). Each step turns the
gradient round along the mode that is lowest compared with the model Hessian, where rigid motions are no lower than
bonds, and takes every curvature by its absolute value: so a saddle is what a minimum was. A band moves all its images,
and still stops short where the way up is flat; this moves one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from qcdriver.errors import ConvergenceError
from qcdriver.models.outcomes import Relaxed
from qcdriver.optimize.internal_coordinates import InternalCoordinates
from qcdriver.optimize.quasi_newton import Frame, Quadratic, QuasiNewton, bounded_step, longest

if TYPE_CHECKING:
    from qcdriver.engines.base import Calculation, Progress
    from qcdriver.models.outcomes import Result
    from qcdriver.models.tasks import SaddleSearch

_TRUST_FIRST, _TRUST_MIN, _TRUST_MAX = 0.1, 0.01, 0.3
"""How far any atom may go in one step, bohr."""
_DOWNWARD = 0.5
"""The curvature along the way up, before anything is known: this part of the model Hessian's, negative."""
_FLATTEST = 0.1
"""A curvature counts as at least this part of the model Hessian's."""


@dataclass(frozen=True)
class _Point:
    """An evaluated geometry; the gradient is flat, (3 natoms,)."""

    frame: Frame
    result: Result
    gradient: np.ndarray

    @property
    def max_force(self) -> float:
        return float(np.abs(self.gradient).max())


def find_saddle(task: SaddleSearch, calculation: Calculation, progress: Progress) -> Relaxed:
    """Walk to the saddle.

    Parameters
    ----------
    task
        Its direction must be near the only one in which the saddle is a maximum.
    progress
        Told a line at every step.

    Raises
    ------
    ConvergenceError
        Not converged within the steps allowed; its history is attached. That of an SCF passes through.
    """
    from scipy.linalg import eigh
    from scipy.sparse import csc_array

    internals, pairs, free = InternalCoordinates(task.molecule), QuasiNewton(), np.arange(task.molecule.geometry.size)

    def evaluated(geometry: np.ndarray) -> _Point:
        result = calculation.compute(geometry, "gradient")
        assert result.gradient is not None
        return _Point(Frame(internals, geometry, free), result, result.gradient.ravel())

    points = [evaluated(task.molecule.geometry)]
    up = task.along.ravel() / np.linalg.norm(task.along)
    trust = _TRUST_FIRST
    while not _converged(points, task):
        here = points[-1]
        progress(f"step {len(points) - 1}  {here.result.energy:.6f}  force {here.max_force:.1e}")
        if len(points) > task.convergence.max_steps:
            raise _unconverged(points, task)
        modelled = here.frame.hessian.toarray()
        curvatures, modes = eigh(_hessian(modelled, pairs.images(here.frame), up), modelled)
        up, duals = modes[:, 0], modelled @ modes
        turned = here.gradient - 2 * (here.gradient @ up) * duals[:, 0]
        convex = (duals * np.abs(curvatures).clip(min=_FLATTEST)) @ duals.T
        none = np.zeros((0, up.size))
        step = bounded_step(Quadratic(csc_array(convex), none, none[:, 0]), turned, none, trust)
        there = evaluated(here.frame.moved(step))
        pairs.learn(here.frame, there.frame, here.gradient, there.gradient)
        # No energy falls on the way to a saddle: forces say how good a step was.
        better = np.linalg.norm(there.gradient) < np.linalg.norm(here.gradient)
        trust = min(1.5 * trust, _TRUST_MAX) if better else max(0.5 * longest(step), _TRUST_MIN)
        points.append(there)
    last = points[-1]
    return Relaxed(
        molecule=task.molecule.moved(last.frame.geometry),
        result=last.result.model_copy(update={"gradient": None}),
        energies=tuple(point.result.energy for point in points),
        n_gradients=len(points),
        max_force=last.max_force,
    )


def _hessian(modelled: np.ndarray, pairs: tuple[np.ndarray, np.ndarray], up: np.ndarray) -> np.ndarray:
    """Model the energy's Hessian at a geometry, (n, n): negative along `up` unless gradients say otherwise."""
    lifted = modelled @ up
    hessian: np.ndarray = modelled - (1 + _DOWNWARD) / (up @ lifted) * np.outer(lifted, lifted)
    for step, change in zip(*pairs, strict=True):
        lack = change - hessian @ step
        stiff = modelled @ step
        weight = (step @ change) * change + (step @ stiff) * stiff
        weight /= weight @ step
        half = np.outer(lack - (lack @ step) / 2 * weight, weight)
        hessian += half + half.T
    return hessian


def _converged(points: list[_Point], task: SaddleSearch) -> bool:
    if len(points) < 2 or points[-1].max_force > task.convergence.max_force:
        return False
    return abs(points[-1].result.energy - points[-2].result.energy) <= task.convergence.energy_change


def _unconverged(points: list[_Point], task: SaddleSearch) -> ConvergenceError:
    history: list[dict[str, object]] = [
        {"energy": point.result.energy, "max_force": point.max_force} for point in points
    ]
    return ConvergenceError(
        f"saddle: not converged in {task.convergence.max_steps} steps; the largest force is "
        f"{points[-1].max_force:.1e} hartree/bohr, {task.convergence.max_force:.1e} was wanted",
        history,
    )
