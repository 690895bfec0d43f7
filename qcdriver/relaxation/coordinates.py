"""A geometry in, the value of a dihedral or twist and its gradient out; or a geometry with another value.

A twist is the mean of several dihedrals, not the dihedral of a few chosen atoms: it stays the rotation of one group
against another when single atoms move, and its gradient spreads over all of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from qcdriver.errors import InputError
from qcdriver.relaxation.primitives import dihedrals
from qcdriver.schema import Coordinate, Molecule, Target
from qcdriver.structures.bonds import bond_matrix, components, is_metal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

COLLINEAR_DEG = 1.0
"""A bond angle this near to 0 or 180 deg leaves its dihedral undefined in practice."""
_NEWTON_TOLERANCE_DEG = 1e-9
_NEWTON_STEPS = 20


def value_deg(coordinate: Coordinate, geometry: np.ndarray, near_deg: float | None = None) -> float:
    """Measure a coordinate.

    Parameters
    ----------
    coordinate
        What to measure. Dihedrals follow IUPAC's sign (doi:10.1351/goldbook.T06406).
    geometry
        (natoms, 3), bohr.
    near_deg
        The value comes within 180 deg of this; without it, in [-180, 180).

    Returns
    -------
    float
        Degrees. Continuous along a continuous path if `near_deg` is the last value: the dihedrals of a twist are
        unwrapped about their common direction, so the mean does not jump when one of them passes 180 deg.

    Raises
    ------
    InputError
        An atom does not exist, or three of the four are collinear.
    """
    phi, _ = _dihedrals_deg(coordinate, geometry)
    direction = np.degrees(np.angle(np.exp(1j * np.radians(phi)).sum()))
    mean = direction + _wrapped(phi - direction, 360.0).mean()
    origin = 0.0 if near_deg is None else near_deg
    return float(origin + _wrapped(mean - origin, 360.0))


def gradient(coordinate: Coordinate, geometry: np.ndarray) -> np.ndarray:
    """Differentiate a coordinate, analytically: (natoms, 3), degrees per bohr.

    Blondel and Karplus's form, which has no singularity at 0 and 180 deg
    (doi:10.1002/(SICI)1096-987X(19960715)17:9<1132::AID-JCC5>3.0.CO;2-T).

    Raises
    ------
    InputError
        As `value_deg`.
    """
    _, derivatives = _dihedrals_deg(coordinate, geometry)
    total = np.zeros_like(geometry, dtype=float)
    np.add.at(total, np.array(coordinate.quadruples), derivatives / len(derivatives))
    return total


def driven(molecule: Molecule, coordinate: Coordinate, to_deg: float) -> Molecule:
    """Turn the two sides of a coordinate rigidly against each other until it has a value: a start for relaxation.

    A dihedral turns what hangs on the far end of its middle bond. A twist turns each side by half, about the axis
    through the two middle atoms; what lies between the two rings turns in proportion to its place between them, and
    a ligand turns as one piece, by the place of the atom that binds the metal.

    Parameters
    ----------
    molecule
        The start; left untouched.
    coordinate, to_deg
        What to drive and where to, degrees; the shorter way round is taken.

    Raises
    ------
    InputError
        As `value_deg`; or a dihedral's middle bond is part of a ring; or a twist's dihedrals do not share their
        middle atoms.
    """
    geometry = molecule.geometry
    _, start, end, _ = coordinate.quadruples[0]
    turn_deg = _wrapped(to_deg - value_deg(coordinate, geometry), 360.0)
    share = {"dihedral": _dihedral_shares, "twist": _twist_shares}[coordinate.kind](molecule, coordinate)
    axis = geometry[end] - geometry[start]
    turned = geometry[start] + _rotated(geometry - geometry[start], axis, turn_deg * share)
    return molecule.moved(onto_targets(turned, (Target(coordinate=coordinate, value_deg=to_deg),)))


def onto_targets(
    geometry: np.ndarray, targets: Sequence[Target], spread: Callable[[np.ndarray], np.ndarray] = np.copy
) -> np.ndarray:
    """Move a geometry onto all its targets by Newton steps, to 1e-9 deg.

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
        The targets contradict each other, or only atoms that cannot move could meet them.
    """
    for _ in range(_NEWTON_STEPS):
        lack = np.array([t.value_deg - value_deg(t.coordinate, geometry, t.value_deg) for t in targets])
        if np.abs(lack).max(initial=0.0) < _NEWTON_TOLERANCE_DEG:
            return geometry
        slopes = np.array([gradient(t.coordinate, geometry).ravel() for t in targets])
        moves = spread(slopes.T)
        force = np.linalg.lstsq(slopes @ moves, lack, rcond=None)[0]
        geometry = geometry + (moves @ force).reshape(-1, 3)
    raise InputError(
        "the targets "
        + ", ".join(f"{t.coordinate.kind} = {t.value_deg:g} deg" for t in targets)
        + " cannot be met together by the atoms that are free to move"
    )


def _dihedrals_deg(coordinate: Coordinate, geometry: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each dihedral (n,) in degrees and its derivative by its own four atoms (n, 4, 3) in degrees per bohr."""
    fours = np.array(coordinate.quadruples)
    if fours.max() >= len(geometry):
        raise InputError(
            f"atom {fours.max()} of a {coordinate.kind} does not exist: there are {len(geometry)}, counted from 0"
        )
    phi, derivatives, sines = dihedrals(geometry, fours)
    bent = sines.min(axis=1) > np.sin(np.radians(COLLINEAR_DEG))
    if not bent.all():
        four = fours[np.argmin(bent)].tolist()
        raise InputError(f"the dihedral of atoms {four} is undefined: three of them are collinear")
    return np.degrees(phi), np.degrees(derivatives)


def _dihedral_shares(molecule: Molecule, coordinate: Coordinate) -> np.ndarray:
    """Which part of the turn each atom makes, (natoms,): all beyond the middle bond, nothing before it."""
    _, start, end, _ = coordinate.quadruples[0]
    graph = bond_matrix(molecule).tolil()
    graph[start, end] = graph[end, start] = False
    beyond = next(part for part in components(graph.tocsr()) if end in part)
    if start in beyond:
        raise InputError(f"a dihedral about atoms {start} and {end} cannot be driven: their bond is part of a ring")
    share = np.zeros(len(molecule.symbols))
    share[list(beyond)] = 1.0
    return share


def _twist_shares(molecule: Molecule, coordinate: Coordinate) -> np.ndarray:
    """Which part of the turn each atom makes, (natoms,): -1/2 on the first side, +1/2 on the other."""
    first, starts, ends, last = (list(set(atoms)) for atoms in zip(*coordinate.quadruples, strict=True))
    if len(starts) > 1 or len(ends) > 1:
        raise InputError("a twist's dihedrals must share their two middle atoms")
    axis = molecule.geometry[ends[0]] - molecule.geometry[starts[0]]
    height = (molecule.geometry - molecule.geometry[starts[0]]) @ axis / (axis @ axis)
    low, high = max(height[first].mean(), 0.0), min(height[last].mean(), 1.0)
    share: np.ndarray = np.interp(height, sorted((low, high)), (-0.5, 0.5))

    skeleton = np.array([is_metal(symbol) for symbol in molecule.symbols])
    skeleton[first + starts + ends + last] = True
    rest, core = np.flatnonzero(~skeleton), molecule.geometry[skeleton]
    for part in components(bond_matrix(molecule)[rest][:, rest]):
        ligand = rest[list(part)]
        gap = np.linalg.norm(molecule.geometry[ligand][:, None] - core, axis=-1).min(axis=1)
        share[ligand] = share[ligand[gap.argmin()]]
    return share


def _rotated(vectors: np.ndarray, axis: np.ndarray, angles_deg: np.ndarray) -> np.ndarray:
    """Rotate each vector about one axis by its own angle (Rodrigues)."""
    unit = axis / np.linalg.norm(axis)
    cosine, sine = np.cos(np.radians(angles_deg))[:, None], np.sin(np.radians(angles_deg))[:, None]
    along: np.ndarray = (vectors @ unit)[:, None] * unit
    turned: np.ndarray = along + cosine * (vectors - along) + sine * np.cross(unit, vectors)
    return turned


def _wrapped(angle_deg: float | np.ndarray, period_deg: float) -> np.ndarray:
    """Bring angles within half a period of 0: [-period/2, period/2)."""
    return np.asarray(angle_deg - period_deg * np.floor(angle_deg / period_deg + 0.5))
