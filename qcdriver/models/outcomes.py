"""What a task gave: a number with all that was learnt beside it, or a typed failure."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

from qcdriver.models.base import Array, Frozen
from qcdriver.models.excitations import ExcitedState
from qcdriver.models.molecule import Molecule


class ScfAttempt(Frozen):
    """One attempt of the SCF ladder and why it ended. Energies in hartree; `cycles`: None where not told."""

    strategy: str
    converged: bool
    cycles: int | None
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


class WarningCode(StrEnum):
    """Why a result may not be of the state that was meant."""

    SMALL_GAP = "small_gap"
    LOWER_STATE = "lower_state"
    OTHER_MULTIPLICITY = "other_multiplicity"
    MIXED_SPIN = "mixed_spin"
    SECOND_TRY = "second_try"
    MEAN_GRADIENT = "mean_gradient"


class StateWarning(Frozen):
    """One doubt about a result, and the same in words for a person."""

    code: WarningCode
    sentence: str


class Layer(Frozen):
    """One energy (hartree) of those that ONIOM adds, or subtracts: of the whole molecule or the model cut out of it."""

    part: Literal["whole", "model"]
    formula: str
    level: str
    sign: Literal[1, -1]
    energy: float


class Result(Frozen):
    """What an engine computed: a converged number, or there is none. Atomic units.

    `gradient` (natoms, 3); `homo`, `lumo`, `gap` orbital energies in hartree (UKS: the highest occupied and the
    lowest empty of either spin); `dipole` (3,) in e*bohr, about the centre of nuclear charge; `mulliken_charges`
    and `hirshfeld_charges` (natoms,); `scf` the attempts in order.

    `energy` is the electronic free energy E - TS where electrons have a temperature, and only there `entropy_term` is
    known: -TS. `spin_square`: <S2> of an open shell. `stable`: whether no lower state of the same kind is near, where
    that was asked. `gpu_deviation`: of a GPU's number, what its energy of a test molecule was off the CPU's.
    `warnings`: doubts about the state; left out of JSON where there are none, as in records from before there were any.

    `layers`: of ONIOM, the energies that `energy` is made of. Orbitals, gap, spin, SCF and number of basis functions
    are then those of the high level on the model. Left out of JSON likewise.
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
    warnings: tuple[StateWarning, ...] = ()
    layers: tuple[Layer, ...] = ()

    @property
    def orbitals_of(self) -> str | None:
        """Formula of the model that the orbitals, and so the gap, are of; None: they are the molecule's."""
        return next((layer.formula for layer in self.layers if layer.part == "model"), None)

    @property
    def n_cycles(self) -> int | None:
        """SCF cycles in all attempts; None where they are not told."""
        counts = [attempt.cycles for attempt in self.scf]
        known = [count for count in counts if count is not None]
        return sum(known) if counts and len(known) == len(counts) else None

    @model_serializer(mode="wrap")
    def _as_before(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        content: dict[str, Any] = serialize(self)
        for name in ("warnings", "layers"):
            if not content.get(name):
                content.pop(name, None)
        return content


class Relaxed(Frozen):
    """What a relaxation reached: the last geometry and the engine's result there.

    `energies` at each accepted geometry, the start first; `max_force` as `Convergence` defines it;
    `reached` the measured value of each target, in order, in its unit: degrees or bohr;
    `slopes` how the relaxed energy changes with each, hartree per degree or bohr (none in records before version 3).

    `n_cycles`: SCF cycles of all gradients, None where they are not told. `resumed_after`: so many of the gradients an
    earlier try had computed before it was killed. `began_with_hessian`: whether it had the Hessian that its task asks
    for; one that could not be computed is no failure. Left out of JSON where they say nothing.
    """

    kind: Literal["relaxed"] = "relaxed"
    molecule: Molecule
    result: Result
    energies: tuple[float, ...]
    n_gradients: int
    max_force: float
    reached: tuple[float, ...] = ()
    slopes: tuple[float, ...] = ()
    n_cycles: int | None = None
    resumed_after: int = 0
    began_with_hessian: bool = False

    @model_serializer(mode="wrap")
    def _as_before(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        content: dict[str, Any] = serialize(self)
        for name in ("n_cycles", "resumed_after", "began_with_hessian"):
            if not content.get(name):
                content.pop(name, None)
        return content


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
    (`optimize.vibrations.NOISE_CM`); `mode` (natoms, 3): displacements of the lowest, of norm 1; `result` is the
    engine's at the geometry, `max_force` the largest force component there on an atom that moved, hartree/bohr.
    `intensities_km_mol` of the infrared absorption of each, in the double harmonic approximation; None where the engine
    gives no dipole, and in records from before there were any, and then left out of JSON.
    """

    kind: Literal["frequencies"] = "frequencies"
    wavenumbers_cm: tuple[float, ...]
    n_imaginary: int
    mode: Array
    result: Result
    n_gradients: int
    max_force: float
    intensities_km_mol: tuple[float, ...] | None = None

    @model_serializer(mode="wrap")
    def _as_before(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        content: dict[str, Any] = serialize(self)
        if self.intensities_km_mol is None:
            content.pop("intensities_km_mol", None)
        return content


class ExcitedStates(Frozen):
    """Vertical excitations, by rising energy, and the ground state that they start from.

    `result` is the engine's of the ground state; a state below it is none of `states`, and `result.warnings` says so.
    `n_unconverged` of the states that were asked for did not converge, and are not among them.
    """

    kind: Literal["excited_states"] = "excited_states"
    states: tuple[ExcitedState, ...]
    n_unconverged: int = 0
    result: Result


class Failure(Frozen):
    """A task that gave no number: the class of the error, its one line, and the history if there was one."""

    kind: Literal["failure"] = "failure"
    error_type: str
    message: str
    history: tuple[dict[str, Any], ...] = ()


Outcome = Annotated[
    Built | Result | Relaxed | Band | Frequencies | ExcitedStates | Failure, Field(discriminator="kind")
]
"""What a task gave."""
