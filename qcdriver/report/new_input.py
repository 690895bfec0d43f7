"""A few answers -> a commented input: the tables asked for, every other key beside its default."""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from qcdriver.errors import InputError
from qcdriver.report.reference import key_words, shown_default
from qcdriver.systems.base import Source
from qcdriver.systems.registry import sources
from qcdriver.workflow.registry import stages

_WIDTH = 118


def new_input(
    title: str,
    origins: Sequence[str],
    wanted: Sequence[str],
    charge: int | None,
    multiplicity: int | None,
    folder: Path,
) -> str:
    """Write an input.

    Parameters
    ----------
    origins
        Files with molecules, of one kind, or the name of a source of models.
    wanted
        Stages by name; what runs without being asked for need not be named.
    charge, multiplicity
        Of the molecules in files; None: as the files say.
    folder
        Where the input will lie, to which paths in it are relative.

    Raises
    ------
    InputError
        There is no such source, file or stage.
    """
    known = {stage.name: stage for stage in stages()}
    for name in wanted:
        if name not in known:
            raise InputError(f"no stage is called {name!r}; there are {', '.join(known)}")
    source = _source_of(origins)
    parts = [f'title = "{_escaped(title)}"', _structure(source, origins, charge, multiplicity, folder)]
    for stage in known.values():
        if stage.name in wanted or stage.runs_without_table:
            parts.append(_table(stage.name, stage.Settings, stage.example))
    return "\n\n".join(part.rstrip("\n") for part in parts) + "\n"


def _source_of(origins: Sequence[str]) -> Source[Any]:
    by_suffix: dict[str, Source[Any]] = {}
    for reader in sources().values():
        if reader.suffix:
            by_suffix.setdefault(reader.suffix, reader)  # one file is a molecule before it is an ensemble
    found: list[Source[Any]] = []
    for origin in origins:
        source = sources().get(origin) or by_suffix.get(Path(origin).suffix.lower())
        if source is None:
            models = [name for name, one in sources().items() if not one.suffix]
            raise InputError(
                f"{origin}: a file ending in {' or '.join(by_suffix)} belongs here, or {', '.join(models)}"
            )
        if source.suffix and not Path(origin).is_file():
            raise InputError(f"{origin}: no such file")
        found.append(source)
    if len(set(found)) != 1 or (not found[0].suffix and len(found) > 1):
        raise InputError(f"{' '.join(origins)}: an input has one source; take files of one kind, or one model")
    return found[0]


def _structure(
    source: Source[Any], origins: Sequence[str], charge: int | None, multiplicity: int | None, folder: Path
) -> str:
    given = {"molecular_charge": charge, "molecular_multiplicity": multiplicity}
    lines = [f'source = "{source.name}"', *(f"{key} = {value}" for key, value in given.items() if value is not None)]
    if not source.suffix:
        isomers = source.example
    else:
        isomers = "\n".join(
            f'[structure.isomers.{label}]\nfile = "{_escaped(_relative(origin, folder))}"\n'
            for label, origin in _labelled(origins)
        )
    return _table("structure", source.Settings, "\n".join(["[structure]", *lines, isomers]))


def _labelled(origins: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Give every file a label that an input may have, made of its name; two of one name are numbered."""
    seen: dict[str, int] = {}
    for origin in origins:
        label = re.sub(r"[^A-Za-z0-9_+-]+", "-", Path(origin).stem).strip("-_+") or "molecule"
        seen[label] = seen.get(label, 0) + 1
        yield (label if seen[label] == 1 else f"{label}-{seen[label]}"), origin


def _relative(origin: str, folder: Path) -> str:
    path = Path(origin).resolve()
    return str(path.relative_to(folder.resolve())) if path.is_relative_to(folder.resolve()) else str(path)


def _table(name: str, settings: type[BaseModel], example: str) -> str:
    """Write a table: what it is as a comment, the keys of the example, all other keys as comments, inner tables."""
    first = (inspect.getdoc(settings) or "").partition("\n\n")[0].replace("\n", " ").replace("`", "")
    comment = textwrap.wrap(first, _WIDTH, initial_indent="# ", subsequent_indent="# ")
    heading, *lines = (example or f"[{name}]").splitlines()
    inner = next((count for count, line in enumerate(lines) if line.startswith("[")), len(lines))
    own, tables = lines[:inner], lines[inner:]
    there = {line.partition("=")[0].strip() for line in own}
    idle = [
        f"# {key} = {shown}".ljust(43) + f" # {key_words(field.annotation)}".replace("`", "")
        for key, field in settings.model_fields.items()
        if key not in there and not field.is_required() and (shown := shown_default(field)) is not None
    ]
    return "\n".join([*comment, heading, *own, *idle, *([""] if tables and own + idle else []), *tables])


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
