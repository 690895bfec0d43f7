"""Read conformers from the file names that a person gives, with a label for each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from qcdriver.io.xyz import read_xyz
from qcdriver.models.molecule import Molecule


def read_conformers(
    files: Sequence[str], charge: int | None = None, multiplicity: int | None = None
) -> tuple[list[Molecule], list[str]]:
    """Read one molecule for each name, from XYZ or extended XYZ files.

    Parameters
    ----------
    files
        `FILE.xyz`, or `FILE.xyz@2` for the third molecule of a file with several.
    charge, multiplicity
        Used where a file does not say.

    Returns
    -------
    The molecules, and labels: the names without folder and ending, or with the folder where two would be alike.

    Raises
    ------
    InputError
        A file is missing or broken, or holds several molecules and the name does not say which.
    """
    split = [_split(name) for name in files]
    molecules = [read_xyz(path, charge, multiplicity, frame) for path, frame in split]
    short = [_label(Path(path.name), frame) for path, frame in split]
    twice = {label for label, count in Counter(short).items() if count > 1}
    return molecules, [
        _label(path, frame) if label in twice else label for (path, frame), label in zip(split, short, strict=True)
    ]


def _split(name: str) -> tuple[Path, int | None]:
    path, at, frame = name.rpartition("@")
    if at and frame.isdecimal() and not Path(name).exists():
        return Path(path), int(frame)
    return Path(name), None


def _label(path: Path, frame: int | None) -> str:
    return str(path.with_suffix("")) + ("" if frame is None else f"@{frame}")
