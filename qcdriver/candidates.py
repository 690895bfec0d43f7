"""`[structure]` -> the candidates of the prescreen: models to build, or files to read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from qcdriver import __version__
from qcdriver.config.settings import (
    CifIsomer,
    CifStructure,
    Cu14Isomer,
    Cu14Structure,
    RodStructure,
    Settings,
    XyzStructure,
)
from qcdriver.records import content_key, rounded, task_key
from qcdriver.schema import AngularTarget, Build, Molecule
from qcdriver.structures import builders
from qcdriver.structures.au13ag12 import RodModel
from qcdriver.structures.crystal import read_crystal
from qcdriver.structures.cu14 import Cu14Model, fill_hydrides, find_cu14, placements
from qcdriver.structures.files import read_xyz
from qcdriver.structures.rod import find_rod, measure_rod, twist_coordinate
from qcdriver.structures.truncate import truncate


@dataclass(frozen=True)
class Candidate:
    """What the prescreen starts from: which isomer it is meant to be, which start of it, and where its geometry is.

    `origin` is a task that builds it, or the molecule a file holds. `target` is the coordinate that makes it this
    isomer, at its value; None if nothing but the geometry does, or if it has to be built first.
    """

    isomer: str
    start: int
    origin: Build | Molecule
    target: AngularTarget | None = None

    @property
    def label(self) -> str:
        """What a person knows it by."""
        return f"{self.isomer}#{self.start}" if self.start else self.isomer

    @property
    def key(self) -> str:
        """Hash of what determines the geometry; of a model, the key of the record that holds it."""
        if isinstance(self.origin, Build):
            return task_key(self.origin)
        return content_key(rounded(self.origin))


def candidates(settings: Settings, folder: Path) -> list[Candidate]:
    """List every candidate the input asks for; files are read here, relative to `folder`.

    Raises
    ------
    InputError
        A file is missing or broken.
    """
    structure = settings.structure
    if isinstance(structure, XyzStructure):
        charge, multiplicity = structure.molecular_charge, structure.molecular_multiplicity
        return [
            _read(label, read_xyz(folder / isomer.file, charge, multiplicity, isomer.frame))
            for label, isomer in structure.isomers.items()
        ]
    if isinstance(structure, CifStructure):
        return [_read(label, molecule) for label, molecule in _from_crystals(structure, folder)]
    return [
        Candidate(label, start, _build(structure.source, model, start, settings.prescreen.seed))
        for label, model in _models(structure)
        for start in range(settings.prescreen.starts)
    ]


def _models(structure: RodStructure | Cu14Structure) -> Iterator[tuple[str, RodModel | Cu14Model]]:
    """Give the settings of every isomer's model; of all placements of its hydrides where these are asked for."""
    shared = structure.model_dump(exclude={"source", "isomers"})
    for label, isomer in structure.isomers.items():
        own = shared | isomer.model_dump(exclude_none=True)
        if not isinstance(isomer, Cu14Isomer):
            yield label, RodModel.model_validate(own)
        elif isomer.hydrides != "all":
            yield label, Cu14Model.model_validate(own)
        else:
            for placement in placements(isomer.thiolate_site):
                yield f"{label}.{placement}", Cu14Model.model_validate(own | {"hydrides": placement})


def _from_crystals(structure: CifStructure, folder: Path) -> Iterator[tuple[str, Molecule]]:
    for label, isomer in structure.isomers.items():
        molecule = _from_crystal(structure, isomer, folder)
        if structure.hydrides is None:
            yield label, molecule
        elif structure.hydrides != "all":
            yield label, fill_hydrides(molecule, structure.hydrides)
        else:
            for placement in placements(find_cu14(molecule).thiolate_site):
                yield f"{label}.{placement}", fill_hydrides(molecule, placement)


def _from_crystal(structure: CifStructure, isomer: CifIsomer, folder: Path) -> Molecule:
    crystal = read_crystal(folder / isomer.file, isomer.block, structure.disorder)
    molecule = crystal.pick(isomer.pick).charged(isomer.molecular_charge, isomer.molecular_multiplicity)
    if structure.phosphine or structure.thiolate or structure.alkynyl:
        return truncate(molecule, structure.phosphine, structure.thiolate, structure.alkynyl).molecule
    return molecule


def _build(source: str, model: RodModel | Cu14Model, start: int, seed: int) -> Build:
    return Build(
        source=source, settings=model.model_dump(mode="json"), start=start, seed=seed, program_version=__version__
    )


def _read(label: str, molecule: Molecule) -> Candidate:
    if find_rod(molecule) is None:
        return Candidate(label, 0, molecule)
    return Candidate(label, 0, molecule, twist_target(molecule, measure_rod(molecule).twist_deg))


def geometry_of(candidate: Candidate) -> Molecule:
    """Give the geometry now, building the model if it is one.

    Raises
    ------
    InputError
        As the builder does.
    """
    return builders.build(candidate.origin) if isinstance(candidate.origin, Build) else candidate.origin


def built_target(task: Build, molecule: Molecule) -> AngularTarget | None:
    """Find the coordinate that makes a built model its isomer: a rod's twist."""
    if task.source != "au13ag12":
        return None
    return twist_target(molecule, RodModel.model_validate(task.settings).twist_deg)


def twist_target(rod: Molecule, twist_deg: float) -> AngularTarget:
    """Name a rod's twist, at a value."""
    return AngularTarget(coordinate=twist_coordinate(rod, twist_deg), value_deg=twist_deg)
