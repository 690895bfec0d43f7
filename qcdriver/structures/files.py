"""Molecules in and out of extended XYZ files: Angstrom, with charge, multiplicity and label in the comment line."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError

from qcdriver.errors import InputError
from qcdriver.schema import ATOMIC_NUMBER, Molecule
from qcdriver.units import ANGSTROM


def read_xyz(
    path: Path | str, charge: int | None = None, multiplicity: int | None = None, frame: int | None = None
) -> Molecule:
    """Read one molecule from an XYZ or extended XYZ file.

    Parameters
    ----------
    path
        The file.
    charge, multiplicity
        Used where the comment line does not say (keys `charge`, `multiplicity`); without either, 0 and 1.
    frame
        Which molecule of several, from 0. None: the file holds exactly one.

    Raises
    ------
    InputError
        The file is missing or broken, holds another number of molecules, contradicts `charge` or `multiplicity`, or
        these do not fit its electrons; the message names file and line.
    """
    path = Path(path)
    starts = _check(path)
    if frame is None and len(starts) > 1:
        raise InputError(
            f"{path}: holds {len(starts)} molecules; say which by frame = 0 ... {len(starts) - 1} "
            f"(on the command line {path.name}@0 ... @{len(starts) - 1})"
        )
    if frame is not None and not 0 <= frame < len(starts):
        raise InputError(f"{path}: has no frame {frame}; it holds {len(starts)}, counted from 0")
    return _read_frame(path, frame or 0, starts[frame or 0], charge, multiplicity)


def write_xyz(
    path: Path | str,
    molecules: Molecule | Sequence[Molecule],
    labels: str | Sequence[str] | None = None,
    facts: Sequence[Mapping[str, float]] | None = None,
) -> None:
    """Write one or more molecules as extended XYZ; an existing file is replaced.

    `facts`: numbers for the comment line of each molecule, by name; ASE takes `energy` for one in eV.

    Raises
    ------
    InputError
        The folder cannot be written, or labels and molecules differ in number.
    """
    from ase import Atoms
    from ase.io import write

    molecules = [molecules] if isinstance(molecules, Molecule) else list(molecules)
    labels = [labels] if isinstance(labels, str) else labels
    if labels is not None and len(labels) != len(molecules):
        raise InputError(f"{path}: {len(molecules)} molecules but {len(labels)} labels")
    frames = []
    for k, molecule in enumerate(molecules):
        atoms = Atoms(molecule.symbols, positions=molecule.geometry * ANGSTROM)
        atoms.info["charge"] = molecule.molecular_charge
        atoms.info["multiplicity"] = molecule.molecular_multiplicity
        atoms.info.update(facts[k] if facts else {})
        if labels is not None and labels[k]:  # last: of a bare "=" ASE makes that the rest is its value
            atoms.info["label"] = labels[k].replace("\\", "\\\\")  # ASE reads it as an escape, and writes it bare
        frames.append(atoms)
    try:
        write(str(path), frames, format="extxyz")
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror})") from error


def _read_frame(path: Path, frame: int, line: int, charge: int | None, multiplicity: int | None) -> Molecule:
    """Read what `_check` passed; `line` is that of the comment, from 1."""
    from ase import Atoms
    from ase.io import read

    try:
        atoms = read(str(path), index=frame, format="extxyz")
        assert isinstance(atoms, Atoms)
    except Exception as error:  # ASE's parser lets many kinds through
        raise InputError(f"{path}, line {line}: cannot be read as extended XYZ ({error})") from error
    try:
        return Molecule(
            symbols=tuple(atoms.symbols),
            geometry=atoms.positions / ANGSTROM,
            molecular_charge=_stated(path, line, atoms.info, "charge", charge, 0),
            molecular_multiplicity=_stated(path, line, atoms.info, "multiplicity", multiplicity, 1),
        )
    except ValidationError as error:
        reason = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise InputError(f"{path}, line {line}: {reason}") from error


def _stated(path: Path, line: int, info: dict[str, Any], key: str, asked: int | None, default: int) -> int:
    """Give what the comment line states for a key, else what was asked for, else the default."""
    if key not in info:
        return default if asked is None else asked
    value = info[key]
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise InputError(f"{path}, line {line}: {key}={value} is not a whole number")
    if asked is not None and asked != value:
        raise InputError(f"{path}, line {line}: {key}={value} contradicts the {key} {asked} asked for")
    return int(value)


def _check(path: Path) -> list[int]:
    """Find the comment line (from 1) of every frame, and the first line that breaks the format."""
    try:
        lines = path.read_text(encoding="utf-8").rstrip().splitlines()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not a text file") from error
    comments: list[int] = []
    at = 0
    while at < len(lines) or not comments:
        count = lines[at].strip() if lines else ""
        if not count.isdecimal() or int(count) == 0:
            raise InputError(f"{path}, line {at + 1}: the number of atoms belongs here, not {count[:40]!r}")
        comments.append(at + 2)
        end = at + 2 + int(count)
        if end > len(lines):
            raise InputError(f"{path}, line {at + 1}: {count} atoms promised, the file ends after line {len(lines)}")
        for number in range(at + 2, end):
            _check_atom(path, number + 1, lines[number], usual=_has_usual_columns(lines[at + 1]))
        at = end
    return comments


def _has_usual_columns(comment: str) -> bool:
    return "Properties" not in comment or "Properties=species:S:1:pos:R:3" in comment


def _check_atom(path: Path, number: int, line: str, usual: bool) -> None:
    words = line.split()
    if usual and (len(words) < 4 or words[0] not in ATOMIC_NUMBER or not all(map(_is_number, words[1:4]))):
        raise InputError(f"{path}, line {number}: an element symbol and three numbers belong here, not {line[:60]!r}")
    if any(word.lower() in ("nan", "inf", "-inf", "+inf") for word in words):
        raise InputError(f"{path}, line {number}: holds a number that is not finite")


def _is_number(word: str) -> bool:
    try:
        return math.isfinite(float(word))
    except ValueError:
        return False
