"""Which input a run directory belongs to, so that two inputs of one name in different folders do not share it.

The run directory holds the way to its input, from the directory itself: a folder that is moved or copied with both in
it goes on as before. An input that moved alone is gone from where it was, and the directory takes the new place.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError

from qcdriver.errors import InputError, ResourceError
from qcdriver.models.base import Frozen
from qcdriver.store.files import write_whole
from qcdriver.workflow.variants import run_name, split, variants

_FILE = "input.json"


class _Owner(Frozen):
    """`input.json`: the way from the run directory to its input, and the hash of the input at its last run."""

    path: str
    sha256: str


def refuse_input_of_same_name(directory: Path, input_path: Path) -> None:
    """Refuse an input whose run directory belongs to another that is still there and says something else.

    Raises
    ------
    InputError
        The message names both, and what to do.
    """
    owner = _owner(directory)
    if owner is None:
        return
    file, known = split(input_path)[0], _place(directory, owner)
    if known.is_file() and file.is_file() and not _same(known, file):
        raise InputError(
            f"{directory} has the results of {known}, and {file} is another input of that name: rename it, or choose "
            "another --results"
        )


def take(directory: Path, input_path: Path) -> list[str]:
    """Write down that a run directory belongs to an input, where it was told so of none or of one that is gone.

    Returns
    -------
    What a person should know: that the input was elsewhere, or had another name, at its last run.

    Raises
    ------
    InputError
        As `refuse_input_of_same_name`.
    ResourceError
        It cannot be written.
    """
    refuse_input_of_same_name(directory, input_path)
    file, owner = split(input_path)[0], _owner(directory)
    known = None if owner is None else _place(directory, owner)
    lines = []
    if known is None:
        lines += _renamed(directory, file)
    elif not known.is_file():
        lines.append(f"{directory} had its input at {known}; it goes on with {file}")
    elif not known.samefile(file):
        return []  # a copy, word for word: the first keeps the directory
    now = _Owner(path=os.path.relpath(os.path.realpath(file), os.path.realpath(directory)), sha256=_sha256(file))
    if now != owner:
        try:
            write_whole(directory / _FILE, json.dumps(now.model_dump()).encode(), durable=False)
        except OSError as error:
            raise ResourceError(f"{directory}: cannot be written ({error.strerror})") from None
    return lines


class KnownInput(NamedTuple):
    """The input of a run directory, of a variant NAME.toml@LABEL; whether it is as it was at the last run."""

    path: Path
    unchanged: bool


def input_of(directory: Path) -> KnownInput | None:
    """Return the input that a run directory belongs to; None where that is not known, or the input is gone.

    A run from Python, and one of an old version, does not know its input.
    """
    owner = _owner(directory)
    if owner is None or not (file := _place(directory, owner)).is_file():
        return None
    unchanged = _sha256(file) == owner.sha256
    try:
        every = variants(file)
    except InputError:
        every = [file]
    place = Path(os.path.realpath(directory)).parts
    mine = [path for path in every if place[-len(run_name(path).parts) :] == run_name(path).parts]
    return KnownInput(mine[0] if mine else file, unchanged)


def _owner(directory: Path) -> _Owner | None:
    """Read what a run directory says; None of one from before, and where it cannot be read."""
    try:
        return _Owner.model_validate(json.loads((directory / _FILE).read_bytes()))
    except (OSError, ValueError, ValidationError):
        return None


def _place(directory: Path, owner: _Owner) -> Path:
    return Path(os.path.normpath(Path(os.path.realpath(directory)) / owner.path))


def _same(known: Path, file: Path) -> bool:
    try:
        return known.samefile(file) or known.read_bytes() == file.read_bytes()
    except OSError:
        return False


def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _renamed(directory: Path, file: Path) -> list[str]:
    """Name a run directory beside a new one whose input is gone and said the same: it was renamed."""
    if any((directory / name).exists() for name in ("summary.json", "slurm")):
        return []
    content = _sha256(file)
    for other in sorted(directory.parent.glob(f"*/{_FILE}")):
        owner = _owner(other.parent)
        if owner is not None and owner.sha256 == content and not _place(other.parent, owner).exists():
            return [
                f"{other.parent} has the results of this input under its old name; rename it to {directory} to go on"
            ]
    return []
