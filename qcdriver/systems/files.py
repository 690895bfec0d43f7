"""The sources "xyz" and "cif" of `[structure]`: molecules as they are in files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from qcdriver.geometry.truncate import AlkynylModel, PhosphineModel, ThiolateModel, truncate
from qcdriver.io.cif import read_crystal
from qcdriver.io.xyz_frames import read_frame
from qcdriver.models.base import Frozen
from qcdriver.systems.base import Candidate, Label, Source, Structure
from qcdriver.systems.cu14 import fill_hydrides, find_cu14, placements

FileName = Annotated[str, Field(pattern=r"^[^\x00]+$")]


class FileIsomer(Frozen):
    """`[structure.isomers.LABEL]` of a file: its path, relative to the input file, and this isomer's own charge.

    `molecular_charge` and `molecular_multiplicity` here come before those of `[structure]`.
    """

    file: FileName
    molecular_charge: int | None = None
    molecular_multiplicity: int | None = Field(default=None, ge=1)


class FileStructure(Structure):
    """What `[structure]` has in common for all sources that read files.

    `molecular_charge` and `molecular_multiplicity` of all isomers, where these have none of their own. They are taken
    whatever a file says; what is left out is as the file says.
    """

    molecular_charge: int | None = None
    molecular_multiplicity: int | None = Field(default=None, ge=1)

    def charge_of(self, isomer: FileIsomer) -> int | None:
        """Return the charge that the input gives an isomer; None if it gives none."""
        return self.molecular_charge if isomer.molecular_charge is None else isomer.molecular_charge

    def multiplicity_of(self, isomer: FileIsomer) -> int | None:
        """Return the multiplicity that the input gives an isomer; None if it gives none."""
        return isomer.molecular_multiplicity or self.molecular_multiplicity


class XyzIsomer(FileIsomer):
    """`[structure.isomers.LABEL]` of an XYZ file: also which molecule of several, from 0."""

    frame: int | None = Field(default=None, ge=0)


class XyzStructure(FileStructure):
    """`[structure]` with source "xyz": geometries as they are in files.

    Charge and multiplicity that are not given in the input are those of a file's comment line, else 0 and 1.
    """

    source: Literal["xyz"]
    isomers: dict[Label, XyzIsomer] = Field(min_length=1)


class XyzSource(Source[XyzStructure]):
    """Molecules from XYZ files."""

    name = "xyz"
    suffix = ".xyz"
    Settings = XyzStructure

    def candidates(self, table: XyzStructure, folder: Path, starts: int, seed: int) -> list[Candidate]:
        """Read every file."""
        found = []
        for label, isomer in table.isomers.items():
            frame = read_frame(folder / isomer.file, isomer.frame)
            molecule, notes = frame.molecule(table.charge_of(isomer), table.multiplicity_of(isomer))
            found.append(Candidate(label, 0, molecule, notes=notes))
        return found


class CifIsomer(FileIsomer):
    """`[structure.isomers.LABEL]` of a crystal: also which molecule, by label, formula or role, and of which block."""

    pick: str = "cluster"
    block: str | None = None


class CifStructure(FileStructure):
    """`[structure]` with source "cif": molecules of crystal structures, their ligands cut down if asked.

    Charge and multiplicity that are not given in the input follow from the crystal's neutrality, where they do.
    `disorder` chooses a group for an assembly, where another than the most occupied one is wanted. `hydrides` fills the
    sites of a placement in a Cu14 cluster whose structure has none ("all": an isomer LABEL.PLACEMENT of each).
    """

    source: Literal["cif"]
    phosphine: PhosphineModel | None = None
    thiolate: ThiolateModel | None = None
    alkynyl: AlkynylModel | None = None
    disorder: dict[str, str] = Field(default_factory=dict)
    hydrides: str | None = None
    isomers: dict[Label, CifIsomer] = Field(min_length=1)


class CifSource(Source[CifStructure]):
    """Molecules of crystal structures."""

    name = "cif"
    suffix = ".cif"
    Settings = CifStructure

    def candidates(self, table: CifStructure, folder: Path, starts: int, seed: int) -> list[Candidate]:
        """Read every file, cut the ligands down and fill the hydrides in."""
        return [candidate for label in table.isomers for candidate in _from_crystal(table, label, folder)]


def _from_crystal(table: CifStructure, label: str, folder: Path) -> Iterator[Candidate]:
    isomer = table.isomers[label]
    picked = read_crystal(folder / isomer.file, isomer.block, table.disorder).pick(isomer.pick)
    charge = table.charge_of(isomer)
    molecule = picked.charged(charge, table.multiplicity_of(isomer))
    if table.phosphine or table.thiolate or table.alkynyl:
        molecule = truncate(molecule, table.phosphine, table.thiolate, table.alkynyl).molecule
    notes: tuple[str, ...] = ()
    if charge is not None and picked.charge not in (None, charge):
        notes = (f"molecular_charge = {charge} is taken from the input; the crystal gives {picked.charge:+d}",)
    if table.hydrides is None:
        yield Candidate(label, 0, molecule, notes=notes)
    elif table.hydrides != "all":
        yield Candidate(label, 0, fill_hydrides(molecule, table.hydrides), notes=notes)
    else:
        for placement in placements(find_cu14(molecule).thiolate_site):
            yield Candidate(f"{label}.{placement}", 0, fill_hydrides(molecule, placement), notes=notes)
