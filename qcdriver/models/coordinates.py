"""Geometric coordinates that can be measured, driven and held. Lengths in bohr, angles in degrees."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from qcdriver.models.base import Frozen

Four = tuple[int, int, int, int]


class Distance(Frozen):
    """The distance of two atoms, bohr."""

    kind: Literal["distance"] = "distance"
    atoms: tuple[int, int]

    @model_validator(mode="after")
    def _different_atoms(self) -> Distance:
        _refuse_same(self.atoms, "two")
        return self


class Angle(Frozen):
    """The angle at the middle one of three atoms, degrees, [0, 180]."""

    kind: Literal["angle"] = "angle"
    atoms: tuple[int, int, int]

    @model_validator(mode="after")
    def _different_atoms(self) -> Angle:
        _refuse_same(self.atoms, "three")
        return self


class Torsion(Frozen):
    """The turn of one side against the other about an axis, degrees.

    `dihedral`: one quadruple of atoms. `twist`: the mean of several dihedrals that share their two middle atoms
    (ring atom - centre - centre - ring atom), the rotation of one group against another about an axis that the
    structure itself defines. `period_deg`: the coordinate's symmetry (72 for the rod), None if it has none but 360.
    """

    kind: Literal["dihedral", "twist"]
    quadruples: tuple[Four, ...] = Field(min_length=1)
    period_deg: float | None = None

    @model_validator(mode="after")
    def _four_atoms(self) -> Torsion:
        if self.kind == "dihedral" and len(self.quadruples) != 1:
            raise ValueError("a dihedral has one quadruple of atoms")
        for four in self.quadruples:
            _refuse_same(four, "four")
        return self


class Belt(Frozen):
    """The turn of a ring of ligands against the metal rings it lies between, about the metal's axis, degrees.

    The mean of dihedrals (metal ring atom - centre - centre - belt atom), each less its own of `offsets_deg`: where six
    halides lie on five metal atoms, each pair has another place. `period_deg` as of a torsion (12 for the rod).
    """

    kind: Literal["belt"] = "belt"
    quadruples: tuple[Four, ...] = Field(min_length=1)
    offsets_deg: tuple[float, ...]
    period_deg: float | None = None

    @model_validator(mode="after")
    def _four_atoms(self) -> Belt:
        if len(self.offsets_deg) != len(self.quadruples):
            raise ValueError("a belt has as many offsets as quadruples of atoms")
        for four in self.quadruples:
            _refuse_same(four, "four")
        return self


class Term(Frozen):
    """A coordinate and its weight in a linear combination."""

    weight: float
    coordinate: Annotated[Distance | Angle | Torsion | Belt, Field(discriminator="kind")]


class Combination(Frozen):
    """A weighted sum of coordinates of one unit, bohr or degrees: the difference of two bonds, say."""

    kind: Literal["combination"] = "combination"
    terms: tuple[Term, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _one_unit(self) -> Combination:
        if len({isinstance(term.coordinate, Distance) for term in self.terms}) > 1:
            raise ValueError("a combination of lengths and angles has no unit; take lengths or angles")
        if not any(term.weight for term in self.terms):
            raise ValueError("every weight of the combination is 0")
        return self


Coordinate = Annotated[Distance | Angle | Torsion | Belt | Combination, Field(discriminator="kind")]
"""A geometric coordinate that can be measured, driven and held."""


def _refuse_same(atoms: tuple[int, ...], how_many: str) -> None:
    if len(set(atoms)) != len(atoms) or min(atoms) < 0:
        raise ValueError(f"{list(atoms)} is not {how_many} different atoms counted from 0")


def is_length(coordinate: Coordinate) -> bool:
    """Tell whether a coordinate is a length, in bohr, or an angle, in degrees."""
    first = coordinate.terms[0].coordinate if isinstance(coordinate, Combination) else coordinate
    return isinstance(first, Distance)


class AngularTarget(Frozen):
    """An angular coordinate held at a value."""

    coordinate: Coordinate
    value_deg: float

    @property
    def value(self) -> float:
        """In the coordinate's unit: degrees."""
        return self.value_deg


class LengthTarget(Frozen):
    """A length held at a value, bohr."""

    coordinate: Coordinate
    value: float


Target = AngularTarget | LengthTarget
"""A coordinate held at a value."""


def held(coordinate: Coordinate, value: float) -> Target:
    """Hold a coordinate at a value in its own unit: bohr or degrees."""
    if is_length(coordinate):
        return LengthTarget(coordinate=coordinate, value=value)
    return AngularTarget(coordinate=coordinate, value_deg=value)
