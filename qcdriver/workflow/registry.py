"""The stages of a run, in order: each is one line here, or an entry point of another package."""

from __future__ import annotations

from typing import Any

from qcdriver.plugins import with_plugins
from qcdriver.workflow.base import Stage
from qcdriver.workflow.interconversion import Interconversion
from qcdriver.workflow.mirror import Mirror
from qcdriver.workflow.prescreen.stage import Prescreen
from qcdriver.workflow.refine.stage import Refinement
from qcdriver.workflow.scan.stage import Scan
from qcdriver.workflow.sensitivity.stage import FurtherLevels
from qcdriver.workflow.single_points import SinglePoints
from qcdriver.workflow.spectrum.stage import ExcitedSinglets
from qcdriver.workflow.stationary.stage import Stationary
from qcdriver.workflow.thermochemistry.stage import FreeEnergies

STAGES: tuple[Stage[Any], ...] = (
    Prescreen(),
    Scan(),
    Stationary(),
    Interconversion(),
    Refinement(),
    SinglePoints(),
    FurtherLevels(),
    Mirror(),
    FreeEnergies(),
    ExcitedSinglets(),
)


def stages() -> tuple[Stage[Any], ...]:
    """Return all stages in order, those of plugins last.

    Raises
    ------
    InputError, MissingError
        A plugin is broken.
    """
    return tuple(with_plugins(STAGES, "qcdriver.stages", Stage).values())
