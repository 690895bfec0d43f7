"""The sources of structures and the cluster families: each is one line here, or an entry point of another package."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

from qcdriver.errors import InputError
from qcdriver.geometry.description import describe_all, listed
from qcdriver.models.coordinates import AngularTarget, Coordinate
from qcdriver.models.molecule import Molecule
from qcdriver.models.tasks import Build
from qcdriver.plugins import with_plugins
from qcdriver.systems.ase_trajectory import AseSource
from qcdriver.systems.au13ag12.family import RodFamily
from qcdriver.systems.au13ag12.source import RodSource
from qcdriver.systems.base import Candidate, Family, Recognised, Source, Structure
from qcdriver.systems.conformer_family import Bounds, ConformerFamily, contacts_against_start
from qcdriver.systems.cu14.family import Cu14Family
from qcdriver.systems.cu14.source import Cu14Source
from qcdriver.systems.ensemble import EnsembleSource
from qcdriver.systems.files import CifSource, XyzSource
from qcdriver.systems.qcschema import QcschemaSource
from qcdriver.systems.run import RunSource

SOURCES: tuple[Source[Any], ...] = (
    RodSource(),
    Cu14Source(),
    XyzSource(),
    CifSource(),
    RunSource(),
    EnsembleSource(),
    AseSource(),
    QcschemaSource(),
)
FAMILIES: tuple[Family[Any], ...] = (RodFamily(), Cu14Family())


def sources() -> dict[str, Source[Any]]:
    """Return all sources by their names, those of plugins last.

    Raises
    ------
    InputError, MissingError
        A plugin is broken.
    """
    return with_plugins(SOURCES, "qcdriver.sources", Source)


def families() -> dict[str, Family[Any]]:
    """Return all cluster families by their names, those of plugins last.

    Raises
    ------
    InputError, MissingError
        A plugin is broken.
    """
    return with_plugins(FAMILIES, "qcdriver.families", Family)


def recognise(molecule: Molecule) -> Recognised | None:
    """Find the first family that a molecule holds a cluster of; None if it holds none."""
    for family in families().values():
        if (found := family.recognise(molecule)) is not None:
            return Recognised(family, found)
    return None


def conformer_family(molecule: Molecule, start: Molecule | None, bounds: Bounds) -> ConformerFamily | None:
    """Find the family of conformers that a relaxed structure belongs to.

    Parameters
    ----------
    start
        What it was relaxed from, with the same atoms in the same order; None if that is not known.
    bounds
        Of the input; where it has none, those of the cluster's family hold.

    Returns
    -------
    ConformerFamily | None
        None where nothing is known that would tell families apart.
    """
    known = recognise(molecule)
    if known is None:
        traits = contacts_against_start(molecule, start, bounds)
    else:
        traits = known.family.traits(molecule, known.found, start, bounds.or_else(known.family.bounds))
    return ConformerFamily(traits=traits) if traits else None


def family_coordinate(kind: str, molecule: Molecule, near_deg: float) -> Coordinate:
    """Find a coordinate that a family defines, in a molecule.

    Parameters
    ----------
    kind
        Its name, a key of `Family.coordinates`.
    near_deg
        Of the equivalent numberings of its atoms, the one is taken whose value is nearest to this.

    Raises
    ------
    InputError
        No family has such a coordinate, or the molecule holds no cluster of that family.
    """
    having = [family for family in families().values() if kind in family.coordinates]
    if not having:
        raise InputError(f"no cluster family has a coordinate {kind!r}")
    family = next((family for family in having if family.recognise(molecule) is not None), having[0])
    return family.coordinates[kind](molecule, near_deg)


def candidates(structure: Structure, folder: Path, starts: int, seed: int) -> list[Candidate]:
    """List the candidates that `[structure]` asks for; files are read here, models are built later.

    Parameters
    ----------
    folder
        The folder of the input file, to which paths in it are relative.
    starts, seed
        How many starts an isomer has, and the seed from which they are drawn.

    Raises
    ------
    InputError
        A file is missing or broken, a name does not exist, or two candidates would have one label.
    """
    found = sources()[structure.source].candidates(structure, folder, starts, seed)
    for label, count in Counter(candidate.label for candidate in found).items():
        if count > 1:
            raise InputError(
                f"structure.isomers: {count} candidates would be called {label}: an isomer of this name, and one that "
                "is made from another; rename the isomer"
            )
    return [_with_target(candidate) for candidate in found]


def _with_target(candidate: Candidate) -> Candidate:
    """Add the coordinate that makes a molecule from a file its isomer, if a family knows one."""
    molecule = candidate.origin
    if isinstance(molecule, Build) or candidate.target is not None or (known := recognise(molecule)) is None:
        return candidate
    return replace(candidate, target=known.family.target(molecule, known.found))


def structure_of_one(source: str, label: str, keys: Mapping[str, object]) -> dict[str, object]:
    """Return the table `[structure]` of a single isomer, as an input would have it; it is not checked.

    Parameters
    ----------
    label
        What the isomer is called.
    keys
        The keys of the source's table and of the isomer's own, together.

    Raises
    ------
    InputError
        There is no source of that name.
    """
    if source not in sources():
        raise InputError(f"no source of structures named {source!r}; there are {', '.join(sources())}")
    isomers = sources()[source].Settings.model_fields["isomers"].annotation
    own = getattr(get_args(isomers)[1], "model_fields", {})
    isomer = {key: value for key, value in keys.items() if key in own}
    shared = {key: value for key, value in keys.items() if key not in own}
    return {"source": source, "isomers": {label: isomer}, **shared}


def descriptions(candidates: Sequence[Candidate]) -> list[str]:
    """Describe what is about to be computed: formula, charge, multiplicity and electrons, and the notes.

    One line for all candidates that have one of these in common. Nothing is built for it.
    """
    lines = describe_all({candidate.label: unplaced(candidate) for candidate in candidates})
    alike: dict[str, list[str]] = {}
    for candidate in candidates:
        for note in candidate.notes:
            alike.setdefault(note, []).append(candidate.label)
    return [*lines, *(f"{listed(labels)}: {note}" for note, labels in alike.items())]


def geometry_of(candidate: Candidate) -> Molecule:
    """Return the molecule of a candidate, building it now if it is a model.

    Raises
    ------
    InputError
        No model can be built with these settings.
    """
    return build(candidate.origin) if isinstance(candidate.origin, Build) else candidate.origin


def unplaced(candidate: Candidate) -> Molecule:
    """Return the molecule of a candidate; of a model that is not built yet, its atoms at places that mean nothing."""
    task = candidate.origin
    return _source_of(task).unplaced(task) if isinstance(task, Build) else task


def build(task: Build) -> Molecule:
    """Build the model of a task.

    Raises
    ------
    InputError
        There is no source of that name, or it can build no such model.
    """
    return _source_of(task).build(task)


def built_target(task: Build, molecule: Molecule) -> AngularTarget | None:
    """Return the coordinate that makes a built model its isomer, at its value; None if there is none."""
    return _source_of(task).target(task, molecule)


def has_target(candidate: Candidate) -> bool:
    """Whether a coordinate makes a candidate its isomer, which the prescreen may have to hold."""
    if isinstance(candidate.origin, Build):
        return _source_of(candidate.origin).has_target
    return candidate.target is not None


def _source_of(task: Build) -> Source[Any]:
    known = sources()
    if task.source not in known:
        raise InputError(f"no builder named {task.source!r}; there are {', '.join(known)}")
    return known[task.source]
