"""Settings -> the exact levels of theory a run uses on this machine, each choice said aloud."""

from __future__ import annotations

from qcdriver import engines
from qcdriver.config import DftSettings, PrescreenSettings
from qcdriver.engines.base import Device
from qcdriver.errors import MissingError
from qcdriver.schema import Level, Model


def relaxation_level(settings: PrescreenSettings) -> tuple[Level, str]:
    """Give the xTB level and a sentence that says which program it is.

    "auto" takes xtb (several times faster on large clusters) where it is installed, tblite elsewhere. The two differ
    by 1e-4 hartree on a cluster, so the choice is part of every record's key.

    Raises
    ------
    MissingError
        The engine asked for is not installed.
    """
    name = settings.engine
    if name == "auto":
        name = "xtb" if engines.find("xtb").missing() is None else "tblite"
    level = engines.find(name).level(Model(method=settings.method), settings.keywords)
    return level, f"{settings.method} with {name} {level.engine_version}"


def preoptimization_level(settings: PrescreenSettings) -> tuple[Level | None, str]:
    """Give the force field that settles the ligands first, or None, and a sentence that says so."""
    if settings.preoptimize == "none":
        return None, "no preoptimization (as the input asks)"
    missing = engines.find("xtb").missing()
    if missing is not None or settings.engine == "tblite":
        if settings.engine == "xtb":
            raise MissingError(str(missing))
        return None, f"no preoptimization ({settings.preoptimize} needs the engine xtb)"
    level = engines.find("xtb").level(Model(method=settings.preoptimize))
    return level, f"{settings.preoptimize} around the held core"


def dft_level(settings: DftSettings, device: Device) -> Level:
    """Give the DFT level on a device.

    Raises
    ------
    MissingError
        The engine is not installed.
    """
    model = Model(method=settings.method, basis=settings.basis)
    return engines.find(settings.engine).level(model, settings.keywords, device)
