"""The source "cu14" of `[structure]`: models of the copper cluster with chosen ligands, hydrides and hand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from pydantic import Field

from qcdriver import __version__
from qcdriver.models.base import Frozen
from qcdriver.models.molecule import Molecule
from qcdriver.models.tasks import Build
from qcdriver.systems.base import Candidate, Label, Source, Structure, in_a_row
from qcdriver.systems.cu14.atoms import Handedness, ThiolateSite
from qcdriver.systems.cu14.model import Cu14Model, build_cu14, cu14_symbols
from qcdriver.systems.cu14.placements import placements
from qcdriver.systems.ligands.phosphines import PhosphineName
from qcdriver.systems.ligands.thiolates import ThiolateName


class Cu14Isomer(Frozen):
    """`[structure.isomers.LABEL]` of the copper cluster; what is left out is as `systems.cu14.Cu14Model` has it.

    `hydrides` = "all" makes an isomer LABEL.PLACEMENT of every placement of the hydrides in holes and grooves that no
    symmetry relates; "drawn" another C3-symmetric placement for every start, on bridges and caps too.
    """

    hydrides: str | None = None
    thiolate_site: ThiolateSite = "E2"
    handedness: Handedness | None = None
    shift_angstrom: float | None = Field(default=None, ge=-1.0, le=1.0)
    skew_deg: float | None = Field(default=None, ge=0.0, le=30.0)


class Cu14Structure(Structure):
    """`[structure]` with source "cu14": models of [Cu14(SR)3(PR3)8H10]+; starts beyond the first are distorted."""

    source: Literal["cu14"]
    phosphine: PhosphineName = "PH3"
    thiolate: ThiolateName = "SH"
    isomers: dict[Label, Cu14Isomer] = Field(min_length=1)


class Cu14Source(Source[Cu14Structure]):
    """Models of the copper cluster."""

    name = "cu14"
    example = "[structure.isomers.Cu14]\n"
    Settings = Cu14Structure
    draws_starts = True

    def candidates(self, table: Cu14Structure, folder: Path, starts: int, seed: int) -> list[Candidate]:
        """List the starts of every isomer, of all placements of its hydrides where these are asked for."""
        return [
            Candidate(label, start, self._task(model, start, seed))
            for label, model in _models(table)
            for start in range(starts)
        ]

    def build(self, task: Build) -> Molecule:
        """Build a copper cluster."""
        return build_cu14(Cu14Model.model_validate(task.settings), start=task.start, seed=task.seed)

    def unplaced(self, task: Build) -> Molecule:
        """Put the atoms of a copper cluster in a row."""
        return in_a_row(cu14_symbols(Cu14Model.model_validate(task.settings)), charge=1)

    def _task(self, model: Cu14Model, start: int, seed: int) -> Build:
        settings = model.model_dump(mode="json")
        return Build(source=self.name, settings=settings, start=start, seed=seed, program_version=__version__)


def _models(table: Cu14Structure) -> Iterator[tuple[str, Cu14Model]]:
    shared = {"phosphine": table.phosphine, "thiolate": table.thiolate}
    for label, isomer in table.isomers.items():
        own = shared | isomer.model_dump(exclude_none=True)
        if isomer.hydrides == "all":
            for placement in placements(isomer.thiolate_site):
                yield f"{label}.{placement}", Cu14Model.model_validate(own | {"hydrides": placement})
        else:
            yield label, Cu14Model.model_validate(own)
