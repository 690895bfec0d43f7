"""The source "ensemble" of `[structure]`: what CREST, CENSO and ORCA leave, XYZ frames with energies in comments."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from qcdriver.io.ensemble import read_ensemble
from qcdriver.systems.base import Candidate, Source
from qcdriver.systems.frames import FramesStructure, frame_candidates


class EnsembleStructure(FramesStructure):
    """`[structure]` with source "ensemble": conformers that CREST, CENSO or ORCA found, as XYZ frames in a file.

    Such files name neither charge nor multiplicity: `molecular_charge` and `molecular_multiplicity` have to, here or in
    the table of an isomer, where the comment lines do not.
    """

    source: Literal["ensemble"]


class EnsembleSource(Source[EnsembleStructure]):
    """Ensembles of conformers from other programs."""

    name = "ensemble"
    suffix = ".xyz"
    relaxed = True
    Settings = EnsembleStructure

    def candidates(self, table: EnsembleStructure, folder: Path, starts: int, seed: int) -> list[Candidate]:
        """Read every file."""
        return [
            candidate
            for label, isomer in table.isomers.items()
            for candidate in frame_candidates(table, label, folder / isomer.file, read_ensemble(folder / isomer.file))
        ]
