"""Settings -> the exact levels of theory a run uses on this machine, each choice said aloud."""

from __future__ import annotations

from collections.abc import Callable

from qcdriver import engines
from qcdriver.config.settings import DftSettings, PrescreenSettings, Settings
from qcdriver.engines.base import Device
from qcdriver.engines.checks import read_keywords
from qcdriver.engines.dft.keywords import PyscfKeywords
from qcdriver.engines.dft.memory_plan import fit_within
from qcdriver.errors import InputError, MissingError
from qcdriver.schema import Level, Model, Molecule


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


def settled(settings: Settings, molecule: Callable[[], Molecule]) -> Settings:
    """Put the choice between fitted and exact exchange in the place of `density_fit = "auto"`.

    It follows from the input and the molecule's composition alone, so that a run has one level on every machine and
    node: the memory is the least that the input allots to DFT.

    Raises
    ------
    InputError
        The input allots none.
    """
    dft, machine = settings.dft, settings.resources
    if dft is None or dft.keywords.get("density_fit") != "auto":
        return settings
    allotted = [machine.memory_mb, machine.dft.memory_mb and int(0.8 * machine.dft.memory_mb)]
    if not any(allotted):
        raise InputError(
            "dft.keywords.density_fit = 'auto' needs [resources] memory_mb, so that every machine chooses the same"
        )
    model = Model(method=dft.method, basis=dft.basis)
    keywords = read_keywords(dft.engine, PyscfKeywords, dft.keywords)
    fit = fit_within(molecule(), model, keywords, min(each for each in allotted if each))
    return settings.model_copy(
        update={"dft": dft.model_copy(update={"keywords": {**dft.keywords, "density_fit": fit}})}
    )


def dft_level(settings: DftSettings, device: Device) -> Level:
    """Give the DFT level on a device.

    Raises
    ------
    MissingError
        The engine is not installed.
    """
    model = Model(method=settings.method, basis=settings.basis)
    return engines.find(settings.engine).level(model, settings.keywords, device)
