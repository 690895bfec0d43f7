"""What a source of structures and a cluster family are: the two contracts, and the candidate of a run."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, Generic, Literal, NamedTuple, TypeVar

import numpy as np
from pydantic import Field

from qcdriver.errors import InputError
from qcdriver.models.base import Frozen
from qcdriver.models.coordinates import AngularTarget, Coordinate
from qcdriver.models.molecule import Molecule, Unplaced
from qcdriver.models.tasks import Build
from qcdriver.store import content_key, rounded, task_key
from qcdriver.systems.conformer_family import Bounds, Trait, contacts_against_start
from qcdriver.units import ANGSTROM

Label = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.+-]*$")]
"""What a user may call an isomer."""


class Structure(Frozen):
    """`[structure]` of an input: where the molecules come from, and a table for each isomer.

    A source has a subclass of its own: `source` is a `Literal` of the source's name, `isomers` has its own type of
    table, and all other keys are what the isomers share.
    """

    source: str
    isomers: dict[Label, Any] = Field(min_length=1)


_MOST_STARTS = 100_000
"""More starts than any isomer has."""

S = TypeVar("S", bound=Structure)
F = TypeVar("F")


class TakenFrom(NamedTuple):
    """Another run, and the key of its record that has the geometry of a candidate."""

    directory: Path
    key: str


@dataclass(frozen=True)
class Candidate:
    """A molecule that the prescreen starts from.

    Attributes
    ----------
    isomer
        The label of the isomer that it is meant to be.
    start
        Which start of this isomer, from 0.
    origin
        The task that builds it, or the molecule that a file holds.
    target
        The coordinate that makes it this isomer, at its value; None if there is none, or if it has to be built first.
    notes
        Lines for the user about where it, its charge and its multiplicity come from.
    taken_from
        The record of another run whose geometry it is; None: it is of no run.
    """

    isomer: str
    start: int
    origin: Build | Molecule
    target: AngularTarget | None = None
    notes: tuple[str, ...] = ()
    taken_from: TakenFrom | None = None

    @property
    def label(self) -> str:
        """The name that a person sees: ISOMER, or ISOMER#START for another start than the first."""
        return _label(self.isomer, self.start)

    @property
    def key(self) -> str:
        """Hash of what determines the geometry; of a model, the key of the record that holds it."""
        if isinstance(self.origin, Build):
            return task_key(self.origin)
        return content_key(rounded(self.origin))


def _label(isomer: str, start: int) -> str:
    return f"{isomer}#{start}" if start else isomer


def start_of(isomer: str, label: str) -> int:
    """Return which start of an isomer a candidate of another run was, so that its label is the same here.

    Raises
    ------
    InputError
        No start of the isomer is called so.
    """
    for start in range(_MOST_STARTS):
        if _label(isomer, start) == label:
            return start
    raise InputError(f"{label!r} is no conformer of the isomer {isomer!r}")


class Source(ABC, Generic[S]):
    """A source of structures: the word `source` in `[structure]` chooses it.

    Attributes
    ----------
    name
        The word in the input, and in the tasks that build a model.
    Settings
        The table `[structure]` with this source, typed. Its docstring and fields are the reference.
    draws_starts
        Whether an isomer has several starts, drawn from a seed; a file has one.
    has_target
        Whether `target` gives a coordinate for what this source builds.
    relaxed
        Whether what it reads was relaxed as a whole already, so that a force field would only take it away from there.
    suffix
        How the names of the files end that it reads; None: it builds models.
    example
        Of a source of models, the table of an isomer as a new input has it.
    """

    name: ClassVar[str]
    Settings: ClassVar[type[Structure]]
    draws_starts: ClassVar[bool] = False
    has_target: ClassVar[bool] = False
    relaxed: ClassVar[bool] = False
    suffix: ClassVar[str | None] = None
    example: ClassVar[str] = ""

    @abstractmethod
    def candidates(self, table: S, folder: Path, starts: int, seed: int) -> list[Candidate]:
        """List the candidates of an input.

        Parameters
        ----------
        table
            The table `[structure]`.
        folder
            The folder of the input file, to which paths in it are relative.
        starts, seed
            How many starts every isomer has, and the seed from which they are drawn.

        Raises
        ------
        InputError
            A file is missing or broken, or the table asks for something that does not exist.
        """

    def build(self, task: Build) -> Molecule:
        """Build the model of a task that this source made; only a source that makes such tasks has it.

        Raises
        ------
        InputError
            No model can be built with these settings.
        """
        raise InputError(f"the source {self.name!r} builds no models")

    def unplaced(self, task: Build) -> Molecule:
        """Return the atoms, charge and multiplicity of a model at places that mean nothing.

        What does not depend on the places, such as a basis set for every element, is checked with it before a model is
        built. A source whose models take seconds should have it; this one builds the model.
        """
        return self.build(task)

    def target(self, task: Build, molecule: Molecule) -> AngularTarget | None:
        """Return the coordinate that makes a built model its isomer, at its value; None if there is none."""
        return None


def in_a_row(symbols: tuple[str, ...], charge: int) -> Unplaced:
    """Put atoms in a row, 2 Angstrom apart, as a singlet: for `Source.unplaced`."""
    places = np.outer(np.arange(len(symbols)), [0.0, 0.0, 2.0 / ANGSTROM])
    return Unplaced(symbols=symbols, geometry=places, molecular_charge=charge)


class Column(NamedTuple):
    """One measure in a table: its heading with the unit, and how its cell is written."""

    heading: str
    cell: Callable[[Any], str]
    justify: Literal["left", "right"] = "right"


class Family(ABC, Generic[F]):
    """A family of clusters that the program knows: it finds one in a molecule, names its atoms and measures it.

    Only `recognise`, `site_names` and `measures` have to be written. What a family finds in a molecule (`F`) says which
    atom is which, by index from 0.

    Attributes
    ----------
    name
        What it is called in the files that the program writes.
    Measures
        The type of what `measures` returns.
    coordinates
        The coordinates that are found in the structure itself, by the `kind` of `[[scan.coordinate]]`: a function of a
        molecule and of the value (degrees) near which the coordinate is wanted. They are angles and change their sign
        or keep it under the symmetries of the family.
    comparison_rows
        The measures in the table of `qcdriver compare`.
    site_note
        A line that explains the names of the sites, below that table.
    between_parts
        What a bond is called that joins two of the `site_parts`.
    conformer_columns
        What `glance` gives, in the table of conformers, or in a table of its own.
    conformer_title
        The title of a table of its own; None: the columns stand in the table of conformers.
    summary_member
        The member of a conformer in `summary.json` that holds what `glance` gives; None: `measured.NAME`.
    bounds
        How far a structure may be deformed and still stand for its isomer, where the input says nothing.
    """

    name: ClassVar[str]
    Measures: ClassVar[type[Frozen]]
    coordinates: ClassVar[Mapping[str, Callable[[Molecule, float], Coordinate]]] = {}
    comparison_rows: ClassVar[tuple[Column, ...]] = ()
    site_note: ClassVar[str | None] = None
    between_parts: ClassVar[str] = "between parts"
    conformer_columns: ClassVar[tuple[Column, ...]] = ()
    conformer_title: ClassVar[str | None] = None
    summary_member: ClassVar[str | None] = None
    bounds: ClassVar[Bounds] = Bounds()

    @abstractmethod
    def recognise(self, molecule: Molecule) -> F | None:
        """Find a cluster of this family in a molecule; None if there is none."""

    @abstractmethod
    def site_names(self, found: F) -> dict[int, str]:
        """Name the sites of the core, by atom; atoms without a name here are named by their symmetry orbit."""

    @abstractmethod
    def measures(self, molecule: Molecule, found: F) -> Frozen:
        """Measure what tells the conformers of this family apart."""

    def glance(self, molecule: Molecule, found: F) -> Frozen:
        """Return what the summary of a run says about a conformer: the measures, unless a family chooses others."""
        return self.measures(molecule, found)

    def traits(self, molecule: Molecule, found: F, start: Molecule | None, bounds: Bounds) -> tuple[Trait, ...]:
        """Return what tells the families of relaxed structures apart, always in one order.

        Parameters
        ----------
        start
            What the structure was relaxed from, with the same atoms in the same order; None if that is not known.
        bounds
            A trait beyond one of them names it.

        Returns
        -------
        tuple[Trait, ...]
            Without a method of a family's own, its metal contacts against the start.
        """
        return contacts_against_start(molecule, start, bounds)

    def point_note(self, molecule: Molecule, found: F) -> str | None:
        """Return one word on the structure at a point of a scan; a rod says how its belt halides bind."""
        return None

    def guides(self, molecule: Molecule, found: F) -> dict[str, tuple[int, ...]]:
        """Return lines through atoms that help to see a structure in space, by what they are: "axis", say."""
        return {}

    def target(self, molecule: Molecule, found: F) -> AngularTarget | None:
        """Return the coordinate that makes a molecule from a file the isomer it is, at its value there."""
        return None

    def symmetry_sign(self, kind: str, mirrored: bool, flipped: bool) -> int:
        """Return the sign that one of `coordinates` takes in an image of equal energy.

        Parameters
        ----------
        kind
            A key of `coordinates`.
        mirrored, flipped
            Whether the image is the mirror image, and whether it is seen from the cluster's other end.

        Returns
        -------
        1 or -1; 0 if the clusters of this family have no such image.
        """
        return 0

    def site_parts(self, found: F) -> dict[int, str]:
        """Return the part of the core that each atom belongs to, by atom; bonds are grouped by these parts."""
        return {}

    def chiral_parts(self, found: F) -> dict[str, tuple[int, ...]]:
        """Name the sets of atoms whose chirality is measured beside that of the metal, the core and all atoms."""
        return {}

    def hand(self, found: F) -> str | None:
        """Name the hand of a cluster; None: it is the sign of the core's chirality."""
        return None


class Recognised(NamedTuple):
    """A family, and the cluster of it that was found in a molecule."""

    family: Family[Any]
    found: Any
