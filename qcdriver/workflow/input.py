"""An input file (TOML) as typed, frozen settings: one class a table, one line for every mistake in it."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, time
from functools import cache, reduce
from operator import or_
from pathlib import Path, PurePath
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, Field, ValidationError, create_model, model_validator

from qcdriver.errors import InputError
from qcdriver.systems.base import Structure
from qcdriver.systems.registry import sources
from qcdriver.workflow.base import Stage
from qcdriver.workflow.registry import stages
from qcdriver.workflow.resources import machine_of
from qcdriver.workflow.tables import Input
from qcdriver.workflow.variants import read_toml


class _CheckedInput(Input):
    """An input whose tables fit together."""

    @model_validator(mode="after")
    def _consistent(self) -> _CheckedInput:
        for stage in stages():
            stage.check_tables(self)
        if self.experiment:
            known = self.structure.isomers
            for name, label in self.experiment.labels():
                if known and label not in known:  # without tables the source knows them, and reads files for that
                    raise ValueError(f"experiment.{name}: {label!r} is no isomer; there are {', '.join(known)}")
            for conversion in self.experiment.conversion:
                if conversion.began_as is None and set(conversion.found) == set(known):
                    raise ValueError("experiment.conversion: a mixture that stays one bounds no barrier; leave it out")
        return self


def input_type() -> type[Input]:
    """Return the type of a whole input file: a table for each stage, and the one for the source that it names."""
    return _whole(tuple(source.Settings for source in sources().values()), stages())


@cache
def _whole(structures: tuple[type[Structure], ...], known: tuple[Stage[Any], ...]) -> type[Input]:
    one_of: Any = Annotated[reduce(or_, structures), Field(discriminator="source")]
    machine = machine_of(stage.name for stage in known if type(stage).resources_of is Stage.resources_of)
    tables: dict[str, Any] = {
        stage.name: (stage.Settings, stage.Settings()) if stage.runs_without_table else (stage.Settings | None, None)
        for stage in known
    }
    return create_model(
        "Input",
        __base__=_CheckedInput,
        __doc__="A whole input file; a stage without a table is not run.",
        structure=(one_of, ...),
        resources=(machine, machine()),
        **tables,
    )


def read_input(path: Path) -> Input:
    """Read and check an input file, or a variant of one (NAME.toml@LABEL).

    Raises
    ------
    InputError
        As `read_toml`, or it holds something wrong; a line for each mistake names file, key and value.
    """
    return make_input(read_toml(path), f"{path}: ")


def make_input(tables: Mapping[str, object], where: str = "") -> Input:
    """Check the tables of an input.

    Parameters
    ----------
    tables
        What TOML can hold; typed settings may stand in the place of a table.
    where
        How every line of an error begins.

    Raises
    ------
    InputError
        Something is wrong; a line for each mistake names key and value.
    """
    whole = input_type()
    try:
        return whole.model_validate_json(json.dumps(tables, default=_plain), strict=True)
    except _NotPlainError as error:
        raise InputError(f"{where}{error}; text in quotes or a number belongs there") from None
    except ValidationError as error:
        lines = dict.fromkeys(_line(entry, whole) for entry in error.errors())  # one of a union speaks for all
        raise InputError("\n".join(f"{where}{line}" for line in lines)) from None


class _NotPlainError(Exception):
    """TOML has dates, and Python has objects, which no key of an input takes."""


def _plain(value: object) -> object:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", exclude_unset=True)
    if isinstance(value, PurePath):
        return str(value)
    is_time = isinstance(value, date | time)  # a datetime is a date
    raise _NotPlainError(f"{value} is a date or a time" if is_time else f"{value!r} is a {type(value).__name__}")


def _line(entry: Any, whole: type[Input]) -> str:
    """Say one validation error in the user's words: key, value, and what would be right."""
    location = [str(part) for part in entry["loc"]]
    if entry["type"] in ("union_tag_invalid", "union_tag_not_found"):
        given = entry["input"].get("source") if isinstance(entry["input"], dict) else None
        return f"structure.source = {given!r}: there are {', '.join(sources())}"
    known = _known_keys(whole, location[:-1])
    if location[:1] == ["structure"] and len(location) > 1:
        del location[1]  # the discriminator's tag is not in the file
    if belongs := _what_belongs(whole, location):
        return f"{belongs[0]} = {entry['input']!r}: {belongs[1]} belongs here"
    if entry["type"] == "tuple_type" and _known_keys(whole, [*location, "0"]):
        return f"{'.'.join(location)} = {entry['input']!r}: a table [[{'.'.join(location)}]] belongs here"
    if location[-1:] == ["[key]"]:
        return f"{'.'.join(location[:-1])}: a label is made of letters, digits and _ . + -"
    key = ".".join(location)
    if entry["type"] == "extra_forbidden":
        return f"{key}: unknown key{_suggestion(location[-1], known)}"
    if entry["type"] == "missing":
        return f"{key}: missing; it is required"
    if entry["type"] in ("model_type", "model_attributes_type", "dict_type"):
        return f"{key} = {entry['input']!r}: a table belongs here"
    message = entry["msg"].removeprefix("Value error, ")
    if not location or entry["type"] == "value_error":
        return f"{key}: {message}" if key else message
    return f"{key} = {entry['input']!r}: {message[0].lower()}{message[1:]}"


def _suggestion(key: str, known: Sequence[str]) -> str:
    """Name the known key that looks most like the unknown one, or all of them."""
    close = difflib.get_close_matches(key, known, n=1)
    return f"; did you mean {close[0]}?" if close else f"; this table knows {', '.join(known)}"


def _what_belongs(whole: type[BaseModel], location: Sequence[str]) -> tuple[str, str] | None:
    """Return the key of a mistake and what belongs there, where the field says that in its own words ("belongs")."""
    types: list[Any] = [whole]
    for count, part in enumerate(location, start=1):
        for table in (table for found in types for table in _members(found)):
            extra = table.model_fields[part].json_schema_extra if part in table.model_fields else None
            if isinstance(extra, dict) and "belongs" in extra:
                return ".".join(location[:count]), str(extra["belongs"])
        types = [inner for found in types for inner in _inside(found, part)]
    return None


def _known_keys(whole: type[BaseModel], location: Sequence[str]) -> list[str]:
    """List the keys of the table at a place, which is given as a validation error gives it."""
    types: list[Any] = [whole]
    for part in location:
        types = [inner for type_ in types for inner in _inside(type_, part)]
    return sorted({key for type_ in types for table in _members(type_) for key in table.model_fields})


def _inside(annotation: Any, part: str) -> Iterator[Any]:
    """Give the types of what stands under a key, a number of a list, or the tag of a union."""
    for member in _members(annotation):
        if part in member.model_fields:
            yield member.model_fields[part].annotation
        elif any(part in get_args(field.annotation) for field in member.model_fields.values()):
            yield member
    for member in _alternatives(annotation):
        if get_origin(member) is dict:
            yield get_args(member)[1]
        elif get_origin(member) in (list, tuple):
            yield get_args(member)[0]


def _members(annotation: Any) -> Iterator[type[BaseModel]]:
    """Give the tables that a type allows."""
    return (
        alternative
        for alternative in _alternatives(annotation)
        if isinstance(alternative, type) and issubclass(alternative, BaseModel)
    )


def _alternatives(annotation: Any) -> Iterator[Any]:
    """Give the members of a union, or the type itself; what annotates it is left out."""
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from _alternatives(get_args(annotation)[0])
    elif origin in (Union, UnionType):
        for member in get_args(annotation):
            yield from _alternatives(member)
    else:
        yield annotation
