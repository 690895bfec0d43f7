"""The source "au13ag12" of `[structure]`: models of the rotor at given angles."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from qcdriver import __version__
from qcdriver.models.base import Frozen
from qcdriver.models.coordinates import AngularTarget
from qcdriver.models.molecule import Molecule
from qcdriver.models.tasks import Build
from qcdriver.systems.au13ag12.measures import twist_target
from qcdriver.systems.au13ag12.model import Halide, RodModel, build_rod, rod_symbols
from qcdriver.systems.base import Candidate, Label, Source, Structure, in_a_row
from qcdriver.systems.ligands.phosphines import PhosphineName


class RodIsomer(Frozen):
    """`[structure.isomers.LABEL]` of a rod: twist between the icosahedra, and of the belt, in degrees."""

    twist_deg: float = 0.0
    belt_deg: float = 0.0


class RodStructure(Structure):
    """`[structure]` with source "au13ag12": models of [Au13Ag12(PR3)10X8]+."""

    source: Literal["au13ag12"]
    phosphine: PhosphineName = "PH3"
    halide: Halide = "Cl"
    isomers: dict[Label, RodIsomer] = Field(min_length=1)


class RodSource(Source[RodStructure]):
    """Models of the rod; an isomer is a twist and a belt angle."""

    name = "au13ag12"
    Settings = RodStructure
    example = "[structure.isomers.E]\ntwist_deg = 0\n\n[structure.isomers.S]\ntwist_deg = 36\n"
    draws_starts = True
    has_target = True

    def candidates(self, table: RodStructure, folder: Path, starts: int, seed: int) -> list[Candidate]:
        """List the starts of every isomer."""
        return [
            Candidate(label, start, self._task(table, isomer, start, seed))
            for label, isomer in table.isomers.items()
            for start in range(starts)
        ]

    def build(self, task: Build) -> Molecule:
        """Build a rod."""
        return build_rod(RodModel.model_validate(task.settings), start=task.start, seed=task.seed)

    def unplaced(self, task: Build) -> Molecule:
        """Put the atoms of a rod in a row."""
        return in_a_row(rod_symbols(RodModel.model_validate(task.settings)), charge=1)

    def target(self, task: Build, molecule: Molecule) -> AngularTarget:
        """Return the twist at the value that the model was asked for."""
        return twist_target(molecule, RodModel.model_validate(task.settings).twist_deg)

    def _task(self, table: RodStructure, isomer: RodIsomer, start: int, seed: int) -> Build:
        model = RodModel(phosphine=table.phosphine, halide=table.halide, **isomer.model_dump())
        settings = model.model_dump(mode="json")
        return Build(source=self.name, settings=settings, start=start, seed=seed, program_version=__version__)
