"""The programs that compute energies and gradients, each behind the contract in `base`.

The registry is the dictionary `ENGINES`, in the order in which "auto" tries them; importing it loads no program.
Another package adds an engine of its own by an entry point in the group "qcdriver.engines" (`qcdriver.plugins`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from pydantic import AfterValidator

from qcdriver.engines.base import (
    LAYERS,
    AnyEngine,
    Calculation,
    Device,
    Driver,
    Engine,
    Needs,
    OrbitalForm,
    Progress,
    plain_title,
)
from qcdriver.engines.checks import choices, spelled
from qcdriver.engines.known_elsewhere import known_elsewhere
from qcdriver.engines.oniom.engine import OniomEngine
from qcdriver.engines.pyscf.engine import PyscfEngine
from qcdriver.engines.tblite import TbliteEngine
from qcdriver.engines.xtb import XtbEngine
from qcdriver.errors import InputError
from qcdriver.models.excitations import ExcitationRequest
from qcdriver.models.level import Level, Resources
from qcdriver.models.molecule import Molecule
from qcdriver.plugins import with_plugins

_OWN: tuple[AnyEngine, ...] = (
    XtbEngine(),
    TbliteEngine(),
    PyscfEngine(),
    OniomEngine(lambda name, method, basis: choose(name, method, basis)),
)
ENGINES = with_plugins(_OWN, "qcdriver.engines", Engine)


def find(name: str) -> AnyEngine:
    """Return the engine of that name.

    Raises
    ------
    InputError
        There is none; the message lists those that exist.
    """
    try:
        return ENGINES[name]
    except KeyError:
        raise InputError(f"no engine named {name!r}; there are {', '.join(ENGINES)}") from None


def of(level: Level) -> AnyEngine:
    """Return the engine of a level; of one that is made of others, with those of the level.

    Raises
    ------
    InputError
    """
    return find(level.engine).for_model(level.model, level.keywords)


def for_method(method: str) -> list[AnyEngine]:
    """List the engines that have a method by that name, in the order of the registry."""
    return [engine for engine in ENGINES.values() if spelled(method, engine.methods) in engine.methods]


def choose(name: str, method: str, basis: str | None = None) -> AnyEngine:
    """Return the engine that a name and a level of theory ask for.

    Parameters
    ----------
    name
        An engine; or "auto" for the first of the registry that has the method and is installed, and if none is, the
        last that has it.
    method, basis
        With a basis, "auto" means an engine of density functionals, whose list of methods is its program's own; a
        method of two layers ("PBE:GFN1-xTB") the one that is made of two engines.

    Raises
    ------
    InputError
        There is no such engine or method; the message lists what exists.
    """
    if name != "auto":
        return find(name)
    able = [engine for engine in ENGINES.values() if engine.offers(method, basis)]
    if not able:
        known = dict.fromkeys(known for engine in ENGINES.values() for known in engine.methods)
        where = " without a basis" if basis is None else ""
        raise InputError(f"no engine has {method!r}{where}; {_instead(method, known)}")
    return next((engine for engine in able if engine.missing() is None), able[-1])


def require_method(name: str, method: str) -> None:
    """Refuse a method that an engine ("auto": every engine) has not; one whose list is its own answers when it checks.

    Raises
    ------
    ValueError
        For a validator of settings; the message lists what exists.
    """
    asked = list(ENGINES.values()) if name == "auto" else [find(name)]
    known = list(dict.fromkeys(known for engine in asked for known in engine.methods))
    if known and spelled(method, known) not in known:
        raise ValueError(f"{name} has no method {method!r}; {_instead(method, known)}")


def _instead(method: str, known: Iterable[str]) -> str:
    """Say what there is in place of a method that no engine lists."""
    if (kind := known_elsewhere(method)) is not None:
        return f"it is {kind}"
    said = choices(method, known)
    return said if said.endswith("?") else f"{said}; density functionals and Hartree-Fock need a basis set, as in [dft]"


def check(molecule: Molecule, level: Level, driver: Driver = "energy") -> None:
    """Refuse what the engine of a level cannot compute, before any integral.

    Raises
    ------
    InputError
        One line: what is wrong and what exists instead.
    """
    engine = of(level)
    engine.check(molecule, level.model, engine.keywords(level.keywords), driver)


def estimate(molecule: Molecule, level: Level, resources: Resources) -> Needs:
    """Return what a calculation at a level will need; computes nothing.

    Raises
    ------
    InputError
    """
    engine = of(level)
    return engine.estimate(molecule, level.model, engine.keywords(level.keywords), resources)


def check_excitations(molecule: Molecule, level: Level, request: ExcitationRequest) -> None:
    """Refuse excited states that the engine of a level cannot compute, before any integral.

    Raises
    ------
    InputError
        One line: what is wrong and what exists instead.
    """
    engine = of(level)
    engine.check_excitations(molecule, level.model, engine.keywords(level.keywords), request)


def estimate_excitations(molecule: Molecule, level: Level, request: ExcitationRequest, resources: Resources) -> Needs:
    """Return what excited states at a level will need; computes nothing.

    Raises
    ------
    InputError
    """
    engine = of(level)
    return engine.estimate_excitations(molecule, level.model, engine.keywords(level.keywords), request, resources)


def title(level: Level) -> str:
    """Return a level's name in a table; a plain one if its engine or its keywords are not known here."""
    try:
        engine = of(level)
        return engine.title(level.model, engine.keywords(level.keywords))
    except InputError:
        return plain_title(level.model, level.engine)


def _own_spelling(method: str) -> str:
    return spelled(method, (known for engine in ENGINES.values() for known in engine.methods))


MethodName = Annotated[str, AfterValidator(_own_spelling)]
"""The name of a method in an input: one of an engine's own list in the list's spelling, any other as it is."""


def _known(name: str) -> str:
    name = spelled(name, ENGINES)
    if name not in ENGINES:
        raise ValueError(f"no engine named {name!r}; there are {', '.join(ENGINES)}")
    return name


def _known_or_auto(name: str) -> str:
    name = spelled(name, ("auto", *ENGINES))
    if name not in ("auto", *ENGINES):
        raise ValueError(f"no engine named {name!r}; there are auto, {', '.join(ENGINES)}")
    return name


EngineName = Annotated[str, AfterValidator(_known)]
"""The name of an engine in an input."""
EngineChoice = Annotated[str, AfterValidator(_known_or_auto)]
"""The same, or "auto": the first of the registry that has the method and is installed."""

__all__ = [
    "ENGINES",
    "LAYERS",
    "AnyEngine",
    "Calculation",
    "Device",
    "Driver",
    "Engine",
    "EngineChoice",
    "EngineName",
    "MethodName",
    "Needs",
    "OrbitalForm",
    "Progress",
    "check",
    "check_excitations",
    "choose",
    "estimate",
    "estimate_excitations",
    "find",
    "for_method",
    "of",
    "require_method",
    "title",
]
