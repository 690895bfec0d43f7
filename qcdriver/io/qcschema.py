"""QCSchema in JSON, versions 1 and 2 (doi:10.1002/wcms.1491) -> molecules; QCElemental is not needed for it.

A document is a molecule, an input or a result of a single point, or of an optimisation, whose last molecule counts. A
file holds one, a list of them, or one a line. The versions differ in where a result has its molecule, and a molecule's
own `schema_version` is 2 in version 1 and 3 in version 2.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from qcdriver.errors import InputError
from qcdriver.io.frames import PlainFrame

_MOLECULE_VERSIONS = (None, 1, 2, 3)
_PLACES = ("final_molecule", "molecule", "initial_molecule")
"""Where a document has its molecule: of several, the first counts."""


def read_qcschema(path: Path) -> list[PlainFrame]:
    """Read all molecules of a file.

    Raises
    ------
    InputError
        The file is missing, no JSON, holds something else than QCSchema, or ghost atoms.
    """
    found = []
    for count, document in enumerate(_documents(path)):
        where = f"{path}, document {count}"
        try:
            found.append(_frame(where, document))
        except (TypeError, ValueError, KeyError, AttributeError):
            raise InputError(f"{where}: no molecule of QCSchema can be read from it") from None
    return found


def _documents(path: Path) -> list[Any]:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    except ValueError:
        raise InputError(f"{path}: not a text file in UTF-8") from None
    try:
        whole = json.loads(text)
    except ValueError:
        return _lines(path, text)
    return whole if isinstance(whole, list) else [whole]


def _lines(path: Path, text: str) -> list[Any]:
    found = []
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            try:
                found.append(json.loads(line))
            except ValueError as error:
                raise InputError(f"{path}, line {number}: not JSON ({error})") from None
    if not found:
        raise InputError(f"{path}: is empty")
    return found


def _frame(where: str, document: dict[str, Any]) -> PlainFrame:
    molecule = document
    if "symbols" not in document:
        place = next((place for place in _PLACES if document.get(place)), None)
        if place is None:
            named = document.get("schema_name") or ("a failed operation" if "error" in document else "no schema_name")
            raise InputError(f"{where}: holds no molecule ({named})")
        molecule = document[place]
    if (version := molecule.get("schema_version")) not in _MOLECULE_VERSIONS:
        raise InputError(f"{where}: a molecule of schema_version {version} is not known here, only up to 3")
    symbols = tuple(str(symbol).capitalize() for symbol in molecule["symbols"])
    geometry = np.array(molecule["geometry"], dtype=float).reshape(-1, 3)
    if len(geometry) != len(symbols):
        raise InputError(f"{where}: {len(symbols)} symbols and {len(geometry)} positions")
    if not all(molecule.get("real") or [True]):
        raise InputError(f"{where}: it has ghost atoms, which are computed by no engine here")
    return PlainFrame(
        where=where,
        symbols=symbols,
        geometry=geometry,
        charge=_number(molecule, "molecular_charge"),
        multiplicity=_number(molecule, "molecular_multiplicity"),
        energy=_energy(document),
    )


def _number(molecule: dict[str, Any], name: str) -> float | None:
    value = molecule.get(name)
    return None if value is None else float(value)


def _energy(document: dict[str, Any]) -> float | None:
    """Return the energy of the molecule that counts; None where a document has none."""
    properties = document.get("properties") or {}
    energies = document.get("energies") or [properties.get("return_energy")]
    return None if energies[-1] is None else float(energies[-1])
