"""Molecules in and out of XYZ and extended XYZ files: Angstrom, charge and multiplicity in the comment line."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from qcdriver.errors import InputError
from qcdriver.io.xyz_frames import read_frame
from qcdriver.models.molecule import Molecule
from qcdriver.store.files import write_whole
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
        Used where the comment line does not say; without either, 0 and 1.
    frame
        Which molecule of several, from 0. None: the file holds exactly one.

    Raises
    ------
    InputError
        The file is missing or broken, is periodic, holds another number of molecules, contradicts `charge` or
        `multiplicity`, or these do not fit its electrons; the message names file and line.
    """
    found = read_frame(path, frame)
    for word, asked, said in (
        ("charge", charge, found.comment.charge),
        ("multiplicity", multiplicity, found.comment.multiplicity),
    ):
        for statement in said if asked is not None else ():
            if statement.number not in (None, asked):
                where = f"{found.path}, line {found.line}, column {statement.column}"
                raise InputError(f"{where}: {statement.words} contradicts the {word} {asked} asked for")
    return found.molecule(charge, multiplicity)[0]


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
    molecules = [molecules] if isinstance(molecules, Molecule) else list(molecules)
    labels = [labels] if isinstance(labels, str) else labels
    if labels is not None and len(labels) != len(molecules):
        raise InputError(f"{path}: {len(molecules)} molecules but {len(labels)} labels")
    texts = []
    for k, molecule in enumerate(molecules):
        stated: dict[str, float | str] = {
            "charge": molecule.molecular_charge,
            "multiplicity": molecule.molecular_multiplicity,
            **(facts[k] if facts else {}),
        }
        positions = molecule.geometry * ANGSTROM
        texts.append(xyz_text(molecule.symbols, positions, stated, labels[k] if labels else ""))
    try:
        write_whole(Path(path), "".join(texts).encode(), durable=False)
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror})") from error


def xyz_text(
    symbols: Sequence[str], positions_angstrom: np.ndarray, stated: Mapping[str, float | str], label: str = ""
) -> str:
    """Return one frame of extended XYZ: positions (natoms, 3), and what its comment line states, the label last."""
    from ase import Atoms
    from ase.io import write

    atoms = Atoms(symbols, positions=positions_angstrom)
    atoms.info.update(stated)
    if label:  # last: of a bare "=" ASE makes that the rest is its value
        atoms.info["label"] = label.replace("\\", "\\\\")  # ASE reads it as an escape, and writes it bare
    text = io.StringIO()
    write(text, atoms, format="extxyz")
    return text.getvalue()
