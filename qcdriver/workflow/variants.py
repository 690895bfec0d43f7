"""An input with `[variants]` in, one input for each out: all they share, with the few keys that a variant changes.

`NAME.toml@LABEL` names one of them; it is an input like any other, and its run directory is `results/NAME/LABEL`.
What differs between two variants stands in one place, and all else is equal because it is written once.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from qcdriver.errors import InputError

_TABLE = "variants"
_MAX_BYTES = 1_000_000
"""Of an input file; with more of them, reading TOML takes long enough to look like a hang."""
_TAKEN = {"checkpoints", "cubes", "molden", "slurm", "tasks"}
_FILES = set(".jsonl .sqlite .json .html .log .png .gif .svg .xyz .csv .txt .cube .toml .zip .lock .damaged".split())
"""Endings of files that stand in a run directory, where a variant has its folder."""
_NAME = re.compile(r"(?P<file>.+\.toml)@(?P<variant>[A-Za-z0-9][A-Za-z0-9_.+-]*)")


def read_toml(path: Path) -> dict[str, Any]:
    """Read what an input says, of `NAME.toml@LABEL` what that variant says.

    Raises
    ------
    InputError
        The file is missing, is no TOML, has variants and none is named, or has not the one that is.
    """
    file, variant = split(path)
    raw = _read(file)
    if _TABLE not in raw:
        if variant is not None:
            raise InputError(f"{file}: has no [variants.{variant}], nor any other")
        return raw
    tables = _tables(raw, file)
    if variant is None:
        raise InputError(f"{file}: has variants; take one: {', '.join(join(file, table).name for table in tables)}")
    if variant not in tables:
        raise InputError(f"{file}: has no variant {variant}; there are {', '.join(tables)}")
    shared = {key: value for key, value in raw.items() if key != _TABLE}
    return _merged(shared, {"title": f"{raw.get('title')}, {variant}"} | tables[variant])


def variants(path: Path) -> list[Path]:
    """List the variants of an input as NAME.toml@LABEL; of one without, or of a variant, nothing but itself.

    Raises
    ------
    InputError
        As `read_toml`.
    """
    file, variant = split(path)
    raw = _read(file)
    if variant is not None or _TABLE not in raw:
        return [path]
    return [join(file, label) for label in _tables(raw, file)]


def split(path: Path) -> tuple[Path, str | None]:
    """Split NAME.toml@LABEL into the file and the variant; None for a whole file, as a file of that very name is."""
    found = None if path.is_file() else _NAME.fullmatch(path.name)
    return (path.with_name(found["file"]), found["variant"]) if found else (path, None)


def join(file: Path, variant: str | None) -> Path:
    """Name a variant of a file; None: the whole file."""
    return file if variant is None else file.with_name(f"{file.name}@{variant}")


def run_name(path: Path) -> Path:
    """Return the run directory of an input, below that of all results: NAME, or NAME/LABEL.

    Raises
    ------
    InputError
        The file is not called NAME.toml, so that its run directory would lie elsewhere or be another input's too.
    """
    file, variant = split(path)
    if file.suffix != ".toml" or set(file.stem) == {"."}:
        raise InputError(f"{str(path)!r}: an input is called NAME.toml, and its results go to a folder NAME")
    return Path(file.stem) / (variant or "")


def _read(file: Path) -> dict[str, Any]:
    try:
        content = file.read_bytes()
    except OSError as error:
        raise InputError(f"{file}: cannot be read ({error.strerror})") from None
    if len(content) > _MAX_BYTES:
        raise InputError(f"{file}: {len(content)} bytes; an input has at most {_MAX_BYTES}")
    try:
        return tomllib.loads(content.decode("utf-8-sig"))
    except RecursionError:
        raise InputError(f"{file}: not an input: its tables or lists are nested too deep") from None
    except ValueError as error:  # of TOML, of UTF-8, or of a number with thousands of digits
        raise InputError(f"{file}: not valid TOML: {error}") from None


def _tables(raw: dict[str, Any], file: Path) -> dict[str, dict[str, Any]]:
    tables = raw[_TABLE]
    if not tables or not isinstance(tables, dict) or not all(isinstance(table, dict) for table in tables.values()):
        raise InputError(f"{file}: variants: a table for each belongs here, [variants.LABEL]")
    for label in tables:
        if not _NAME.fullmatch(f"x.toml@{label}"):
            raise InputError(f"{file}: variants.{label}: a label is made of letters, digits and _ . + -")
        if label.lower() in _TAKEN or Path(label.lower()).suffix in _FILES:
            raise InputError(
                f"{file}: variants.{label}: a run directory has files and folders called so ({label}); rename it"
            )
    return tables


def _merged(shared: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """Replace values by a variant's own, tables key by key."""
    both = dict(shared)
    for key, value in own.items():
        known = both.get(key)
        both[key] = _merged(known, value) if isinstance(known, dict) and isinstance(value, dict) else value
    return both
