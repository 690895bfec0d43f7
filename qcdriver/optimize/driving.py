"""A molecule and targets in, a geometry at all of them out: driven far as a start for a relaxation, or held there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from qcdriver.errors import InputError
from qcdriver.geometry.coordinates import COLLINEAR_DEG, gradient, measured, named, repeat_deg
from qcdriver.geometry.primitives import wrapped
from qcdriver.geometry.rigid import moved_rigidly
from qcdriver.models.coordinates import Angle, Distance, held, is_length
from qcdriver.models.molecule import Molecule
from qcdriver.optimize.internal_coordinates import InternalCoordinates
from qcdriver.optimize.quasi_newton import Frame

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from qcdriver.models.coordinates import Target

_TOLERANCE_DEG, _TOLERANCE = 1e-9, 1e-10
_NEWTON_STEPS = 20
_STRAIGHT_DEG, _STRAIGHT = 5.0, 0.1
"""How far, in degrees and bohr, the atoms of a coordinate may go to a target in a straight line, alone."""


def driven(molecule: Molecule, targets: Sequence[Target]) -> Molecule:
    """Bring a molecule onto all targets: a start for a relaxation.

    One target after the other moves the two sides of its coordinate rigidly against each other, the shorter way round
    (`rigid`). What is lacking then, because nothing can move rigidly or because the targets disturb each other, is made
    up in small steps in which all atoms yield as the model Hessian lets them.

    Parameters
    ----------
    molecule
        The start; left untouched.
    targets
        What to drive, and where to.

    Raises
    ------
    InputError
        As `measured`, `moved_rigidly` and `onto_targets`.
    """
    for target in targets:
        _refuse_impossible(target)
        geometry = molecule.geometry
        repeat = repeat_deg(target.coordinate)
        by = target.value - measured(target.coordinate, geometry)
        by = by if repeat is None else float(wrapped(by, repeat))
        molecule = molecule.moved(moved_rigidly(molecule, target.coordinate, by))
    return molecule.moved(onto_targets(_yielded(molecule, targets), targets))


def onto_targets(
    geometry: np.ndarray, targets: Sequence[Target], spread: Callable[[np.ndarray], np.ndarray] = np.copy
) -> np.ndarray:
    """Move a geometry onto all its targets by Newton steps, to 1e-9 deg and 1e-10 bohr.

    Parameters
    ----------
    geometry
        (natoms, 3), bohr; left untouched.
    targets
        What must hold.
    spread
        Turns forces on the atoms, (3 natoms, ntargets), into the displacements they cause: which atoms move, and how
        readily. Without it every atom moves alike.

    Raises
    ------
    InputError
        No geometry has such a value, the targets contradict each other, or only atoms that cannot move could meet
        them.
    """
    for target in targets:
        _refuse_impossible(target)
    met = _solved(geometry, targets, spread)
    if met is None:
        raise _unmet(targets)
    return met


def _yielded(molecule: Molecule, targets: Sequence[Target]) -> np.ndarray:
    """Come near to all targets in small steps, in which every atom yields as the model Hessian lets it."""
    geometry = molecule.geometry
    lack = _lack(geometry, targets)
    steps = int(np.ceil(np.abs(lack / _of_each(targets, _STRAIGHT, _STRAIGHT_DEG)).max(initial=0.0)))
    if steps <= 1:
        return geometry
    internals, every = InternalCoordinates(molecule), np.arange(geometry.size)
    for left in range(steps - 1, -1, -1):
        missing = lack * left / steps
        nearer = [held(t.coordinate, t.value - still) for t, still in zip(targets, missing, strict=True)]
        solved = _solved(geometry, nearer, Frame(internals, geometry, every).yielding)
        if solved is None:
            raise _unmet(targets)
        geometry = solved
    return geometry


def _solved(
    geometry: np.ndarray, targets: Sequence[Target], spread: Callable[[np.ndarray], np.ndarray]
) -> np.ndarray | None:
    """Take Newton steps onto all targets; None if they do not get there."""
    tolerance = _of_each(targets, _TOLERANCE, _TOLERANCE_DEG)
    for _ in range(_NEWTON_STEPS):
        lack = _lack(geometry, targets)
        if (np.abs(lack) < tolerance).all():
            return geometry
        slopes = np.array([gradient(t.coordinate, geometry).ravel() for t in targets])
        moves = spread(slopes.T)
        force = np.linalg.lstsq(slopes @ moves, lack, rcond=None)[0]
        geometry = geometry + (moves @ force).reshape(-1, 3)
    return None


def _lack(geometry: np.ndarray, targets: Sequence[Target]) -> np.ndarray:
    """Subtract what is from what is wanted, (ntargets,), each in its unit."""
    return np.array([t.value - measured(t.coordinate, geometry, t.value) for t in targets])


def _of_each(targets: Sequence[Target], length: float, angle_deg: float) -> np.ndarray:
    return np.array([length if is_length(t.coordinate) else angle_deg for t in targets])


def _unmet(targets: Sequence[Target]) -> InputError:
    wanted = " and ".join(
        f"{named(t.coordinate)} = {t.value:g} {'bohr' if is_length(t.coordinate) else 'deg'}" for t in targets
    )
    return InputError(
        f"{wanted} cannot be met{' together' if len(targets) > 1 else ''} by the atoms that are free to move"
    )


def _refuse_impossible(target: Target) -> None:
    coordinate, value = target.coordinate, target.value
    if isinstance(coordinate, Distance) and not value > 0:
        raise InputError(f"the {named(coordinate)} cannot be {value:g} bohr: it is positive")
    if isinstance(coordinate, Angle) and not COLLINEAR_DEG < value < 180.0 - COLLINEAR_DEG:
        raise InputError(
            f"the {named(coordinate)} cannot be held at {value:g} deg: "
            f"take one between {COLLINEAR_DEG:g} and {180 - COLLINEAR_DEG:g}"
        )
