"""What the sources share that read many structures of one isomer from a file: which of them are taken."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pydantic import Field

from qcdriver.errors import InputError
from qcdriver.io.frames import Frame
from qcdriver.systems.base import Candidate, Label
from qcdriver.systems.files import FileIsomer, FileStructure
from qcdriver.units import KCAL_MOL


class FramesIsomer(FileIsomer):
    """`[structure.isomers.LABEL]` of a file with several structures, each a start of this isomer.

    `frames`: which of them, from 0, -1 the last; none named: all. `window_kcal_mol`: only those whose energy in the
    file lies at most so far above the file's lowest; energies of a file are used for this and nothing else.
    """

    frames: tuple[int, ...] = ()
    window_kcal_mol: float | None = Field(default=None, gt=0)


class FramesStructure(FileStructure):
    """What `[structure]` has in common for all sources that read several structures from a file."""

    isomers: dict[Label, FramesIsomer] = Field(min_length=1)


def frame_candidates(table: FramesStructure, label: str, path: Path, frames: Sequence[Frame]) -> list[Candidate]:
    """Make a candidate of every structure that is wanted, called LABEL#FRAME; the first is called LABEL.

    Raises
    ------
    InputError
        There is no such frame, the window asks for energies that the file has not, or charge or multiplicity are said
        neither by the file nor by the input.
    """
    isomer = table.isomers[label]
    numbers = _numbers(isomer, label, path, len(frames))
    if isomer.window_kcal_mol is not None:
        numbers = _within(isomer.window_kcal_mol, numbers, label, path, frames)
    told = (
        () if len(numbers) == len(frames) else (f"{len(numbers)} of the {len(frames)} structures of {path} are taken",)
    )
    found = []
    for number in numbers:
        molecule, notes = frames[number].molecule(table.charge_of(isomer), table.multiplicity_of(isomer))
        found.append(Candidate(label, number, molecule, notes=(*told, *notes)))
    return found


def _numbers(isomer: FramesIsomer, label: str, path: Path, count: int) -> list[int]:
    for number in isomer.frames:
        if not -count <= number < count:
            raise InputError(
                f"structure.isomers.{label}.frames: {path} has no frame {number}; it holds {count}, counted from 0"
            )
    return list(dict.fromkeys(number % count for number in isomer.frames)) or list(range(count))


def _within(window: float, numbers: Sequence[int], label: str, path: Path, frames: Sequence[Frame]) -> list[int]:
    energies = {}
    for number in numbers:
        energy = frames[number].energy
        if energy is None:
            raise InputError(
                f"structure.isomers.{label}.window_kcal_mol: {path} gives frame {number} no energy; leave it out"
            )
        energies[number] = energy
    lowest = min(energies.values())
    return [number for number in numbers if (energies[number] - lowest) * KCAL_MOL <= window]
