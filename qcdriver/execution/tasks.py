"""A task becomes its outcome: a model, a point, a relaxed structure, a path, wavenumbers. Runs inside a worker."""

from __future__ import annotations

from qcdriver import engines
from qcdriver.engines import Progress
from qcdriver.relaxation.band import find_path
from qcdriver.relaxation.relax import relax
from qcdriver.relaxation.saddle import find_saddle
from qcdriver.relaxation.vibrations import vibrations
from qcdriver.schema import (
    Band,
    Build,
    Built,
    Frequencies,
    PathSearch,
    Relaxation,
    Relaxed,
    Resources,
    Result,
    SaddleSearch,
    Task,
    Vibrations,
)
from qcdriver.structures.builders import build


def execute(task: Task, resources: Resources, progress: Progress) -> Built | Result | Relaxed | Band | Frequencies:
    """Compute one task.

    Raises
    ------
    QcdriverError
        As the builder, the engine or the relaxation raises it.
    """
    if isinstance(task, Build):
        return Built(molecule=build(task))
    engine = engines.find(task.level.engine)
    if isinstance(task, PathSearch):
        return find_path(task, lambda: engine.prepare(task.molecule, task.level, resources, progress), progress)
    calculation = engine.prepare(task.molecule, task.level, resources, progress)
    if isinstance(task, Relaxation):
        relaxed = relax(
            task.molecule,
            calculation,
            task.convergence,
            frozen_atoms=task.frozen_atoms,
            targets=task.targets,
            progress=progress,
        )
        # A third of the record's size, and nothing of it is news: `max_force` says what is left of it.
        return relaxed.model_copy(update={"result": relaxed.result.model_copy(update={"gradient": None})})
    if isinstance(task, SaddleSearch):
        return find_saddle(task, calculation, progress)
    if isinstance(task, Vibrations):
        return vibrations(task, calculation, progress)
    return calculation.compute(task.molecule.geometry, task.driver)
