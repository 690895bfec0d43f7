"""The levels at which the prescreen relaxes on this machine, each choice with a sentence that says it."""

from __future__ import annotations

from qcdriver import engines
from qcdriver.errors import MissingError
from qcdriver.models.level import Level, Model
from qcdriver.workflow.prescreen.settings import PrescreenSettings


def relaxation_level(settings: PrescreenSettings) -> tuple[Level, str]:
    """Return the level that ranks, and a sentence that says which program it is.

    "auto" takes the first engine of the registry that has the method and is installed: xtb, several times faster on
    large clusters than tblite. The two differ by 1e-4 hartree on a cluster, so the choice is part of every record's
    key.

    Raises
    ------
    MissingError
        The engine asked for is not installed.
    """
    engine = engines.choose(settings.engine, settings.method)
    level = engine.level(Model(method=settings.method), {**settings.keywords, **settings.medium})
    medium = "" if settings.solvent is None else f" in {settings.solvent}"
    return level, f"{settings.method}{medium} with {engine.name} {level.engine_version}"


def preoptimization_level(settings: PrescreenSettings) -> tuple[Level | None, str]:
    """Return the level of what comes before the first pass, or None, and a sentence that says so."""
    if settings.preoptimize == "none":
        return None, "no preoptimization (as the input asks)"
    if settings.preoptimize != "GFN-FF":
        then = ", then the ligands around the held core" if settings.preoptimize == "stepwise" else ""
        return relaxation_level(settings)[0], f"first the hydrogen atoms alone{then}"
    engine = engines.for_method(settings.preoptimize)[0]
    missing = engine.missing()
    if missing is not None or settings.engine not in ("auto", engine.name):
        if settings.engine == engine.name:
            raise MissingError(str(missing))
        return None, f"no preoptimization ({settings.preoptimize} needs the engine {engine.name})"
    level = engine.level(Model(method=settings.preoptimize), settings.medium)
    return level, f"{settings.preoptimize} around the held core"
