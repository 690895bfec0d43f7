"""The source "qcschema" of `[structure]`: molecules in MolSSI's JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from qcdriver.io.qcschema import read_qcschema
from qcdriver.systems.base import Candidate, Source
from qcdriver.systems.frames import FramesStructure, frame_candidates


class QcschemaStructure(FramesStructure):
    """`[structure]` with source "qcschema": molecules of QCSchema, version 1 or 2, alone or in inputs and results.

    A file holds one JSON document, a list of them, or one a line; of an optimisation its last molecule is taken.
    """

    source: Literal["qcschema"]


class QcschemaSource(Source[QcschemaStructure]):
    """Molecules of QCSchema."""

    name = "qcschema"
    suffix = ".json"
    Settings = QcschemaStructure

    def candidates(self, table: QcschemaStructure, folder: Path, starts: int, seed: int) -> list[Candidate]:
        """Read every file."""
        return [
            candidate
            for label, isomer in table.isomers.items()
            for candidate in frame_candidates(table, label, folder / isomer.file, read_qcschema(folder / isomer.file))
        ]
