"""A task becomes its outcome, from a model to a path, wavenumbers or excited states. Runs inside a worker."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from qcdriver import engines
from qcdriver.engines.base import Progress
from qcdriver.errors import ConvergenceError, EngineError, UnphysicalError
from qcdriver.models.level import Resources
from qcdriver.models.outcomes import Band, Built, ExcitedStates, Frequencies, Relaxed, Result
from qcdriver.models.tasks import Build, Excitations, PathSearch, Relaxation, SaddleSearch, Task, Vibrations
from qcdriver.optimize.band import find_path
from qcdriver.optimize.relax import relax
from qcdriver.optimize.saddle import find_saddle
from qcdriver.optimize.vibrations import derivatives, vibrations
from qcdriver.store.checkpoints import steps_file_of
from qcdriver.systems.registry import build

HESSIAN_STEP = 0.005
"""Of the differences that give the Hessian of a start, bohr; as of vibrations."""


def execute(
    task: Task, resources: Resources, progress: Progress
) -> Built | Result | Relaxed | Band | Frequencies | ExcitedStates:
    """Compute one task.

    Raises
    ------
    QcdriverError
        As the builder, the engine or the relaxation raises it.
    """
    if isinstance(task, Build):
        return Built(molecule=build(task))
    engine = engines.of(task.level)
    if isinstance(task, PathSearch):
        return find_path(task, lambda: engine.prepare(task.molecule, task.level, resources, progress), progress)
    if isinstance(task, Excitations):
        engines.check_excitations(task.molecule, task.level, task.request)
    calculation = engine.prepare(task.molecule, task.level, resources, progress)
    if isinstance(task, Relaxation):
        relaxed = relax(
            task.molecule,
            calculation,
            task.convergence,
            frozen_atoms=task.frozen_atoms,
            targets=task.targets,
            progress=progress,
            steps_file=None if resources.checkpoint is None else steps_file_of(Path(resources.checkpoint)),
            start_hessian=lambda: _start_hessian(task, resources, progress),
        )
        # Drop the gradient: it is a third of the record, and `max_force` already says how small it is.
        return relaxed.model_copy(update={"result": relaxed.result.model_copy(update={"gradient": None})})
    if isinstance(task, SaddleSearch):
        return find_saddle(task, calculation, progress)
    if isinstance(task, Vibrations):
        return vibrations(task, calculation, progress)
    if isinstance(task, Excitations):
        return calculation.excite(task.molecule.geometry, task.request)
    return calculation.compute(task.molecule.geometry, task.driver)


def _start_hessian(task: Relaxation, resources: Resources, progress: Progress) -> np.ndarray | None:
    """Compute the Hessian that a relaxation asks for; None where it asks for none, or the engine fails there."""
    if task.start_hessian is None:
        return None
    alone = resources.model_copy(update={"device": "cpu", "checkpoint": None, "start_from": None})
    moving = np.setdiff1d(np.arange(len(task.molecule.symbols)), np.array(task.frozen_atoms, dtype=int))
    told = engines.title(task.start_hessian)
    try:
        calculation = engines.of(task.start_hessian).prepare(task.molecule, task.start_hessian, alone, progress)
        geometry = task.molecule.geometry
        return derivatives(
            calculation, geometry, moving, HESSIAN_STEP, lambda line: progress(f"{told} Hessian: {line}")
        )[0]
    except (ConvergenceError, UnphysicalError, EngineError) as error:
        progress(f"begins with the model Hessian: {told} failed ({error})")
        return None
