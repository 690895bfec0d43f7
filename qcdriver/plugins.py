"""Sources, families, stages, engines and exports that other installed packages add, by their entry points.

A package registers one in its `pyproject.toml`:

    [project.entry-points."qcdriver.sources"]
    mine = "mypackage.source:MySource"

The name on the right is the class, or an instance of it. The groups are `qcdriver.sources`, `qcdriver.families`,
`qcdriver.stages`, `qcdriver.engines` and `qcdriver.exports`; the registry of each adds what is found here to its own.
CONTRIBUTING.md has an example of each.
"""

from __future__ import annotations

from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any, TypeVar

from qcdriver.errors import InputError, MissingError

T = TypeVar("T")


def with_plugins(own: tuple[T, ...], group: str, kind: type) -> dict[str, T]:
    """Return the entries of a registry by their names: its own, then those that other packages register.

    Parameters
    ----------
    own
        The entries of this package.
    group
        The entry-point group, "qcdriver.sources" for example.
    kind
        The class of which every entry must be an instance. It has an attribute `name`.

    Raises
    ------
    InputError
        A registered object is of another kind, or has a name that is taken.
    MissingError
        A registered object cannot be imported.
    """
    named = {_name(entry): entry for entry in own}
    for entry, found in _registered(group):
        fits: bool = isinstance(found, kind)
        if not fits:
            raise InputError(f"{_described(entry)} is no {kind.__name__} of qcdriver; register a subclass of it")
        name = _name(found)
        if name in named:
            raise InputError(f"{_described(entry)}: the name {name!r} is taken; give it another")
        named[name] = found
    return named


@cache
def _registered(group: str) -> tuple[tuple[EntryPoint, Any], ...]:
    return tuple((entry, _loaded(entry)) for entry in sorted(entry_points(group=group)))


def _loaded(entry: EntryPoint) -> object:
    try:
        found = entry.load()
        return found() if isinstance(found, type) else found
    except Exception as error:  # whatever the code of another package raises
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise MissingError(f"{_described(entry)} cannot be loaded ({reason}); repair that package") from None


def _described(entry: EntryPoint) -> str:
    package = entry.dist.name if entry.dist else "unknown"
    return f"plugin {entry.name!r} = {entry.value!r} of package {package} ({entry.group})"


def _name(entry: object) -> str:
    return str(getattr(entry, "name", ""))
