"""A relaxed structure -> the family of conformers it belongs to: what a chemist names, beyond energy and RMSD.

Two structures of one family have the same words in the same order ("S", "bent", "4d+2t"); how much of it (18 deg)
differs within a family. A structure may lie beyond a bound: it keeps its name, and does not stand for its isomer.
"""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

from qcdriver.geometry.bonds import changed_contacts, metal_atoms
from qcdriver.models.base import Frozen
from qcdriver.models.molecule import Molecule

BoundName = Literal["max_bend_deg", "allow_opened"]


class Bounds(Frozen):
    """How far a structure may be deformed and still stand for its isomer; None: without bound.

    Attributes
    ----------
    max_bend_deg
        The largest bend of a rod.
    allow_opened
        How many metal contacts may be open.
    """

    max_bend_deg: float | None = Field(default=None, gt=0)
    allow_opened: int | None = Field(default=None, ge=0)

    def or_else(self, others: Self) -> Self:
        """Return these bounds, with those of others where there are none here."""
        return self.model_copy(
            update={name: value for name, value in others if getattr(self, name) is None and value is not None}
        )


class Trait(Frozen):
    """One thing that tells a structure from others of its composition.

    Attributes
    ----------
    kind
        What is described: "rotamer", "bend", "contacts", "belt", "hydrides".
    word
        What all structures of a family have in common.
    value, unit
        How much of it, where there is a number that differs within a family.
    beyond
        The bound that it lies beyond, if it does.
    """

    kind: str
    word: str
    value: float | None = None
    unit: str | None = None
    beyond: BoundName | None = None

    def __str__(self) -> str:
        """Write it as a chemist would: "bent 18 deg"."""
        return self.word if self.value is None else f"{self.word} {self.value:.0f} {self.unit}"


class ConformerFamily(Frozen):
    """The family of a relaxed structure: its traits, in an order that is the same for all structures of a kind."""

    traits: tuple[Trait, ...]

    @property
    def words(self) -> tuple[str, ...]:
        """What two structures of one family have in common."""
        return tuple(trait.word for trait in self.traits)

    @property
    def within_bounds(self) -> bool:
        """Whether it may stand for its isomer."""
        return all(trait.beyond is None for trait in self.traits)

    def trait(self, kind: str) -> Trait | None:
        """Return its trait of one kind; None if it has none."""
        return next((trait for trait in self.traits if trait.kind == kind), None)

    @model_serializer(mode="wrap")
    def _with_its_name(self, fields: SerializerFunctionWrapHandler) -> dict[str, object]:
        return {"name": str(self), "within_bounds": self.within_bounds, **fields(self)}

    def __str__(self) -> str:
        """Write it as a chemist would: "S, bent 18 deg, 1 contact open, 3d+3t"."""
        return ", ".join(map(str, self.traits))


def contact_trait(opened: int, closed: int, bounds: Bounds) -> tuple[Trait, ...]:
    """Return one trait that says how many metal contacts are open, and how many are new; none where none is."""
    words = [
        f"{count} contact{'s' * (count > 1)} {what}" for count, what in ((opened, "open"), (closed, "new")) if count
    ]
    if not words:
        return ()
    beyond: BoundName | None = None
    if bounds.allow_opened is not None and opened > bounds.allow_opened:
        beyond = "allow_opened"
    return (Trait(kind="contacts", word=" and ".join(words), beyond=beyond),)


def contacts_against_start(molecule: Molecule, start: Molecule | None, bounds: Bounds) -> tuple[Trait, ...]:
    """Return what a structure that no known family describes has to tell: its metal contacts against its start.

    Without metal there is nothing to tell, as there is nothing when the start is not known.
    """
    if start is None or start.symbols != molecule.symbols or not (metals := metal_atoms(molecule)) or len(metals) < 2:
        return ()
    return contact_trait(*changed_contacts(start, molecule), bounds) or (Trait(kind="contacts", word="contacts kept"),)
