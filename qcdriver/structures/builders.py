"""The registry of model builders: a `Build` task in, the molecule it describes out."""

from __future__ import annotations

from collections.abc import Callable

from pydantic import JsonValue

from qcdriver.errors import InputError
from qcdriver.schema import Build, Molecule
from qcdriver.structures.au13ag12 import RodModel, build_rod
from qcdriver.structures.cu14 import Cu14Model, build_cu14


def _rod(settings: dict[str, JsonValue], start: int, seed: int) -> Molecule:
    return build_rod(RodModel.model_validate(settings), start=start, seed=seed)


def _cu14(settings: dict[str, JsonValue], start: int, seed: int) -> Molecule:
    return build_cu14(Cu14Model.model_validate(settings), start=start, seed=seed)


BUILDERS: dict[str, Callable[[dict[str, JsonValue], int, int], Molecule]] = {"au13ag12": _rod, "cu14": _cu14}


def build(task: Build) -> Molecule:
    """Build the model of a task.

    Raises
    ------
    InputError
        There is no builder of that name, or it finds no placement without clashes.
    """
    try:
        builder = BUILDERS[task.source]
    except KeyError:
        raise InputError(f"no builder named {task.source!r}; there are {', '.join(BUILDERS)}") from None
    return builder(task.settings, task.start, task.seed)
