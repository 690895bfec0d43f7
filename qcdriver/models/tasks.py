"""Units of work: what a task computes follows from it alone."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, JsonValue, SerializerFunctionWrapHandler, model_serializer, model_validator

from qcdriver.models.base import Array, Frozen
from qcdriver.models.coordinates import Target
from qcdriver.models.excitations import ExcitationRequest
from qcdriver.models.level import Convergence, Level
from qcdriver.models.molecule import Molecule


class Build(Frozen):
    """Task: one geometry model of `source`, the `start`-th placement of its ligands drawn from `seed`."""

    kind: Literal["build"] = "build"
    source: str
    settings: dict[str, JsonValue]
    start: int = Field(default=0, ge=0)
    seed: int = 0
    program_version: str


class SinglePoint(Frozen):
    """Task: one energy, or energy and gradient, of one molecule at one level."""

    kind: Literal["single_point"] = "single_point"
    molecule: Molecule
    level: Level
    driver: Literal["energy", "gradient"] = "energy"


class Relaxation(Frozen):
    """Task: relax a molecule at one level, with atoms held still and coordinates held at a value.

    `start_hessian`: the level of the Hessian that it begins with; None: the model Hessian, and left out of JSON.
    """

    kind: Literal["relaxation"] = "relaxation"
    molecule: Molecule
    level: Level
    convergence: Convergence
    frozen_atoms: tuple[int, ...] = ()
    targets: tuple[Target, ...] = ()
    start_hessian: Level | None = None

    @model_serializer(mode="wrap")
    def _as_before(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        content: dict[str, Any] = serialize(self)
        if self.start_hessian is None:
            content.pop("start_hessian", None)
        return content


class PathSearch(Frozen):
    """Task: the minimum-energy path between two minima of one molecule, whose atoms are in the same order.

    `n_images` between the ends; `max_force`: largest component of the force on the band, hartree/bohr; `max_steps` of
    the band before it is a failure; `through`: geometries that the first guess passes through on its way.
    """

    kind: Literal["path"] = "path"
    molecule: Molecule
    end: Molecule
    through: tuple[Molecule, ...] = ()
    level: Level
    n_images: int = Field(ge=3)
    max_force: float = Field(gt=0)
    max_steps: int = Field(gt=0)

    @model_validator(mode="after")
    def _same_atoms(self) -> PathSearch:
        those = (self.molecule, *self.through, self.end)
        if (
            len({(relaxing.symbols, relaxing.molecular_charge, relaxing.molecular_multiplicity) for relaxing in those})
            > 1
        ):
            raise ValueError("the ends of a path differ in their atoms, their order, charge or multiplicity")
        return self


class SaddleSearch(Frozen):
    """Task: the saddle near a geometry, a maximum `along` one direction, (natoms, 3), and a minimum in all others."""

    kind: Literal["saddle"] = "saddle"
    molecule: Molecule
    level: Level
    along: Array
    convergence: Convergence

    @model_validator(mode="after")
    def _has_direction(self) -> SaddleSearch:
        if self.along.shape != self.molecule.geometry.shape or not self.along.any():
            raise ValueError(f"along has shape {self.along.shape}, or is no direction for {self.molecule.formula}")
        return self


class Vibrations(Frozen):
    """Task: the harmonic wavenumbers of a molecule at a stationary point.

    `atoms` that move, all if empty, the others standing still (a partial Hessian); `step` of the central differences of
    gradients, bohr.
    """

    kind: Literal["vibrations"] = "vibrations"
    molecule: Molecule
    level: Level
    atoms: tuple[int, ...] = ()
    step: float = Field(default=0.005, gt=0)

    @model_validator(mode="after")
    def _atoms_exist(self) -> Vibrations:
        for atom in self.atoms:
            if not 0 <= atom < len(self.molecule.symbols):
                raise ValueError(f"atom {atom} does not exist: there are {len(self.molecule.symbols)}, counted from 0")
        return self


class Excitations(Frozen):
    """Task: the vertical excitations of a molecule, from the ground state at one level."""

    kind: Literal["excitations"] = "excitations"
    molecule: Molecule
    level: Level
    request: ExcitationRequest


Task = Annotated[
    Build | SinglePoint | Relaxation | PathSearch | SaddleSearch | Vibrations | Excitations, Field(discriminator="kind")
]
"""One unit of work: what it computes follows from it alone."""
