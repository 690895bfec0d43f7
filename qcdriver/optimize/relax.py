"""A molecule and a calculation in, the nearest minimum out, with atoms frozen and coordinates held at their values.

A gradient is a whole SCF and the algebra between two of them is nothing, so all that gradients teach is kept: steps
go to the minimum of a quasi-Newton model in internal coordinates, within a trust radius, along the surface on which
the held coordinates have their values.

Gradients to 2e-4 hartree/bohr, here and by ASE 3.29's LBFGS (GFN1-xTB, xtb 22.1, Au13Ag12 rod with PH3): from the
model 55, 416; a scan point 6 deg from the last 11, 50. `tests/benchmarks/relaxation.py` counts again.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from qcdriver.errors import ConvergenceError, InputError, UnphysicalError
from qcdriver.geometry.coordinates import gradient, measured, named
from qcdriver.geometry.rigid import moved_rigidly, without_rigid_motions
from qcdriver.models.coordinates import Combination, is_length
from qcdriver.models.outcomes import Relaxed
from qcdriver.optimize.driving import onto_targets
from qcdriver.optimize.internal_coordinates import InternalCoordinates
from qcdriver.optimize.quasi_newton import Frame, QuasiNewton, bounded_step, longest
from qcdriver.optimize.steps_file import Reached, StepsFile

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from qcdriver.engines.base import Calculation, Progress
    from qcdriver.models.coordinates import Target
    from qcdriver.models.level import Convergence
    from qcdriver.models.molecule import Molecule
    from qcdriver.models.outcomes import Result

_TRUST_FIRST, _TRUST_MIN, _TRUST_MAX = 0.3, 0.02, 1.5
"""How far any atom may go in one step, bohr."""
_HOPELESS = 1e-4
"""When a step of this length, bohr, still raises the energy, no shorter one would help."""
_NEAR_DEG, _NEAR = 10.0, 0.5
"""From further away, in degrees and bohr, straight displacements towards a target would tear bonds."""
_RECENT = 10
_LITTLE = 1e-4
"""Degrees or bohr, of a rigid displacement that stands for a derivative."""


def relax(
    molecule: Molecule,
    calculation: Calculation,
    convergence: Convergence,
    frozen_atoms: Sequence[int] = (),
    targets: Sequence[Target] = (),
    progress: Progress = lambda line: None,  # noqa: ARG005
    steps_file: Path | None = None,
    start_hessian: Callable[[], np.ndarray | None] | None = None,
) -> Relaxed:
    """Relax a molecule to the nearest minimum.

    Parameters
    ----------
    molecule
        The start, within 10 deg or 0.5 bohr of every target (`driving.driven` brings it there); left untouched.
    calculation
        Gives energies and gradients; one call a step.
    convergence
        When it is done.
    frozen_atoms
        Atoms that stay exactly where they are.
    targets
        Coordinates and the values they have at every geometry computed, within 1e-6 deg or bohr.
    progress
        Told a line at every accepted geometry.
    steps_file
        Where it saves itself while it goes on, if its gradients take long, and goes on from if an earlier try did so;
        left there at the end. None: nowhere.
    start_hessian
        Computes the Hessian over the free coordinates at the start, (nfree, nfree), at whatever level; called only
        where no earlier try has left one. None, or where it gives None: the model Hessian is all there is.

    Raises
    ------
    InputError
        A frozen atom or an atom of a coordinate does not exist, no atom is free, or the targets are too far from
        the start or cannot be met.
    ConvergenceError
        Not converged within `max_steps`, or no step lowers the energy; energy and force of each accepted geometry
        are in its history. That of an SCF passes through, where a short step meets it too.
    UnphysicalError
        The engine gives no sound number, however short the step.
    """
    file = StepsFile(steps_file, progress)
    descent = _Descent(molecule, calculation, convergence, frozen_atoms, targets, file, start_hessian)
    if descent.resumed_after:
        progress(f"goes on after {descent.resumed_after} gradients of an earlier try")
    while True:
        point = descent.point
        progress(f"step {len(descent.history) - 1}  {point.energy:.6f}  force {point.max_force:.1e}")
        if descent.converged:
            break
        descent.step()
    return Relaxed(
        molecule=molecule.moved(point.frame.geometry),
        result=point.result,
        energies=tuple(descent.energies),
        n_gradients=descent.n_gradients,
        max_force=point.max_force,
        slopes=descent.slopes,
        reached=tuple(measured(t.coordinate, point.frame.geometry, t.value) for t in targets),
        n_cycles=descent.n_cycles,
        resumed_after=descent.resumed_after,
        began_with_hessian=descent.began_with_hessian,
    )


@dataclass(frozen=True)
class _Point:
    """An evaluated geometry; vectors are over the free coordinates.

    Attributes
    ----------
    gradient
        Of the energy, less what the held coordinates take up: the Lagrangian's.
    slopes
        Gradients of the held coordinates, (ntargets, nfree).
    multipliers
        What the held coordinates take up, (ntargets,): the energy's derivative by each.
    """

    frame: Frame
    result: Result
    gradient: np.ndarray
    slopes: np.ndarray
    multipliers: np.ndarray

    @property
    def energy(self) -> float:
        return self.result.energy

    @property
    def max_force(self) -> float:
        return float(np.abs(self.gradient).max())


class _Descent:
    """Goes from one accepted geometry to the next."""

    def __init__(
        self,
        molecule: Molecule,
        calculation: Calculation,
        convergence: Convergence,
        frozen_atoms: Sequence[int],
        targets: Sequence[Target],
        file: StepsFile,
        start_hessian: Callable[[], np.ndarray | None] | None,
    ) -> None:
        self._calculation, self._convergence, self._targets = calculation, convergence, targets
        self._molecule = molecule
        self._free = _free_coordinates(len(molecule.symbols), frozen_atoms)
        _refuse_far(molecule, targets)
        self._internals = InternalCoordinates(molecule)
        self._model = QuasiNewton()
        self._trust = _TRUST_FIRST
        self._file = file
        self.n_gradients, self.resumed_after = 0, 0
        self.n_cycles: int | None = 0
        start = Frame(self._internals, molecule.geometry, self._free)
        earlier = file.read(len(molecule.symbols), start.n_internals, len(self._free))
        self._hessian = earlier.hessian if earlier else start_hessian() if start_hessian else None
        if self._hessian is not None:
            self._model.teach(start, self._hessian)
        if earlier:
            self._go_on_from(earlier)
            return
        self.point = self._evaluated(start, molecule.geometry)
        self.energies = [self.point.energy]
        self._forces = [self.point.max_force]
        self._save()

    def _go_on_from(self, earlier: Reached) -> None:
        self._trust, self.n_cycles = earlier.trust, earlier.n_cycles
        self.n_gradients = self.resumed_after = earlier.n_gradients
        self.energies, self._forces = list(earlier.energies), list(earlier.forces)
        self._model.remember(earlier.pairs)
        self.point = self._point(earlier.geometry, earlier.result)

    def _save(self) -> None:
        if self._file.is_worth(self._seconds):
            self._file.write(
                Reached(
                    geometry=self.point.frame.geometry,
                    result=self.point.result,
                    energies=tuple(self.energies),
                    forces=tuple(self._forces),
                    n_gradients=self.n_gradients,
                    n_cycles=self.n_cycles,
                    trust=self._trust,
                    pairs=self._model.pairs,
                    hessian=self._hessian,
                )
            )

    @property
    def began_with_hessian(self) -> bool:
        return self._hessian is not None

    @property
    def converged(self) -> bool:
        if len(self.energies) < 2 or self._forces[-1] > self._convergence.max_force:
            return False
        return abs(self.energies[-1] - self.energies[-2]) <= self._convergence.energy_change

    def step(self) -> None:
        """Accept a next geometry, shortening the step until the energy falls.

        A force field's energy has jumps (cutoffs, switched terms): when even a short step meets one, the energy may
        rise as high as it recently was. A geometry at which the engine fails is a step too long as well.
        """
        if len(self.energies) > self._convergence.max_steps:
            raise self._unconverged(f"not converged in {self._convergence.max_steps} steps")
        point = self.point
        while True:
            model = self._model.model(point.frame)
            step = bounded_step(model, point.gradient, point.slopes, self._trust)
            try:
                trial = self._evaluated(point.frame, point.frame.moved(step))
            except InputError as error:
                raise self._unconverged(f"a step led where nothing can be computed ({error})") from error
            except (ConvergenceError, UnphysicalError):
                if longest(step) < _TRUST_MIN:
                    raise
                self._trust = 0.4 * longest(step)
                continue
            self._model.learn(point.frame, trial.frame, point.gradient, trial.gradient)
            change = trial.energy - point.energy
            length = longest(step)
            ceiling = max(self.energies[-_RECENT:]) if length < _TRUST_MIN else point.energy
            if trial.energy <= ceiling + self._convergence.energy_change:
                break
            if length < _HOPELESS:
                raise self._unconverged("no step lowers the energy")
            self._trust = 0.4 * length
            self._save()
        predicted = point.gradient @ step + step @ model.product(step) / 2
        if change < 0.75 * predicted and length > 0.8 * self._trust:
            self._trust = min(1.5 * self._trust, _TRUST_MAX)
        elif change > 0.25 * predicted:
            self._trust = max(0.5 * length, _TRUST_MIN)
        self.point = trial
        self.energies.append(trial.energy)
        self._forces.append(trial.max_force)
        self._save()

    def _evaluated(self, frame: Frame, geometry: np.ndarray) -> _Point:
        """Compute at `geometry`, put on the targets first in the way that costs `frame` least."""

        def spread(forces: np.ndarray) -> np.ndarray:
            moves = np.zeros_like(forces)
            moves[self._free] = frame.yielding(forces[self._free])
            return moves

        geometry = onto_targets(geometry, self._targets, spread)
        self.n_gradients += 1
        started = time.monotonic()
        result = self._calculation.compute(geometry, "gradient")
        self._seconds = time.monotonic() - started
        cycles = result.n_cycles
        self.n_cycles = None if cycles is None or self.n_cycles is None else self.n_cycles + cycles
        return self._point(geometry, result)

    def _point(self, geometry: np.ndarray, result: Result) -> _Point:
        assert result.gradient is not None
        slopes = np.zeros((len(self._targets), len(self._free)))
        for row, target in zip(slopes, self._targets, strict=True):
            row[:] = gradient(target.coordinate, geometry).ravel()[self._free]
        gradients = result.gradient  # less what an integration grid leaves of net force: no step could lower that
        if len(self._free) == gradients.size:
            gradients = without_rigid_motions(gradients, geometry)
        energy_gradient = gradients.ravel()[self._free]
        held = np.linalg.lstsq(slopes.T, energy_gradient, rcond=None)[0]
        frame = Frame(self._internals, geometry, self._free)
        return _Point(frame, result, energy_gradient - held @ slopes, slopes, held)

    @property
    def slopes(self) -> tuple[float, ...]:
        """How the relaxed energy changes with each target; where atoms of it are frozen, as driving moves them."""
        gradients, multipliers = self.point.result.gradient, self.point.multipliers
        assert gradients is not None
        if len(self._free) == gradients.size:
            return tuple(map(float, multipliers))
        molecule = self._molecule.moved(self.point.frame.geometry)
        return tuple(
            float(
                (gradients * (moved_rigidly(molecule, target.coordinate, _LITTLE) - molecule.geometry)).sum() / _LITTLE
            )
            for target in self._targets
        )

    @property
    def history(self) -> list[dict[str, object]]:
        return [{"energy": e, "max_force": f} for e, f in zip(self.energies, self._forces, strict=True)]

    def _unconverged(self, reason: str) -> ConvergenceError:
        wanted = self._convergence.max_force
        return ConvergenceError(
            f"relaxation: {reason}; the largest force is {self._forces[-1]:.1e} hartree/bohr, {wanted:.1e} was wanted",
            self.history,
        )


def _refuse_far(molecule: Molecule, targets: Sequence[Target]) -> None:
    for target in targets:
        coordinate, wanted = target.coordinate, target.value
        value = measured(coordinate, molecule.geometry, wanted)
        near, unit = (_NEAR, "bohr") if is_length(coordinate) else (_NEAR_DEG, "deg")
        if isinstance(coordinate, Combination):
            near *= max(abs(term.weight) for term in coordinate.terms)
        if abs(value - wanted) > near:
            raise InputError(
                f"the start has {named(coordinate)} = {value:.{2 if unit == 'bohr' else 1}f} {unit}, "
                f"too far from {wanted:g}: drive it there first"
            )


def _free_coordinates(natoms: int, frozen_atoms: Sequence[int]) -> np.ndarray:
    for atom in frozen_atoms:
        if not 0 <= atom < natoms:
            raise InputError(f"frozen atom {atom} does not exist: there are {natoms}, counted from 0")
    free = np.setdiff1d(np.arange(natoms), np.array(frozen_atoms, dtype=int))
    if not len(free):
        raise InputError("every atom is frozen: nothing is left to relax")
    return (3 * free[:, None] + np.arange(3)).ravel()
