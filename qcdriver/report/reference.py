"""The reference of an input file, made from the classes that read it: every table and key, with type and default."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from qcdriver import engines
from qcdriver.systems.registry import sources
from qcdriver.workflow.registry import stages
from qcdriver.workflow.resources import Machine, StageResources
from qcdriver.workflow.tables import Experiment


def reference() -> str:
    """Return the reference as Markdown: sources, stages, resources, and the keywords of each engine."""
    parts = [
        "# Reference of the input file",
        "Made from the code by `qcdriver reference`. A key without a default is required.",
        "`title` is text. Every other key stands in one of these tables.",
    ]
    for source in sources().values():
        parts += _table("structure", source.Settings, f' with source = "{source.name}"')
    for stage in stages():
        parts += _table(stage.name, stage.Settings)
    parts += _table("experiment", Experiment)
    parts += _table("resources", Machine)
    parts += _table("resources.STAGE", StageResources)
    for engine in engines.ENGINES.values():
        parts += _table(f"keywords of the engine {engine.name}", engine.Keywords, heading="##")
    return "\n\n".join(parts) + "\n"


def _table(name: str, model: type[BaseModel], suffix: str = "", heading: str = "") -> list[str]:
    title = f"{heading} {name[0].upper()}{name[1:]}" if heading else f"## `[{name}]`{suffix}"
    parts = [title, _text(model), _rows(model)]
    inner = {table: key for key, field in model.model_fields.items() for table in _models_in(field.annotation)}
    for table in inner:
        parts += [f"**{inner[table]}**: {_text(table)}", _rows(table)]
    return parts


def _text(model: type[BaseModel]) -> str:
    """Return the docstring of a table, its paragraphs as they stand, without the list of attributes."""
    return (inspect.getdoc(model) or "").partition("\n\nAttributes\n")[0]


def _rows(model: type[BaseModel]) -> str:
    rows = ["| key | type | default |", "|---|---|---|"]
    for key, field in model.model_fields.items():
        if key != "source":  # it is in the heading
            default = "" if field.is_required() else _shown(field)
            rows.append(f"| `{key}` | {key_words(field.annotation).replace('|', 'or')} | {default} |")
    return "\n".join(rows)


def _shown(field: FieldInfo) -> str:
    value = field.get_default(call_default_factory=True)
    if value is None or value is PydanticUndefined:
        return "none"
    if isinstance(value, BaseModel):
        return ", ".join(f"`{key} = {_literal(item)}`" for key, item in value.model_dump().items())
    return f"`{_literal(value)}`"


def shown_default(field: FieldInfo) -> str | None:
    """Write the default of a key as TOML has it; None where TOML cannot say it."""
    value = field.get_default(call_default_factory=True)
    if value is None or value is PydanticUndefined:
        return None
    if isinstance(value, BaseModel):
        inner = {key: item for key, item in value.model_dump().items() if item is not None}
        return "{ " + ", ".join(f"{key} = {_literal(item)}" for key, item in inner.items()) + " }"
    return "{}" if value == {} else _literal(value)


def _literal(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, tuple | list):
        return "[" + ", ".join(map(_literal, value)) + "]"
    return str(value)


def key_words(annotation: Any) -> str:
    """Say a type as TOML has it."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return key_words(arguments[0])
    if origin is Literal:
        return " or ".join(f"`{_literal(value)}`" for value in arguments)
    if origin in (Union, UnionType):
        return " or ".join(key_words(argument) for argument in arguments if argument is not NoneType)
    if origin in (tuple, list):
        inner = [key_words(argument) for argument in arguments if argument is not Ellipsis]
        return f"a list of {' and '.join(dict.fromkeys(inner))}"
    if origin is dict:
        return f"a table of {key_words(arguments[1])}"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "a table"
    names = {str: "text", int: "whole number", float: "number", bool: "true or false", NoneType: "nothing"}
    return names.get(annotation, "any value")


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models_in(argument)
