"""Find what is wrong with a record that can be read: a key of another task, other atoms, an impossible number."""

from __future__ import annotations

import numpy as np

from qcdriver.models.bounds import highest_energy, missing_charge
from qcdriver.models.molecule import Molecule
from qcdriver.models.outcomes import Band, Built, ExcitedStates, Failure, Frequencies, Relaxed, Result
from qcdriver.models.records import StageRecord, TaskRecord
from qcdriver.models.tasks import (
    Build,
    Excitations,
    PathSearch,
    Relaxation,
    SaddleSearch,
    SinglePoint,
    Task,
    Vibrations,
)
from qcdriver.store.keys import task_key

_OUTCOMES: dict[type[Task], type] = {
    Build: Built,
    SinglePoint: Result,
    Relaxation: Relaxed,
    PathSearch: Band,
    SaddleSearch: Relaxed,
    Vibrations: Frequencies,
    Excitations: ExcitedStates,
}
_Number = Result | Relaxed | Band | Frequencies | ExcitedStates
_SAME = 1e-9
"""Hartree, by which two copies of one number may differ."""


@np.errstate(over="ignore", invalid="ignore")
def flaw_of(record: TaskRecord | StageRecord) -> str | None:
    """Return in words what is wrong with a record; None if nothing is.

    Looked at, in this order: the key, which hashes the task; the kind of the outcome; its atoms, charge and
    multiplicity; the shapes of its arrays; the range of its energies; numbers that follow from each other. What a
    stage decided can be checked only against its settings, which are not in its record.
    """
    if isinstance(record, StageRecord):
        return None
    task, outcome = record.task, record.outcome
    try:
        key = task_key(task)
    except ValueError:
        return "its task holds a number that cannot be rounded"
    if key != record.key:
        return f"its key is not that of its task, {key}"
    if isinstance(outcome, Failure):
        return None
    if not isinstance(outcome, _OUTCOMES[type(task)]):
        return f"a task of kind {task.kind} cannot have an outcome of kind {outcome.kind}"
    if isinstance(task, Build) or isinstance(outcome, Built):
        return None
    if any(_composition(image) != _composition(task.molecule) for image in _geometries(outcome)):
        return "its outcome has other atoms, another charge or multiplicity than its task"
    molecule, result = record.molecule, record.result
    assert molecule is not None
    assert result is not None
    return _flaw_of_counts(task, outcome) or _flaw_of_result(result, molecule) or _flaw_of_energies(outcome, molecule)


def _geometries(outcome: _Number) -> tuple[Molecule, ...]:
    if isinstance(outcome, Band):
        return outcome.images
    return (outcome.molecule,) if isinstance(outcome, Relaxed) else ()


def _composition(molecule: Molecule) -> tuple[tuple[str, ...], int, int]:
    return molecule.symbols, molecule.molecular_charge, molecule.molecular_multiplicity


def _flaw_of_counts(task: Task, outcome: _Number) -> str | None:
    if isinstance(task, PathSearch) and isinstance(outcome, Band):
        images, energies = len(outcome.images), len(outcome.energies)
        if not images == energies == task.n_images + 2:
            return f"{images} images with {energies} energies, where {task.n_images + 2} were asked for"
    if isinstance(outcome, Relaxed):
        targets = len(task.targets) if isinstance(task, Relaxation) else 0
        if len(outcome.reached) != targets or len(outcome.slopes) not in (0, targets):
            return f"{len(outcome.reached)} values and {len(outcome.slopes)} slopes of {targets} held coordinates"
    if isinstance(task, Vibrations) and isinstance(outcome, Frequencies):
        if outcome.mode.shape != task.molecule.geometry.shape:
            return f"mode has shape {outcome.mode.shape}, not {task.molecule.geometry.shape}"
        if list(outcome.wavenumbers_cm) != sorted(outcome.wavenumbers_cm):
            return "its wavenumbers do not rise"
        known = outcome.intensities_km_mol
        if known is not None and len(known) != len(outcome.wavenumbers_cm):
            return f"{len(known)} intensities of {len(outcome.wavenumbers_cm)} wavenumbers"
    if isinstance(outcome, ExcitedStates):
        rising = [state.energy for state in outcome.states]
        if rising != sorted(rising) or min(rising, default=0.0) <= 0:
            return "its excitation energies do not rise from above 0"
    return None


def _flaw_of_result(result: Result, molecule: Molecule) -> str | None:
    natoms = len(molecule.symbols)
    shapes = {"gradient": (natoms, 3), "dipole": (3,), "mulliken_charges": (natoms,), "hirshfeld_charges": (natoms,)}
    for name, shape in shapes.items():
        array = getattr(result, name)
        if array is not None and array.shape != shape:
            return f"{name} has shape {array.shape}, not {shape}"
    for charges in (result.mulliken_charges, result.hirshfeld_charges):
        if charges is not None and (missing := missing_charge(charges, molecule)):
            return f"its atomic charges {missing}"
    if result.gap is not None and result.homo is not None and result.lumo is not None:
        difference = result.lumo - result.homo
        if abs(result.gap - difference) > _SAME:
            return f"a gap of {result.gap:g} hartree between orbitals {difference:g} apart"
    return None


def _flaw_of_energies(outcome: _Number, molecule: Molecule) -> str | None:
    energies = outcome.energies if isinstance(outcome, Relaxed | Band) else ()
    result = outcome if isinstance(outcome, Result) else outcome.result
    if energies:
        twin = energies[outcome.highest] if isinstance(outcome, Band) else energies[-1]
        if abs(twin - result.energy) > _SAME:
            return f"energies of {result.energy!r} and {twin!r} hartree for one geometry"
    lowest, highest = _energy_range(molecule)
    for energy in (*energies, result.energy):
        if not lowest <= energy <= highest:
            return (
                f"an energy of {energy:.6g} hartree; {molecule.formula} has one between {lowest:.6g} and {highest:.6g}"
            )
    return None


def _energy_range(molecule: Molecule) -> tuple[float, float]:
    """Return the lowest and the highest energy, hartree, that a molecule could have by any method.

    An atom of many electrons has -0.77 Z**(7/3) (Thomas and Fermi, doi:10.1103/RevModPhys.53.603); -Z**(7/3) - 1 leaves
    room for relativity and for bonds. The highest is the repulsion of the bare nuclei.
    """
    numbers = molecule.numbers.astype(float)
    return -float((numbers ** (7 / 3)).sum()) - len(numbers), highest_energy(molecule)
