"""The source "ase" of `[structure]`: images of a trajectory that ASE wrote."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from qcdriver.io.ase_trajectory import read_trajectory
from qcdriver.systems.base import Candidate, Source
from qcdriver.systems.frames import FramesStructure, frame_candidates


class AseStructure(FramesStructure):
    """`[structure]` with source "ase": images of ASE trajectories (.traj).

    Charge and multiplicity that the input does not give are `info["charge"]` and `info["multiplicity"]` of an image,
    else the sum of its initial charges, and of its initial magnetic moments plus 1, where it has any.
    """

    source: Literal["ase"]


class AseSource(Source[AseStructure]):
    """Images of ASE trajectories."""

    name = "ase"
    suffix = ".traj"
    Settings = AseStructure

    def candidates(self, table: AseStructure, folder: Path, starts: int, seed: int) -> list[Candidate]:
        """Read every file."""
        return [
            candidate
            for label, isomer in table.isomers.items()
            for candidate in frame_candidates(table, label, folder / isomer.file, read_trajectory(folder / isomer.file))
        ]
