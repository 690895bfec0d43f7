"""A geometry near a saddle and the way up in, the saddle out: uphill along one direction, downhill in all others.

The gradient is turned round along the direction, as in the dimer method (doi:10.1063/1.480097): so a saddle is what a
minimum was, and the quasi-Newton steps of `quasi_newton` lead there. A band moves all its images, and still stops short
where the way up is flat; this moves one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from qcdriver.errors import ConvergenceError
from qcdriver.relaxation.internal_coordinates import InternalCoordinates
from qcdriver.relaxation.quasi_newton import Frame, QuasiNewton, bounded_step, longest
from qcdriver.schema import Relaxed

if TYPE_CHECKING:
    from qcdriver.engines.base import Calculation, Progress
    from qcdriver.schema import Result, SaddleSearch

_TRUST_FIRST, _TRUST_MIN, _TRUST_MAX = 0.1, 0.01, 0.3
"""How far any atom may go in one step, bohr."""


@dataclass(frozen=True)
class _Point:
    """An evaluated geometry; `turned` is the gradient with its part along the way up turned round, (3 natoms,)."""

    frame: Frame
    result: Result
    turned: np.ndarray
    max_force: float


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
    up = task.along.ravel() / np.linalg.norm(task.along)
    internals, model, free = InternalCoordinates(task.molecule), QuasiNewton(), np.arange(up.size)

    def evaluated(geometry: np.ndarray) -> _Point:
        result = calculation.compute(geometry, "gradient")
        assert result.gradient is not None
        gradient = result.gradient.ravel()
        turned = gradient - 2 * (gradient @ up) * up
        return _Point(Frame(internals, geometry, free), result, turned, float(np.abs(gradient).max()))

    points = [evaluated(task.molecule.geometry)]
    trust = _TRUST_FIRST
    while not _converged(points, task):
        here = points[-1]
        progress(f"step {len(points) - 1}  {here.result.energy:.6f}  force {here.max_force:.1e}")
        if len(points) > task.convergence.max_steps:
            raise _unconverged(points, task)
        step = bounded_step(model.hessian(here.frame), here.turned, np.zeros((0, up.size)), trust)
        there = evaluated(here.frame.moved(step))
        model.learn(here.frame, there.frame, here.turned, there.turned)
        # No energy falls on the way to a saddle: forces say how good a step was.
        better = np.linalg.norm(there.turned) < np.linalg.norm(here.turned)
        trust = min(1.5 * trust, _TRUST_MAX) if better else max(0.5 * longest(step), _TRUST_MIN)
        points.append(there)
    last = points[-1]
    return Relaxed(
        molecule=task.molecule.moved(last.frame.geometry),
        result=last.result.model_copy(update={"gradient": None}),
        energies=tuple(each.result.energy for each in points),
        n_gradients=len(points),
        max_force=last.max_force,
    )


def _converged(points: list[_Point], task: SaddleSearch) -> bool:
    if len(points) < 2 or points[-1].max_force > task.convergence.max_force:
        return False
    return abs(points[-1].result.energy - points[-2].result.energy) <= task.convergence.energy_change


def _unconverged(points: list[_Point], task: SaddleSearch) -> ConvergenceError:
    history: list[dict[str, object]] = [{"energy": each.result.energy, "max_force": each.max_force} for each in points]
    return ConvergenceError(
        f"saddle: not converged in {task.convergence.max_steps} steps; the largest force is "
        f"{points[-1].max_force:.1e} hartree/bohr, {task.convergence.max_force:.1e} was wanted",
        history,
    )
