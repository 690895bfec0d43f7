"""What the two programs for GFN-xTB share: keywords, the elements' minimal basis, what they cannot do, the SCC."""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

from qcdriver.engines import references
from qcdriver.engines.base import Driver, Engine, Needs
from qcdriver.engines.checks import check_geometry, choices
from qcdriver.engines.gate import CAVITY_NOISE, Limits
from qcdriver.engines.references import Reference
from qcdriver.engines.solvents import GBSA, GBSA_OF_GFN1, SOLVENTS, SolventName, gfn_word
from qcdriver.errors import ConvergenceError, InputError
from qcdriver.models.base import Frozen
from qcdriver.models.level import Model, Resources
from qcdriver.models.molecule import Molecule
from qcdriver.models.outcomes import ScfAttempt
from qcdriver.units import EV, KELVIN

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np

N_ORBITALS = {
    "GFN1-xTB": "21444444494499999949999999999499999949999999999499999949999999999999999999999994444999",
    "GFN2-xTB": "14444444494999999949999999999499999949999999999499999949999999999999999999999994444499",
}
"""Atomic orbitals of each element, Z = 1 to 86 (read out of tblite 0.8.0)."""

N_VALENCE = tuple(
    [1, 2] + 2 * [1, 2, 3, 4, 5, 6, 7, 8]  # H - Ar
    + 2 * [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 2, 3, 4, 5, 6, 7, 8]  # K - Xe
    + [1, 2] + 15 * [3] + [4, 5, 6, 7, 8, 9, 10, 11, 2, 3, 4, 5, 6, 7, 8]  # Cs - Rn, f electrons in the core
)  # fmt: skip
"""Valence electrons of each element, Z = 1 to 86 (read out of tblite 0.8.0)."""


class GfnKeywords(Frozen):
    """Keywords of the GFN-xTB methods. Force fields take none but the solvent.

    Attributes
    ----------
    accuracy
        Scales every threshold of the SCC; smaller is tighter.
    electronic_temperature_k
        Fermi temperature of the occupations, kelvin; the energy is the electronic free energy there.
    max_iterations
        SCC cycles before one attempt is a failure, and another way is tried.
    solvent
        "dichloromethane", "ch2cl2" (`engines.solvents`); None: gas phase, and the keyword is left out of levels.
    """

    LATER: ClassVar[tuple[str, ...]] = ("solvent",)
    """Keywords that levels from before had not."""

    accuracy: float = Field(default=1.0, ge=1e-4, le=1000)
    electronic_temperature_k: float = Field(default=300.0, gt=0, le=1e5)
    max_iterations: int = Field(default=250, ge=1)
    solvent: SolventName | None = None

    @model_serializer(mode="wrap")
    def _as_before(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out what belongs to a solvent where there is none: levels, and keys, from before stay what they are."""
        content: dict[str, Any] = serialize(self)
        if self.solvent is None:
            unused = [name for name in self.LATER if getattr(self, name) == type(self).model_fields[name].default]
            content = {name: value for name, value in content.items() if name not in unused}
        return content


G = TypeVar("G", bound=GfnKeywords)
SCC_KEYWORDS = {name: field for name, field in GfnKeywords.model_fields.items() if name != "solvent"}
MOST_GAINED = 2.5
"""Electrons that an atom may have more than its own, beyond its share of the molecule's charge; halides and the metals
of clusters have 0.2 to 0.8. GFN2's multipoles, a known problem for transition metals (github.com/grimme-lab/xtb, issue
1000), can draw the electrons of a cluster to one atom: the middle of Au13(5+) then has 6.5."""
ALL_WORDS = frozenset(solvent.gfn for solvent in SOLVENTS)
"""ALPB and CPCM know all of them."""


def n_orbitals(molecule: Molecule, method: str) -> int:
    """Count the basis functions of a molecule in GFN1-xTB or GFN2-xTB."""
    return sum(int(N_ORBITALS[method][number - 1]) for number in molecule.numbers)


class GfnEngine(Engine[G]):
    """What an engine of the GFN methods is, but for the library."""

    blas_threads: ClassVar[int | None] = 1
    """xTB diagonalises small matrices, and OpenBLAS' threads meet in each thousands of times, giving up the core
    whenever one waits for another: beside one busy core a gradient of the rod with PH3 took 2 to 5 s on two of them,
    0.6 on one; of the 373-atom cluster 21 s, 7.8 on one. The other threads are xtb's own, and gain a little (0.47 to
    0.36 s; tblite has no use for them)."""
    small_gap: ClassVar[float] = 0.25 / EV
    """Ten times the thermal energy at 300 K: below, occupations are fractional."""

    def check(
        self,
        molecule: Molecule,
        model: Model,
        keywords: G,
        driver: Driver = "energy",  # noqa: ARG002
    ) -> None:
        """Refuse unknown methods, a basis, elements beyond radon, impossible spin, and colliding atoms.

        libxtb crashes on most of it and tblite may give a number.
        """
        method = model.method
        if method not in self.methods:
            raise InputError(f"{self.name} has no method {method!r}; {choices(method, self.methods)}")
        if model.basis is not None:
            raise InputError(f"{method} has its own minimal basis: leave out basis = {model.basis!r}")
        for index, number in enumerate(molecule.numbers):
            if number > len(N_VALENCE):
                raise InputError(f"atom {index}: {method} has no {molecule.symbols[index]}; it ends at Rn")
        check_geometry(molecule.symbols, molecule.geometry)
        if method in N_ORBITALS:
            _refuse_impossible_spin(molecule, method)
        elif any(getattr(keywords, name) != field.default for name, field in SCC_KEYWORDS.items()):
            raise InputError(f"{method} has no SCC, so none of {', '.join(SCC_KEYWORDS)} can be set")
        self.solvent_word(method, keywords)

    @abstractmethod
    def solvent_model(self, keywords: G) -> str:
        """Return the word for the model of a solvent."""

    def solvent_word(self, method: str, keywords: G) -> str | None:
        """Return the library's word for the solvent; None in the gas phase.

        Raises
        ------
        InputError
            The model has no parameters for it; the message lists what there is.
        """
        if keywords.solvent is None:
            return None
        model = self.solvent_model(keywords)
        known = ALL_WORDS if model != "gbsa" else GBSA_OF_GFN1 if method == "GFN1-xTB" else GBSA
        return gfn_word(keywords.solvent, known, f"{method} with {model.upper()} in {self.name}")

    def title(self, model: Model, keywords: G) -> str:
        """Return the method, the solvent and its model, the engine."""
        if keywords.solvent is None:
            return super().title(model, keywords)
        return f"{model.method}, {self.solvent_model(keywords).upper()}({keywords.solvent}) ({self.name})"

    def references(self, model: Model, keywords: G) -> tuple[Reference, ...]:
        """Return the article on the programs and methods of the family, on the method, and on the solvent's model."""
        found = (references.XTB, *((references.GFN[model.method],) if model.method in references.GFN else ()))
        if keywords.solvent is None:
            return found
        own = references.SOLVENT_MODELS.get(self.solvent_model(keywords), references.ALPB)
        return (*found, own)

    def limits(self, molecule: Molecule, model: Model, keywords: G) -> Limits:
        """Hold energies to 1.5 hartree a valence electron, the entropy of its orbitals aside; helium's are at 0.87.

        A force field's energy is that of its bonds.
        """
        noise = 1e-4 if keywords.solvent is None else CAVITY_NOISE
        if model.method not in N_ORBITALS:
            return Limits(-1.0 * len(molecule.symbols), noise, self.small_gap)
        valence = sum(N_VALENCE[number - 1] for number in molecule.numbers) - molecule.molecular_charge
        entropy = 2 * math.log(2) * keywords.electronic_temperature_k / KELVIN * n_orbitals(molecule, model.method)
        gained = MOST_GAINED + max(0.0, -molecule.molecular_charge / len(molecule.symbols))
        return Limits(-1.5 * valence - entropy, noise, self.small_gap, gained)

    def estimate(
        self,
        molecule: Molecule,
        model: Model,
        keywords: G,  # noqa: ARG002
        resources: Resources,  # noqa: ARG002
    ) -> Needs:
        """Count the basis functions of the method's own minimal basis; a force field has none."""
        return Needs(n_basis_functions=n_orbitals(molecule, model.method) if model.method in N_ORBITALS else None)


def _refuse_impossible_spin(molecule: Molecule, method: str) -> None:
    unpaired = molecule.molecular_multiplicity - 1
    valence = sum(N_VALENCE[number - 1] for number in molecule.numbers) - molecule.molecular_charge
    room = min(valence, 2 * n_orbitals(molecule, method) - valence)
    if unpaired > room or (valence - unpaired) % 2:
        raise InputError(
            f"{method} puts {valence} valence electrons into {n_orbitals(molecule, method)} orbitals: "
            f"multiplicity {molecule.molecular_multiplicity} is impossible"
        )


def frontier_orbitals(
    energies: np.ndarray, occupations: np.ndarray, multiplicity: int
) -> tuple[float | None, float | None]:
    """Return HOMO and LUMO of one set of orbitals filled by both spins; None where there is none.

    `occupations` in [0, 2], smeared. In an open shell the HOMO is the highest singly occupied orbital, as xtb
    itself prints it.
    """
    n_alpha = (round(float(occupations.sum())) + multiplicity - 1) // 2
    homo = float(energies[n_alpha - 1]) if n_alpha > 0 else None
    lumo = float(energies[n_alpha]) if n_alpha < len(energies) else None
    return homo, lumo


@dataclass(frozen=True)
class SccStep:
    """One SCC on the way to a number: how many times the level's electronic temperature, and how charges are mixed.

    `heat` of the last step is 1: the number is always the level's own. `damping` and `memory` of Broyden's mixer (None:
    the program's own) do not change what is converged to, only whether; xtb has no such settings.
    """

    heat: float = 1.0
    damping: float | None = None
    memory: int | None = None

    def name(self, keywords: GfnKeywords) -> str:
        """Say it: "SCC at 1000 K, damping 0.1"."""
        words = [f"SCC at {self.heat * keywords.electronic_temperature_k:.0f} K"]
        words += [] if self.damping is None else [f"damping {self.damping:g}"]
        words += [] if self.memory is None else [f"memory of {self.memory}"]
        return ", ".join(words)


COOLING = (10 / 3, 2.0, 1.0)
"""From 1000 K to 300 K; colder than where GFN2's multipoles draw a cluster's electrons to one atom (3000 K does)."""


def run_scc(
    program: str,
    run: Callable[[Any, SccStep], Any],
    last: Any,
    keywords: GfnKeywords,
    routes: Sequence[tuple[SccStep, ...]],
) -> tuple[Any, tuple[ScfAttempt, ...]]:
    """Run an SCC, by one route after another until one ends.

    Parameters
    ----------
    run
        Takes the library's results to start from (or None) and a step; returns new results, or None if unconverged.
    last
        The results at the last geometry, if there are any: the first start.
    routes
        Steps each, every one from the results of the one before; the last is at the level's own temperature.

    Returns
    -------
    The library's results, and what was tried; nothing where the first try did it.

    Raises
    ------
    ConvergenceError
        No route came to its end.
    """
    starts = [(" from a fresh guess", None, route) for route in ((SccStep(),), *routes)]
    if last is not None:
        starts.insert(0, (" from the last wavefunction", last, (SccStep(),)))
    attempts: list[ScfAttempt] = []
    for source, start, route in starts:
        results = start
        for step in route:
            results = run(results, step)
            converged = results is not None
            cycles = None if converged else keywords.max_iterations
            attempts.append(ScfAttempt(strategy=f"{step.name(keywords)}{source}", converged=converged, cycles=cycles))
            if not converged:
                break
            source = f" from {step.heat * keywords.electronic_temperature_k:.0f} K"
        else:
            return results, () if len(attempts) == 1 else tuple(attempts)
    raise ConvergenceError(
        f"{program}: the SCC did not converge in {keywords.max_iterations} cycles, by any of {len(starts)} routes",
        history=[attempt.model_dump(mode="json") for attempt in attempts],
    )
