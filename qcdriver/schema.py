"""What travels through the program: molecules, specifications, tasks, results, provenance. All typed, all frozen.

Names are QCSchema's where it has one. Everything is in atomic units (bohr, hartree, hartree/bohr, radian for no
thing: angles are in degrees and say so). Unknown is None. Every class is one JSON object and back, bit for bit.
"""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    PlainSerializer,
    WithJsonSchema,
    field_validator,
    model_validator,
)

ELEMENTS = (  # in the order of their atomic numbers
    "H He Li Be B C N O F Ne Na Mg Al Si P S Cl Ar K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As Se Br Kr "
    "Rb Sr Y Zr Nb Mo Tc Ru Rh Pd Ag Cd In Sn Sb Te I Xe Cs Ba La Ce Pr Nd Pm Sm Eu Gd Tb Dy Ho Er Tm Yb Lu "
    "Hf Ta W Re Os Ir Pt Au Hg Tl Pb Bi Po At Rn Fr Ra Ac Th Pa U Np Pu Am Cm Bk Cf Es Fm Md No Lr"
).split()
ATOMIC_NUMBER = {symbol: number for number, symbol in enumerate(ELEMENTS, start=1)}


def _as_array(value: object) -> np.ndarray:
    array = np.array(value, dtype=float)
    if not np.isfinite(array).all():
        raise ValueError("holds a number that is not finite")
    array.setflags(write=False)
    return array


Array = Annotated[
    np.ndarray,
    BeforeValidator(_as_array),
    PlainSerializer(lambda a: a.tolist()),
    WithJsonSchema({"type": "array"}),
]
"""A read-only float array; nested lists in JSON, exact to the last bit."""


class Frozen(BaseModel):
    """Base of every type here: immutable, and an unknown field is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True, allow_inf_nan=False)

    def __eq__(self, other: object) -> bool:
        # Pydantic's own comparison fails on arrays.
        return type(self) is type(other) and self.model_dump_json() == other.model_dump_json()

    def __hash__(self) -> int:
        return hash(self.model_dump_json())


class Molecule(Frozen):
    """One molecule, its charge and spin.

    Attributes
    ----------
    symbols
        Element symbols, (natoms,).
    geometry
        Positions, (natoms, 3), bohr.
    molecular_charge
        Total charge.
    molecular_multiplicity
        2S + 1. Must fit the number of electrons.
    """

    symbols: tuple[str, ...]
    geometry: Array
    molecular_charge: int = 0
    molecular_multiplicity: int = Field(default=1, ge=1)

    @field_validator("symbols")
    @classmethod
    def _known_elements(cls, symbols: tuple[str, ...]) -> tuple[str, ...]:
        if not symbols:
            raise ValueError("a molecule needs at least one atom")
        for index, symbol in enumerate(symbols):
            if symbol not in ATOMIC_NUMBER:
                raise ValueError(f"atom {index}: {symbol!r} is not an element symbol")
        return symbols

    @model_validator(mode="after")
    def _shapes_and_parity(self) -> Molecule:
        if self.geometry.shape != (len(self.symbols), 3):
            raise ValueError(f"geometry has shape {self.geometry.shape}, not ({len(self.symbols)}, 3)")
        unpaired = self.molecular_multiplicity - 1
        if self.n_electrons < unpaired or (self.n_electrons - unpaired) % 2:
            raise ValueError(
                f"multiplicity {self.molecular_multiplicity} does not fit {self.n_electrons} electrons "
                f"({self.formula}, charge {self.molecular_charge:+d}); "
                f"{'an even' if self.n_electrons % 2 else 'an odd'} multiplicity or another charge would"
            )
        return self

    @property
    def numbers(self) -> np.ndarray:
        """Atomic numbers, (natoms,)."""
        return np.array([ATOMIC_NUMBER[symbol] for symbol in self.symbols])

    @property
    def n_electrons(self) -> int:
        """All electrons, cores included."""
        return int(self.numbers.sum()) - self.molecular_charge

    @property
    def formula(self) -> str:
        """Hill formula without the charge: C, H, then the alphabet (no C: the alphabet alone)."""
        return hill_formula(Counter(self.symbols))

    def moved(self, geometry: np.ndarray) -> Molecule:
        """Give the same molecule at other positions, (natoms, 3) in bohr."""
        return self.model_validate({**self.__dict__, "geometry": geometry})

    def mirrored(self) -> Molecule:
        """Give the mirror image: every position inverted through the origin."""
        return self.moved(-self.geometry)


def hill_formula(counts: Counter[str]) -> str:
    """Write a composition in Hill order (doi:10.1021/ja02046a005)."""
    first = ["C", "H"] if "C" in counts else []
    order = first + sorted(set(counts) - set(first))
    return "".join(f"{s}{counts[s] if counts[s] > 1 else ''}" for s in order if counts[s])


class Model(Frozen):
    """A level of theory: `method` (GFN1-xTB, pbe, ...) and, for DFT, a `basis`."""

    method: str
    basis: str | None = None


class Level(Frozen):
    """All that fixes an energy but the molecule: engine, its version, model, keywords.

    Two energies may be subtracted if, and only if, their levels are equal. `keywords` are the engine's own,
    validated by its `Keywords` class.
    """

    engine: str
    engine_version: str
    model: Model
    keywords: dict[str, JsonValue] = Field(default_factory=dict)

    @property
    def title(self) -> str:
        """For a table: method, dispersion, basis, engine."""
        name = self.model.method
        if dispersion := self.keywords.get("dispersion"):
            name += {"d3bj": "-D3(BJ)", "d4": "-D4"}.get(str(dispersion), f"-{dispersion}")
        if self.model.basis:
            name += f"/{self.model.basis}"
        if self.keywords.get("density_fit") == "coulomb":
            name += ", exact exchange"
        return f"{name} ({self.engine})"


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


class Convergence(Frozen):
    """When a relaxation is done: every condition must hold.

    `max_force`: largest atomic force component free to act, hartree/bohr. `energy_change`: change over the last
    step, hartree. `max_steps`: accepted steps before it is a failure.
    """

    max_force: float = Field(gt=0)
    energy_change: float = Field(gt=0)
    max_steps: int = Field(gt=0)


class Resources(Frozen):
    """What a calculation may use. It must not change the number.

    `checkpoint`: file in which an SCF saves itself while it runs, and from which a killed one goes on; removed when
    done, but for `keep_checkpoint`. `start_from`: folder of kept checkpoints; that of the same molecule at the nearest
    geometry gives the first density.
    """

    threads: int = Field(default=1, ge=1)
    memory_mb: int = Field(default=4000, ge=1)
    device: Literal["cpu", "gpu"] = "cpu"
    checkpoint: str | None = None
    keep_checkpoint: bool = False
    start_from: str | None = None


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
    """Task: relax a molecule at one level, with atoms held still and coordinates held at a value."""

    kind: Literal["relaxation"] = "relaxation"
    molecule: Molecule
    level: Level
    convergence: Convergence
    frozen_atoms: tuple[int, ...] = ()
    targets: tuple[Target, ...] = ()


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
        if len({(each.symbols, each.molecular_charge, each.molecular_multiplicity) for each in those}) > 1:
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


Task = Annotated[Build | SinglePoint | Relaxation | PathSearch | SaddleSearch | Vibrations, Field(discriminator="kind")]
"""One unit of work: what it computes follows from it alone."""


class ScfAttempt(Frozen):
    """One attempt of the SCF ladder and why it ended. Energies in hartree."""

    strategy: str
    converged: bool
    cycles: int
    energy: float | None = None
    gradient_norm: float | None = None
    gap: float | None = None
    message: str | None = None


class Built(Frozen):
    """The geometry model that a `Build` gave."""

    kind: Literal["built"] = "built"
    molecule: Molecule


class Orbitals(Frozen):
    """Orbital energies around the gap, hartree, rising, and their occupations; spin up first, for UKS then spin down.

    `energies` and `occupations` hold a tuple each spin.
    """

    energies: tuple[tuple[float, ...], ...]
    occupations: tuple[tuple[float, ...], ...]


class Result(Frozen):
    """What an engine computed: a converged number, or there is none. Atomic units.

    `gradient` (natoms, 3); `homo`, `lumo`, `gap` orbital energies in hartree (UKS: the highest occupied and the
    lowest empty of either spin); `dipole` (3,) in e*bohr, about the centre of nuclear charge; `mulliken_charges`
    and `hirshfeld_charges` (natoms,); `scf` the attempts in order.

    `energy` is the electronic free energy E - TS where electrons have a temperature, and only there `entropy_term` is
    known: -TS. `spin_square`: <S2> of an open shell. `stable`: whether no lower state of the same kind is near, where
    that was asked. `gpu_deviation`: of a GPU's number, what its energy of a test molecule was off the CPU's.
    """

    kind: Literal["result"] = "result"
    energy: float
    entropy_term: float | None = None
    gradient: Array | None = None
    homo: float | None = None
    lumo: float | None = None
    gap: float | None = None
    spin_square: float | None = None
    stable: bool | None = None
    dipole: Array | None = None
    mulliken_charges: Array | None = None
    hirshfeld_charges: Array | None = None
    orbitals: Orbitals | None = None
    n_basis_functions: int | None = None
    scf: tuple[ScfAttempt, ...] = ()
    device: str | None = None
    gpu_deviation: float | None = None


class Relaxed(Frozen):
    """What a relaxation reached: the last geometry and the engine's result there.

    `energies` at each accepted geometry, the start first; `max_force` as `Convergence` defines it;
    `reached` the measured value of each target, in order, in its unit: degrees or bohr;
    `slopes` how the relaxed energy changes with each, hartree per degree or bohr (none in records before version 3).
    """

    kind: Literal["relaxed"] = "relaxed"
    molecule: Molecule
    result: Result
    energies: tuple[float, ...]
    n_gradients: int
    max_force: float
    reached: tuple[float, ...] = ()
    slopes: tuple[float, ...] = ()


class Band(Frozen):
    """What a path search reached: the images, ends included, with their energies; the highest climbed to the saddle.

    `result` is the engine's at the highest image; `max_force` as `PathSearch` defines it.
    """

    kind: Literal["band"] = "band"
    images: tuple[Molecule, ...]
    energies: tuple[float, ...]
    result: Result
    n_gradients: int
    max_force: float

    @property
    def highest(self) -> int:
        """Index of the highest image."""
        return max(range(len(self.energies)), key=self.energies.__getitem__)


class Frequencies(Frozen):
    """What vibrates and how; `wavenumbers_cm` rise, an imaginary one is negative.

    Translation and rotation are none of them. `n_imaginary` are imaginary beyond the noise
    (`relaxation.vibrations.NOISE_CM`); `mode` (natoms, 3): displacements of the lowest, of norm 1; `result` is the
    engine's at the geometry, `max_force` the largest force component there on an atom that moved, hartree/bohr.
    """

    kind: Literal["frequencies"] = "frequencies"
    wavenumbers_cm: tuple[float, ...]
    n_imaginary: int
    mode: Array
    result: Result
    n_gradients: int
    max_force: float


class Failure(Frozen):
    """A task that gave no number: the class of the error, its one line, and the history if there was one."""

    kind: Literal["failure"] = "failure"
    error_type: str
    message: str
    history: tuple[dict[str, Any], ...] = ()


Outcome = Annotated[Built | Result | Relaxed | Band | Frequencies | Failure, Field(discriminator="kind")]
"""What a task gave."""


class Provenance(Frozen):
    """Who computed a record, with what, where, how long; `peak_memory_mb` of its process up to its end.

    `gpu`: the models that the process saw, of a calculation on the GPU.
    """

    program: str = "qcdriver"
    program_version: str
    libraries: dict[str, str]
    host: str
    python: str
    threads: int
    device: str | None = None
    gpu: str | None = None
    started_utc: str
    wall_s: float
    cpu_s: float
    peak_memory_mb: float | None = None


class Verdict(Frozen):
    """What a stage decided about one of its calculations.

    `label` says which, as ISOMER or ISOMER#START for conformers; `key` is its record; `reason` says why it was dropped,
    or what to know about it though it was kept; `reached` holds the measured coordinates of a point of a
    scan, each in its unit: degrees or bohr.
    """

    label: str
    key: str
    kept: bool
    reason: str | None = None
    reached: tuple[float, ...] | None = None


class TaskRecord(Frozen):
    """One task and what came of it, whole in one line of `records.jsonl`; no provenance: its process died.

    `parents`: keys of the records its geometry comes from; `input_sha256`: of the input file it was computed for.
    """

    schema_name: Literal["qcdriver_task"] = "qcdriver_task"
    schema_version: Literal[3] = 3
    key: str
    stage: str
    label: str
    task: Task
    outcome: Outcome
    provenance: Provenance | None
    parents: tuple[str, ...] = ()
    input_sha256: str | None = None

    @property
    def success(self) -> bool:
        """Whether there is a number."""
        return self.outcome.kind != "failure"

    @property
    def molecule(self) -> Molecule | None:
        """Where it ended: the model built, the geometry relaxed or computed, the highest image; None if it failed."""
        if isinstance(self.outcome, Built | Relaxed):
            return self.outcome.molecule
        if isinstance(self.outcome, Band):
            return self.outcome.images[self.outcome.highest]
        if isinstance(self.outcome, Result | Frequencies) and not isinstance(self.task, Build):
            return self.task.molecule
        return None

    @property
    def result(self) -> Result | None:
        """The engine's result at `molecule`; None for a model and a failure."""
        if isinstance(self.outcome, Relaxed | Band | Frequencies):
            return self.outcome.result
        return self.outcome if isinstance(self.outcome, Result) else None


class StageRecord(Frozen):
    """What a stage made of its tasks: every candidate with its verdict, so that nothing is dropped silently.

    `key` hashes the settings the stage ran with and what it started from, so a later stage finds it on any machine.
    """

    schema_name: Literal["qcdriver_stage"] = "qcdriver_stage"
    schema_version: Literal[3] = 3
    key: str
    stage: str
    verdicts: tuple[Verdict, ...]
    program_version: str
    finished_utc: str


Record = Annotated[TaskRecord | StageRecord, Field(discriminator="schema_name")]
