"""The contract of an engine: a level and a molecule in, a converged result out or a typed error."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from qcdriver.engines.checks import read_keywords
from qcdriver.errors import InputError, MissingError
from qcdriver.schema import Frozen, Level, Model, Molecule, Resources, Result

if TYPE_CHECKING:
    from pydantic import JsonValue

    from qcdriver.engines.dft.memory_plan import DftPlan

Progress = Callable[[str], None]
"""Told one short line at a time ("cycle 7  -3713.468987"), for a person who waits."""

Device = Literal["cpu", "gpu"]


class Calculation(ABC):
    """One molecule at one level, set up once, evaluated at many geometries.

    It keeps what makes the next evaluation cheaper (density, force-field topology), so an instance belongs to
    one relaxation. A new instance on the same geometry always gives the same number.
    """

    @abstractmethod
    def compute(self, geometry: np.ndarray, driver: Literal["energy", "gradient"]) -> Result:
        """Evaluate at `geometry` ((natoms, 3), bohr, left untouched); "gradient" gives the energy too.

        Raises
        ------
        InputError
            The geometry is not finite, or two atoms collide.
        ConvergenceError
            The SCF did not converge; its history is attached.
        ResourceError
            Out of memory, on the host or on the GPU.
        EngineError
            The program broke otherwise.
        """


class Engine(ABC):
    """One program. Stateless: what a calculation needs to remember lives in its `Calculation`.

    Attributes
    ----------
    name
        The word in input files and records.
    methods
        What it can compute, spelled as in input files; empty when the list is the program's own.
    keywords
        Pydantic class of the keywords it takes; unknown ones are refused.
    devices
        Where it can compute.
    """

    name: ClassVar[str]
    methods: ClassVar[tuple[str, ...]]
    keywords: ClassVar[type[Frozen]]
    devices: ClassVar[tuple[Device, ...]] = ("cpu",)

    def missing(self, device: Device = "cpu") -> str | None:
        """Say in one line what is missing and the command that installs it; None when nothing is."""
        try:
            self.version(device)
        except MissingError as error:
            return str(error)
        return None

    @abstractmethod
    def version(self, device: Device = "cpu") -> str:
        """Versions of everything that determines the number ("22.1"; "2.14.0 pyscf-dispersion 1.5.0").

        Read from the installed packages' metadata: no program is loaded.

        Raises
        ------
        MissingError
            The program is not there.
        """

    @abstractmethod
    def check(self, molecule: Molecule, level: Level) -> None:
        """Refuse what cannot work before any integral: method, basis, elements, charge, spin, keywords.

        Raises
        ------
        InputError
            One line: what is wrong and what exists instead.
        """

    @abstractmethod
    def n_basis_functions(self, molecule: Molecule, model: Model) -> int | None:
        """Count the basis functions, from tables alone: the size to expect before a run; None for a force field.

        Raises
        ------
        InputError
        """

    @abstractmethod
    def start(self, molecule: Molecule, level: Level, resources: Resources, progress: Progress) -> Calculation:
        """Set up a calculation that `prepare` has already found possible."""

    def expect(self, molecule: Molecule, level: Level, resources: Resources) -> DftPlan | None:  # noqa: ARG002
        """Foretell what a calculation will need; None where that is not worth telling.

        Raises
        ------
        InputError
        """
        return None

    def level(self, model: Model, keywords: Mapping[str, JsonValue] | None = None, device: Device = "cpu") -> Level:
        """Give the complete level: the engine's version now, and every keyword, the defaults written out.

        Only so are two levels equal when, and only when, their numbers are comparable.

        Raises
        ------
        InputError, MissingError
        """
        settings = read_keywords(self.name, self.keywords, keywords or {})
        return Level(
            engine=self.name,
            engine_version=self.version(device),
            model=model,
            keywords=settings.model_dump(mode="json"),
        )

    def prepare(self, molecule: Molecule, level: Level, resources: Resources, progress: Progress) -> Calculation:
        """Set up a calculation; checks first, also that version and device are those the level was made for.

        Raises
        ------
        InputError, MissingError, ResourceError
        """
        if resources.device not in self.devices:
            raise InputError(f"{self.name} computes on {' or '.join(self.devices)} only")
        if lack := self.missing(resources.device):
            raise MissingError(lack)
        if (here := self.version(resources.device)) != level.engine_version:
            raise InputError(
                f"the level is {self.name} {level.engine_version}, here on {resources.device} it is {here}; "
                "numbers of two versions are not comparable: plan anew"
            )
        self.check(molecule, level)
        return self.start(molecule, level, resources, progress)


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
