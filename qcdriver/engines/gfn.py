"""What the two programs for GFN-xTB share: keywords, the elements' minimal basis, and what they cannot do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import Field

from qcdriver.engines.checks import check_geometry, choices, read_keywords
from qcdriver.errors import ConvergenceError, InputError
from qcdriver.schema import Frozen, Level, Molecule, ScfAttempt

if TYPE_CHECKING:
    from collections.abc import Callable

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
    """Keywords of the GFN-xTB methods. Force fields take none but the defaults.

    Attributes
    ----------
    accuracy
        Scales every threshold of the SCC; smaller is tighter.
    electronic_temperature_k
        Fermi temperature of the occupations, kelvin; the energy is the electronic free energy there.
    max_iterations
        SCC cycles before it is a failure.
    """

    accuracy: float = Field(default=1.0, ge=1e-4, le=1000)
    electronic_temperature_k: float = Field(default=300.0, gt=0, le=1e5)
    max_iterations: int = Field(default=250, ge=1)


def n_orbitals(molecule: Molecule, method: str) -> int:
    """Count the basis functions of a molecule in GFN1-xTB or GFN2-xTB."""
    return sum(int(N_ORBITALS[method][number - 1]) for number in molecule.numbers)


def check_gfn(engine: str, methods: tuple[str, ...], molecule: Molecule, level: Level) -> None:
    """Refuse what the GFN methods cannot compute; libxtb crashes on most of it and tblite may give a number.

    Raises
    ------
    InputError
    """
    method = level.model.method
    if method not in methods:
        raise InputError(f"{engine} has no method {method!r}; {choices(method, methods)}")
    if level.model.basis is not None:
        raise InputError(f"{method} has its own minimal basis: leave out basis = {level.model.basis!r}")
    keywords = read_keywords(engine, GfnKeywords, level.keywords)
    for index, number in enumerate(molecule.numbers):
        if number > len(N_VALENCE):
            raise InputError(f"atom {index}: {method} has no {molecule.symbols[index]}; it ends at Rn")
    check_geometry(molecule.symbols, molecule.geometry)
    if method in N_ORBITALS:
        _refuse_impossible_spin(molecule, method)
    elif keywords != GfnKeywords():
        raise InputError(f"{method} has no SCC, so none of {', '.join(GfnKeywords.model_fields)} can be set")


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
    """Give HOMO and LUMO of one set of orbitals filled by both spins; None where there is none.

    `occupations` in [0, 2], smeared. In an open shell the HOMO is the highest singly occupied orbital, as xtb
    itself prints it.
    """
    n_alpha = (round(float(occupations.sum())) + multiplicity - 1) // 2
    homo = float(energies[n_alpha - 1]) if n_alpha > 0 else None
    lumo = float(energies[n_alpha]) if n_alpha < len(energies) else None
    return homo, lumo


def run_scc(program: str, run: Callable[[Any], Any], last: Any, max_iterations: int) -> Any:
    """Run an SCC from the last wavefunction, if there is one, and when that fails once more from scratch.

    `run` takes the library's results to start from (or None) and gives new ones, or None if unconverged.

    Raises
    ------
    ConvergenceError
    """
    starts = [("SCC from a fresh guess", None)]
    if last is not None:
        starts.insert(0, ("SCC from the last wavefunction", last))
    attempts = []
    for strategy, start in starts:
        if (results := run(start)) is not None:
            return results
        attempts.append(ScfAttempt(strategy=strategy, converged=False, cycles=max_iterations))
    raise ConvergenceError(
        f"{program}: the SCC did not converge in {max_iterations} cycles",
        history=[attempt.model_dump(mode="json") for attempt in attempts],
    )
