"""What every engine refuses before it starts, in one line: wrong keywords, impossible positions."""

from __future__ import annotations

import json
import re
from difflib import get_close_matches
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from pydantic import BeforeValidator, JsonValue, ValidationError

from qcdriver.errors import InputError
from qcdriver.models.base import Frozen
from qcdriver.units import ANGSTROM

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pydantic_core import ErrorDetails

MIN_DISTANCE_ANGSTROM = 0.4
"""Below this no two nuclei of a molecule can be; H2 is 0.74."""

Keywords = TypeVar("Keywords", bound=Frozen)


def _small(word: object) -> object:
    return word.lower() if isinstance(word, str) else word


AnyCase = BeforeValidator(_small)
"""Of a word in a keyword: "SMD" is "smd"."""


def read_keywords(engine: str, kind: type[Keywords], keywords: Mapping[str, JsonValue]) -> Keywords:
    """Validate an engine's keywords, its defaults filled in; true is not taken for 1, nor 1.0 for a whole number.

    Raises
    ------
    InputError
        An unknown keyword or a wrong value; the message names it and what would be right.
    """
    try:
        return kind.model_validate_json(json.dumps(dict(keywords)), strict=True)
    except ValidationError as error:
        raise InputError(f"{engine} keywords: {_first_complaint(error.errors()[0], kind)}") from None


def _first_complaint(error: ErrorDetails, kind: type[Frozen]) -> str:
    key = ".".join(str(part) for part in error["loc"])
    if error["type"] == "extra_forbidden":
        return f"{key!r} is unknown; {choices(key, kind.model_fields)}"
    return f"{key} = {error['input']!r}: {error['msg'][0].lower()}{error['msg'][1:]}"


def spelled(word: str, known: Iterable[str]) -> str:
    """Return the known name that a word is but for case, hyphens and a missing "-xTB"; any other word as it is."""
    plain = _letters(word)
    return next(
        (name for name in known if plain and plain in (_letters(name), _letters(name).removesuffix("xtb"))), word
    )


def _letters(word: str) -> str:
    return re.sub(r"[\s_-]", "", word.lower())


def choices(word: str, known: Iterable[str]) -> str:
    """Return what exists in place of a word that does not: the near matches, else all that is known."""
    names = list(known)
    by_lower = {name.lower(): name for name in names}
    near = [by_lower[match] for match in get_close_matches(word.lower(), by_lower, n=3)]
    if near:
        return f"did you mean {' or '.join(repr(name) for name in near)}?"
    return f"there are {', '.join(names)}"


def check_geometry(symbols: tuple[str, ...], geometry: np.ndarray) -> None:
    """Refuse positions (natoms, 3), bohr, that no program survives: not finite, or two atoms in one place.

    Two atoms closer than `MIN_DISTANCE_ANGSTROM` are a wrong unit or a doubled atom, never a molecule.

    Raises
    ------
    InputError
        Names the closest pair and its distance.
    """
    natoms = len(symbols)
    if geometry.shape != (natoms, 3) or not np.isfinite(geometry).all():
        raise InputError(f"geometry is not {natoms} x 3 finite numbers")
    if natoms < 2:
        return
    from scipy.spatial import cKDTree

    distances, partners = cKDTree(geometry).query(geometry, k=2)
    first = int(distances[:, 1].argmin())
    closest_angstrom = distances[first, 1] * ANGSTROM
    # Of atoms in one place, any may come first among the nearest.
    i, j = sorted((first, next(int(partner) for partner in partners[first] if partner != first)))
    if closest_angstrom < MIN_DISTANCE_ANGSTROM:
        raise InputError(
            f"atoms {i} ({symbols[i]}) and {j} ({symbols[j]}) are "
            f"{closest_angstrom:.3f} A apart, closer than {MIN_DISTANCE_ANGSTROM} A"
        )
