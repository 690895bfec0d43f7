"""Two minima in, the path of lowest energy between them out: a nudged elastic band whose highest image climbs.

The band, its tangents and its optimiser are ASE's (improved tangents, doi:10.1063/1.1323224; climbing image,
doi:10.1063/1.1329672), its first guess interpolates all distances (doi:10.1063/1.4878664).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from qcdriver import units
from qcdriver.errors import ConvergenceError, InputError
from qcdriver.models.outcomes import Band

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ase import Atoms

    from qcdriver.engines.base import Calculation, Progress
    from qcdriver.models.outcomes import Result
    from qcdriver.models.tasks import PathSearch

_ROUGH = 5.0
"""The band first comes to this many times the wanted force without climbing: an image must know its way up."""
_SPRING_EV_ANGSTROM2 = 0.5
_LONGEST_STEP_ANGSTROM = 0.1
_SAME_ANGSTROM = 1e-3
_NOISE_ANGSTROM = 1e-9


def find_path(task: PathSearch, prepare: Callable[[], Calculation], progress: Progress) -> Band:
    """Relax a band between the ends of a path.

    Parameters
    ----------
    task
        The ends must be minima at the level, in one order of atoms. They are laid on each other, or, if the path leads
        `through` other geometries, each of these on the one before.
    prepare
        Gives a calculation for each image, which remembers what helps it (density, topology).
    progress
        Told a line at every step of the band.

    Raises
    ------
    InputError
        The ends are one and the same geometry, and the path leads through nothing else.
    ConvergenceError
        Not converged within `max_steps` of the band; its history is attached. That of an SCF passes through.
    """
    images = _interpolated(task)
    calculators = [_Calculator(prepare()) for _ in images]
    for image, calculator in zip(images, calculators, strict=True):
        image.calc = calculator
    history: list[dict[str, object]] = []

    def told(largest: float) -> None:
        highest = max(float(image.get_potential_energy()) for image in images) / units.EV
        history.append({"energy": highest, "max_force": largest})
        progress(f"band step {len(history)}  top {highest:.6f}  force {largest:.1e}")

    _relax(images, climb=False, max_force=_ROUGH * task.max_force, max_steps=task.max_steps, told=told)
    largest = _relax(
        images, climb=True, max_force=task.max_force, max_steps=max(1, task.max_steps - len(history)), told=told
    )
    if largest > task.max_force:
        raise ConvergenceError(
            f"path: not converged in {task.max_steps} steps of the band; the largest force is {largest:.1e} "
            f"hartree/bohr, {task.max_force:.1e} was wanted",
            history,
        )
    energies = tuple(float(image.get_potential_energy()) / units.EV for image in images)
    top = int(np.argmax(energies))
    return Band(
        images=tuple(task.molecule.moved(image.positions / units.ANGSTROM) for image in images),
        energies=energies,
        result=calculators[top].result_at(images[top]).model_copy(update={"gradient": None}),
        n_gradients=sum(calculator.n_gradients for calculator in calculators),
        max_force=largest,
    )


def _interpolated(task: PathSearch) -> list[Atoms]:
    """Give the first guess: images between the ends, from each geometry to the next all distances change evenly."""
    from ase import Atoms
    from ase.build import minimize_rotation_and_translation
    from ase.mep import NEB

    first, *others = (
        Atoms(image.symbols, positions=image.geometry * units.ANGSTROM)
        for image in (task.molecule, *task.through, task.end)
    )
    chain = [first]
    for other in others:
        before = chain[-1]
        minimize_rotation_and_translation(before, other)
        if np.abs(other.positions - before.positions).max() >= _SAME_ANGSTROM:
            piece = [before, *(before.copy() for _ in range(task.n_images)), other]
            NEB(piece, method="improvedtangent").interpolate("idpp")
            chain += piece[1:]
        elif len(chain) > 1:
            chain[-1] = other  # of two that are the same the later: the end itself, if it is one of them
    if len(chain) == 1:
        raise InputError("path: its two ends are the same geometry; there is nothing between them")
    return _spread_evenly(chain, task.n_images + 2) if task.through else chain


def _spread_evenly(chain: Sequence[Atoms], n_images: int) -> list[Atoms]:
    """Put images at equal distances along a chain of geometries, from its first to its last."""
    places = np.array([image.positions.ravel() for image in chain])
    along = np.r_[0.0, np.linalg.norm(np.diff(places, axis=0), axis=1).cumsum()]
    wanted = np.linspace(0.0, along[-1], n_images)
    spread = np.transpose([np.interp(wanted, along, coordinate) for coordinate in places.T])
    images = [chain[0].copy() for _ in range(n_images)]
    for image, positions in zip(images, spread, strict=True):
        image.positions = positions.reshape(-1, 3)
    return images


def _relax(
    images: Sequence[Atoms], climb: bool, max_force: float, max_steps: int, told: Callable[[float], None]
) -> float:
    """Relax the band, and give the largest force left on an atom of it, hartree/bohr."""
    from ase.mep import NEB
    from ase.optimize import FIRE

    band = NEB(
        images, k=_SPRING_EV_ANGSTROM2, climb=climb, method="improvedtangent", remove_rotation_and_translation=True
    )
    largest = np.inf
    for _ in FIRE(band, logfile=None, maxstep=_LONGEST_STEP_ANGSTROM).irun(
        max_force * units.EV_PER_ANGSTROM, max_steps
    ):
        largest = float(np.linalg.norm(band.get_forces(), axis=1).max()) / units.EV_PER_ANGSTROM
        told(largest)
    return largest


class _Calculator:
    """A calculation as ASE asks for one (eV, Angstrom); what does not converge raises, as everywhere."""

    def __init__(self, calculation: Calculation) -> None:
        self._calculation = calculation
        self._at: np.ndarray | None = None
        self.n_gradients = 0

    def result_at(self, atoms: Atoms) -> Result:
        """Evaluate, unless this geometry was the last; the band lays image on image anew whenever it is asked."""
        if self._at is None or np.abs(atoms.positions - self._at).max() > _NOISE_ANGSTROM:
            self._result = self._calculation.compute(atoms.positions / units.ANGSTROM, "gradient")
            self._at = atoms.positions.copy()
            self.n_gradients += 1
        return self._result

    def get_potential_energy(self, atoms: Atoms) -> float:
        """In eV."""
        return self.result_at(atoms).energy * units.EV

    def get_forces(self, atoms: Atoms) -> np.ndarray:
        """(natoms, 3), eV/Angstrom."""
        result = self.result_at(atoms)
        assert result.gradient is not None
        forces: np.ndarray = -result.gradient * units.EV_PER_ANGSTROM
        return forces
