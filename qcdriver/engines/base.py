"""The contract of an engine: what it can compute and needs, and how one molecule at one level is evaluated."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Generic, Literal, TypeVar

import numpy as np
from pydantic import JsonValue, ValidationError
from threadpoolctl import threadpool_limits

from qcdriver.engines.checks import read_keywords, spelled
from qcdriver.engines.gate import Limits, broken_law, broken_law_of_states, doubts
from qcdriver.engines.references import Reference
from qcdriver.errors import InputError, MissingError, UnphysicalError
from qcdriver.models.base import Frozen
from qcdriver.models.excitations import ExcitationRequest
from qcdriver.models.level import Level, Model, Resources
from qcdriver.models.molecule import Molecule
from qcdriver.models.outcomes import ExcitedStates, Result, StateWarning, WarningCode
from qcdriver.units import EV

Progress = Callable[[str], None]
"""Takes one short line at a time ("cycle 7  -3713.468987"), for a person who waits."""

LAYERS = ":"
"""Stands in a method between that of the high level and that of the low."""
Device = Literal["cpu", "gpu"]
Driver = Literal["energy", "gradient"]
OrbitalForm = Literal["cube", "molden"]
"""What files orbitals are written as."""
K = TypeVar("K", bound=Frozen)
"""The class of an engine's keywords."""


@dataclass(frozen=True)
class Gpu:
    """One GPU: its name, free and total memory in MB."""

    name: str
    free_mb: int
    total_mb: int


class Needs(Frozen):
    """What one calculation needs, before it starts; None is unknown.

    `memory_mb` on the host, `gpu_memory_mb` on the GPU; `cycle_s` the order of magnitude of an SCF cycle on the CPU,
    seconds. `too_large` says why it cannot run with the memory there is, and what would fit.
    """

    n_basis_functions: int | None = None
    memory_mb: int | None = None
    gpu_memory_mb: int | None = None
    cycle_s: float | None = None
    too_large: str | None = None

    def lines(self) -> list[str]:
        """Return the lines that a person reads; none where only the number of basis functions is known."""
        lines = [] if self.memory_mb is None else [f"memory about {self.memory_mb} MB"]
        return lines if self.too_large is None else [*lines, f"does not fit: {self.too_large}"]


class GpuEstimate(Frozen):
    """What a calculation would take on a GPU that need not be here. Every figure is an estimate.

    `memory_mb` on the host, `gpu_memory_mb` of the `total_mb` on the GPU. Seconds: `first_s` an energy from nothing,
    `next_s` one from the density of a geometry near by, `forces_s` what a gradient takes on top. `too_large` says why
    it does not fit, and what would.
    """

    gpu: str
    total_mb: int
    gpu_memory_mb: int
    memory_mb: int
    first_s: float
    next_s: float
    forces_s: float
    too_large: str | None = None


class Calculation(ABC):
    """One molecule at one level, set up once, evaluated at many geometries.

    It keeps what makes the next evaluation cheaper (density, force-field topology), so an instance belongs to
    one relaxation. A new instance on the same geometry always gives the same number.
    """

    @abstractmethod
    def compute(self, geometry: np.ndarray, driver: Driver) -> Result:
        """Evaluate at `geometry` ((natoms, 3), bohr, left untouched); "gradient" gives the energy too.

        Raises
        ------
        InputError
            The geometry is not finite, or two atoms collide.
        ConvergenceError
            The SCF did not converge; its history is attached.
        ResourceError
            Out of memory, on the host or on the GPU.
        UnphysicalError
            What the program returned breaks a law of physics.
        EngineError
            The program broke otherwise.
        """

    def excite(self, geometry: np.ndarray, request: ExcitationRequest) -> ExcitedStates:
        """Compute the ground state at `geometry` ((natoms, 3), bohr), and the excited states that are asked for.

        An engine whose `excitations` name an approximation has this method.

        Raises
        ------
        InputError, ConvergenceError, ResourceError, UnphysicalError, EngineError
            As `compute`; a convergence error too where no excited state converged.
        """
        raise NotImplementedError


class _Gated(Calculation):
    """A calculation whose every result passes the gate.

    What does not is computed once more, afresh and on one thread: libxtb 6.5.1 on two threads gave 2e307 hartree for
    two helium atoms 50 bohr apart, once in a process.
    """

    def __init__(self, molecule: Molecule, limits: Limits, start: Callable[[int | None], Calculation]) -> None:
        self._molecule, self._limits, self._start = molecule, limits, start
        self._calculation = start(None)

    def compute(self, geometry: np.ndarray, driver: Driver) -> Result:
        try:
            return self._passed(geometry, driver)
        except UnphysicalError as error:
            with threadpool_limits(1):
                self._calculation = self._start(1)
                result = self._passed(geometry, driver)
            doubt = StateWarning(code=WarningCode.SECOND_TRY, sentence=f"computed again on one thread, because {error}")
            return result.model_copy(update={"warnings": (*result.warnings, doubt)})

    def excite(self, geometry: np.ndarray, request: ExcitationRequest) -> ExcitedStates:
        try:
            found = self._calculation.excite(geometry, request)
        except ValidationError:
            raise UnphysicalError("the program returned a number that is not finite") from None
        if broken := broken_law_of_states(found, self._molecule):
            raise UnphysicalError(f"the program returned {broken}")
        return found.model_copy(update={"result": self._believed(found.result, geometry)})

    def _passed(self, geometry: np.ndarray, driver: Driver) -> Result:
        try:
            result = self._calculation.compute(geometry, driver)
        except ValidationError:
            raise UnphysicalError("the program returned a number that is not finite") from None
        return self._believed(result, geometry)

    def _believed(self, result: Result, geometry: np.ndarray) -> Result:
        """Return a result with the doubts about it; one that breaks a law is refused."""
        molecule = self._molecule.moved(geometry)
        if broken := broken_law(result, molecule, self._limits):
            raise UnphysicalError(f"the program returned {broken}")
        return result.model_copy(update={"warnings": result.warnings + doubts(result, molecule, self._limits)})


class Engine(ABC, Generic[K]):
    """One program. Stateless: what a calculation needs to remember lives in its `Calculation`.

    Attributes
    ----------
    name
        The word in input files and records.
    Keywords
        The pydantic class of the keywords it takes; unknown ones are refused.
    methods
        What it can compute, spelled as in input files; empty when the list is the program's own.
    devices
        Where it can compute.
    fills_machine
        Whether its memory or time is such that one calculation takes the whole machine, or a GPU.
    blas_threads
        Threads of the linear algebra under it; None: as many as the calculation has.
    libraries
        The distributions whose versions belong into the provenance of its numbers.
    excitations
        The approximations in which it computes excited states; none: it has no such states.
    small_gap
        Gap of orbitals, hartree, below which another state may be near.
    """

    name: ClassVar[str]
    Keywords: type[K]
    methods: ClassVar[tuple[str, ...]]
    devices: tuple[Device, ...] = ("cpu",)
    fills_machine: bool = False
    blas_threads: ClassVar[int | None] = None
    libraries: ClassVar[tuple[str, ...]] = ()
    excitations: ClassVar[tuple[str, ...]] = ()
    small_gap: ClassVar[float] = 0.7 / EV

    @abstractmethod
    def version(self, device: Device = "cpu") -> str:
        """Return the versions of everything that determines the number ("22.1"; "2.14.0 pyscf-dispersion 1.5.0").

        Read from the installed packages' metadata: no program is loaded.

        Raises
        ------
        MissingError
            The program is not there.
        """

    @abstractmethod
    def check(self, molecule: Molecule, model: Model, keywords: K, driver: Driver = "energy") -> None:
        """Refuse what cannot work before any integral: method, basis, elements, charge, spin, keywords.

        Raises
        ------
        InputError
            One line: what is wrong and what exists instead.
        """

    @abstractmethod
    def estimate(self, molecule: Molecule, model: Model, keywords: K, resources: Resources) -> Needs:
        """Return what a calculation will need, from tables alone; computes nothing.

        Raises
        ------
        InputError
        """

    @abstractmethod
    def start(
        self, molecule: Molecule, model: Model, keywords: K, resources: Resources, progress: Progress
    ) -> Calculation:
        """Set up a calculation that `prepare` has already found possible.

        Raises
        ------
        ResourceError
            The machine is too small for it.
        """

    def offers(self, method: str, basis: str | None = None) -> bool:
        """Whether a method is spelled as this engine has it; one whose list is its own takes any with a basis set."""
        if self.methods:
            return spelled(method, self.methods) in self.methods
        return basis is not None and LAYERS not in method

    def for_model(self, model: Model, raw: Mapping[str, JsonValue]) -> AnyEngine:  # noqa: ARG002
        """Return the engine that computes a method: this one, or one that is made of others, with these chosen.

        Raises
        ------
        InputError
            None of them has its part of the method.
        """
        return self

    def check_excitations(self, molecule: Molecule, model: Model, keywords: K, request: ExcitationRequest) -> None:
        """Refuse excited states that cannot be computed, before any integral; and what `check` refuses.

        Raises
        ------
        InputError
            One line: what is wrong and what exists instead.
        """
        if request.approximation not in self.excitations:
            have = f"has {' and '.join(self.excitations)}" if self.excitations else "computes none"
            raise InputError(f"no excited states by {request.approximation} with {self.name}, which {have}")
        self.check(molecule, model, keywords)

    def estimate_excitations(
        self,
        molecule: Molecule,
        model: Model,
        keywords: K,
        request: ExcitationRequest,  # noqa: ARG002
        resources: Resources,
    ) -> Needs:
        """Return what excited states need, the ground state included; computes nothing.

        Raises
        ------
        InputError
        """
        return self.estimate(molecule, model, keywords, resources)

    def missing(self, device: Device = "cpu") -> str | None:
        """Return in one line what is missing and the command that installs it; None when nothing is."""
        try:
            self.version(device)
        except MissingError as error:
            return str(error)
        return None

    def choose_device(self, requested: Literal["auto", "cpu", "gpu"]) -> tuple[Device, str]:
        """Choose where to compute; returns the device, and a sentence that says which and why.

        Raises
        ------
        InputError
            "gpu" is requested, and the engine never computes there.
        MissingError
            "gpu" is requested, and none is usable here.
        """
        if requested == "gpu":
            raise InputError(f"{self.name} computes on {' or '.join(self.devices)} only")
        return "cpu", f"{self.name} runs on the CPU."

    def hardware(self) -> tuple[Gpu, ...]:
        """Return the GPUs of this machine that it can use."""
        return ()

    def gpu_named(self, words: str) -> Gpu:
        """Return the GPU that a name or a memory in GiB stands for, to plan for it without having it.

        Raises
        ------
        InputError
            There is none of that name, or the engine never computes on one.
        """
        raise InputError(f"{self.name} computes on {' or '.join(self.devices)} only, so not on {words!r}")

    def estimate_on_gpu(
        self,
        molecule: Molecule,  # noqa: ARG002
        model: Model,  # noqa: ARG002
        keywords: K,  # noqa: ARG002
        resources: Resources,  # noqa: ARG002
        gpu: Gpu,
    ) -> GpuEstimate:
        """Return what a calculation would take on a GPU from `gpu_named`.

        Raises
        ------
        InputError
        """
        raise InputError(f"{self.name} computes on {' or '.join(self.devices)} only, so not on {gpu.name}")

    def settle(self, molecule: Molecule, model: Model, keywords: K, memory_mb: int) -> K:  # noqa: ARG002
        """Replace every keyword that is "auto" by the value that fits the molecule and `memory_mb`.

        Raises
        ------
        InputError
        """
        return keywords

    def limits(self, molecule: Molecule, model: Model, keywords: K) -> Limits:  # noqa: ARG002
        """Return what results are held to before they are believed.

        Energies are above those of the free atoms in Thomas and Fermi's model, which binds too strongly
        (doi:10.1103/RevModPhys.53.603), by half a hartree an electron that any bond or ion may gain at most.
        """
        atoms = 0.7687 * float((np.asarray(molecule.numbers, dtype=float) ** (7 / 3)).sum())
        return Limits(-atoms - 0.5 * molecule.n_electrons, 1e-4, self.small_gap)

    def title(self, model: Model, keywords: K) -> str:  # noqa: ARG002
        """Return the level's name in a table: method, what changes the number much, basis, engine."""
        return plain_title(model, self.name)

    def references(self, model: Model, keywords: K) -> tuple[Reference, ...]:  # noqa: ARG002
        """Return what to cite for a number of this level; empty where the engine does not say."""
        return ()

    def write_orbitals(self, checkpoint: Path, stem: Path, form: OrbitalForm) -> list[Path]:  # noqa: ARG002
        """Write the orbitals of a kept checkpoint, and return the files.

        Parameters
        ----------
        form
            "cube": HOMO and LUMO as Gaussian cube files, STEM-homo.cube and STEM-lumo.cube; "molden": all orbitals with
            the basis set, STEM.molden.

        Raises
        ------
        InputError
            The engine keeps no orbitals, the checkpoint cannot be read, its SCF was not done, or the format cannot
            hold its basis functions.
        """
        raise InputError(f"{checkpoint}: {self.name} keeps no orbitals, so there is none to write to {stem.parent}")

    def keywords(self, raw: Mapping[str, JsonValue]) -> K:
        """Read keywords as an input or a record has them; the defaults are filled in.

        Raises
        ------
        InputError
            An unknown keyword or a wrong value; the message names it and what would be right.
        """
        return read_keywords(self.name, self.Keywords, raw)

    def level(self, model: Model, raw: Mapping[str, JsonValue] | None = None, device: Device = "cpu") -> Level:
        """Return the complete level: the engine's version now, and every keyword, the defaults written out.

        A method of the engine's own list has the list's spelling, whatever the user's ("gfn1", "GFN2-XTB").

        Only so are two levels equal when, and only when, their numbers are comparable.

        Raises
        ------
        InputError, MissingError
        """
        return Level(
            engine=self.name,
            engine_version=self.version(device),
            model=model.model_copy(update={"method": spelled(model.method, self.methods)}),
            keywords=self.keywords(raw or {}).model_dump(mode="json"),
        )

    def prepare(self, molecule: Molecule, level: Level, resources: Resources, progress: Progress) -> Calculation:
        """Check a level on this machine, also its version and device, then set up a calculation.

        Raises
        ------
        InputError, MissingError, ResourceError
        """
        if resources.device not in self.devices:
            raise InputError(f"{self.name} computes on {' or '.join(self.devices)} only")
        if missing := self.missing(resources.device):
            raise MissingError(missing)
        if (here := self.version(resources.device)) != level.engine_version:
            raise InputError(
                f"the level is {self.name} {level.engine_version}, here on {resources.device} it is {here}; "
                "numbers of two versions are not comparable: plan anew"
            )
        keywords = self.keywords(level.keywords)
        self.check(molecule, level.model, keywords)

        def start(threads: int | None) -> Calculation:
            allowed = resources if threads is None else resources.model_copy(update={"threads": threads})
            return self.start(molecule, level.model, keywords, allowed, progress)

        return _Gated(molecule, self.limits(molecule, level.model, keywords), start)


AnyEngine = Engine[Any]
"""An engine of whatever keywords."""


def plain_title(model: Model, engine: str) -> str:
    """Return "method/basis (engine)"."""
    basis = "" if model.basis is None else f"/{model.basis}"
    return f"{model.method}{basis} ({engine})"


def dipole_about_nuclear_charge(
    dipole: np.ndarray, molecular_charge: int, numbers: np.ndarray, geometry: np.ndarray
) -> np.ndarray:
    """Move a dipole moment (3,), e*bohr, from the origin to the centre of nuclear charge.

    Only a charged molecule's dipole depends on it; this choice makes it invariant under translation.
    """
    centre = numbers @ geometry / numbers.sum()
    moved: np.ndarray = dipole - molecular_charge * centre
    return moved


def orbital_gap(homo: float | None, lumo: float | None) -> float | None:
    """Subtract HOMO from LUMO, hartree; unknown where one of them is."""
    return None if homo is None or lumo is None else lumo - homo
