"""`[structure]` -> the candidates of the prescreen: models to build, or files to read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from qcdriver import __version__
from qcdriver.config import CifIsomer, CifStructure, RodStructure, Settings, XyzStructure
from qcdriver.records import content_key, rounded, task_key
from qcdriver.schema import Build, Built, Molecule, Target
from qcdriver.stage import Runner
from qcdriver.structures.au13ag12 import RodModel
from qcdriver.structures.crystal import read_crystal
from qcdriver.structures.files import read_xyz
from qcdriver.structures.rod import find_rod, measure_rod, twist_coordinate
from qcdriver.structures.truncate import truncate


@dataclass(frozen=True)
class Candidate:
    """A geometry to relax: the isomer it is meant to be, which placement of its ligands, and the key of its origin.

    `target` is the coordinate that makes it this isomer, at its value; None if nothing but the geometry does.
    """

    isomer: str
    start: int
    molecule: Molecule
    key: str
    target: Target | None = None

    @property
    def label(self) -> str:
        """What a person knows it by."""
        return label_of(self.isomer, self.start)


@dataclass(frozen=True)
class Model:
    """A candidate before its geometry exists: a task that builds it, or the molecule a file holds."""

    isomer: str
    start: int
    origin: Build | Molecule

    @property
    def label(self) -> str:
        """What a person knows it by."""
        return label_of(self.isomer, self.start)

    @property
    def key(self) -> str:
        """Hash of what determines the geometry."""
        if isinstance(self.origin, Build):
            return task_key(self.origin)
        return content_key(rounded(self.origin))


def label_of(isomer: str, start: int) -> str:
    """Name a candidate: the isomer, and the start when it is not the first."""
    return f"{isomer}#{start}" if start else isomer


def models(settings: Settings, folder: Path) -> list[Model]:
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
            Model(label, 0, read_xyz(folder / isomer.file, charge, multiplicity, isomer.frame))
            for label, isomer in structure.isomers.items()
        ]
    if isinstance(structure, CifStructure):
        return [
            Model(label, 0, _from_crystal(structure, isomer, folder)) for label, isomer in structure.isomers.items()
        ]
    return [
        Model(label, start, _build(structure, label, start, settings.prescreen.seed))
        for label in structure.isomers
        for start in range(settings.prescreen.starts)
    ]


def _from_crystal(structure: CifStructure, isomer: CifIsomer, folder: Path) -> Molecule:
    crystal = read_crystal(folder / isomer.file, isomer.block, structure.disorder)
    molecule = crystal.pick(isomer.pick).charged(isomer.molecular_charge, isomer.molecular_multiplicity)
    if structure.phosphine or structure.thiolate or structure.alkynyl:
        return truncate(molecule, structure.phosphine, structure.thiolate, structure.alkynyl).molecule
    return molecule


def _build(structure: RodStructure, label: str, start: int, seed: int) -> Build:
    isomer = structure.isomers[label]
    model = RodModel(
        phosphine=structure.phosphine, halide=structure.halide, twist_deg=isomer.twist_deg, belt_deg=isomer.belt_deg
    )
    return Build(
        source=structure.source,
        settings=model.model_dump(mode="json"),
        start=start,
        seed=seed,
        program_version=__version__,
    )


def build(those: Sequence[Model], run: Runner) -> list[Candidate]:
    """Give every model its geometry."""
    todo = [(each.label, each.origin) for each in those if isinstance(each.origin, Build)]
    built = {record.key: record.outcome for record in run(todo)} if todo else {}
    candidates = []
    for each in those:
        outcome = built.get(each.key)
        molecule = outcome.molecule if isinstance(outcome, Built) else each.origin
        assert isinstance(molecule, Molecule), f"{each.label} was not built"
        candidates.append(Candidate(each.isomer, each.start, molecule, each.key, _target(each.origin, molecule)))
    return candidates


def _target(origin: Build | Molecule, molecule: Molecule) -> Target | None:
    """Give a rod the twist it was built with, or has in its file."""
    if isinstance(origin, Build):
        twist = RodModel.model_validate(origin.settings).twist_deg
    elif find_rod(molecule) is not None:
        twist = measure_rod(molecule).twist_deg
    else:
        return None
    return Target(coordinate=twist_coordinate(molecule, twist), value_deg=twist)
