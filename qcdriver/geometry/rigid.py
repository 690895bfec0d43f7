"""Change a coordinate of a molecule by moving its two sides rigidly against each other.

A distance moves the smaller side along the line of its two atoms. An angle bends the smaller side about its middle
atom. A dihedral turns the side on the far end of its middle bond. A twist turns both sides by half, about the axis
through the two middle atoms; atoms between the two rings turn in proportion to their height between them, and a ligand
turns as one piece, by the height of the atom that binds the metal. A belt turns its ligands about that axis. A
combination changes all its terms, so that the sum of squared changes is smallest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from qcdriver.errors import InputError
from qcdriver.geometry.bonds import bond_matrix, components, is_metal
from qcdriver.geometry.coordinates import gradient, named
from qcdriver.models.coordinates import Angle, Belt, Combination, Coordinate, Distance, Torsion
from qcdriver.models.molecule import Molecule

if TYPE_CHECKING:
    from collections.abc import Iterable


def moved_rigidly(molecule: Molecule, coordinate: Coordinate, by: float) -> np.ndarray:
    """Change a coordinate by an amount in its unit, bohr or degrees.

    Returns
    -------
    np.ndarray
        The geometry, (natoms, 3), bohr. It is unchanged where the two sides of a distance or an angle are also
        connected otherwise, as in a ring: they cannot move rigidly.

    Raises
    ------
    InputError
        A dihedral's middle atoms are in a ring, or the three atoms of an angle are collinear.
    """
    if isinstance(coordinate, Combination):
        norm = sum(term.weight**2 for term in coordinate.terms)
        for term in coordinate.terms:
            molecule = molecule.moved(moved_rigidly(molecule, term.coordinate, by * term.weight / norm))
        return molecule.geometry
    if isinstance(coordinate, Distance):
        return _stretched(molecule, coordinate, by)
    if isinstance(coordinate, Angle):
        return _bent(molecule, coordinate, by)
    if isinstance(coordinate, Belt):
        return _belt_turned(molecule, coordinate, by)
    _, start, end, _ = coordinate.quadruples[0]
    geometry = molecule.geometry
    share = {"dihedral": _dihedral_shares, "twist": _twist_shares}[coordinate.kind](molecule, coordinate)
    axis = geometry[end] - geometry[start]
    turned: np.ndarray = geometry[start] + _rotated(geometry - geometry[start], axis, by * share)
    return turned


def _stretched(molecule: Molecule, coordinate: Distance, by: float) -> np.ndarray:
    geometry = molecule.geometry.copy()
    first, last = coordinate.atoms
    if moving := _smaller_side(molecule, (last, first, first), (first, last, last)):
        side, end, other = moving
        away = geometry[end] - geometry[other]
        geometry[side] += by * away / np.linalg.norm(away)
    return geometry


def _bent(molecule: Molecule, coordinate: Angle, by: float) -> np.ndarray:
    geometry = molecule.geometry.copy()
    gradient(coordinate, geometry)  # refuses three atoms on a line
    first, middle, last = coordinate.atoms
    if moving := _smaller_side(molecule, (last, middle, first), (first, middle, last)):
        side, end, other = moving
        origin = geometry[middle]
        axis = np.cross(geometry[other] - origin, geometry[end] - origin)
        geometry[side] = origin + _rotated(geometry[side] - origin, axis, np.full(len(side), by))
    return geometry


def _belt_turned(molecule: Molecule, coordinate: Belt, by: float) -> np.ndarray:
    geometry = molecule.geometry.copy()
    ring, starts, ends, belt = (sorted(set(atoms)) for atoms in zip(*coordinate.quadruples, strict=True))
    hanging = [ligand for ligand in _ligands(molecule, ring + starts + ends) if set(ligand) & set(belt)]
    atoms, origin = sorted(set(belt).union(*hanging)), geometry[starts[0]]
    axis = geometry[ends[0]] - origin
    geometry[atoms] = origin + _rotated(geometry[atoms] - origin, axis, np.full(len(atoms), by))
    return geometry


def _dihedral_shares(molecule: Molecule, coordinate: Torsion) -> np.ndarray:
    """Return the part of the turn that each atom makes, (natoms,): 1 beyond the middle bond, 0 before it.

    The middle atoms of a dihedral over a straight chain (both ends of C-C#C-C) are not bonded: the chain is cut at its
    last bond, and as it lies on the axis its own atoms stay where they are.
    """
    _, start, end, _ = coordinate.quadruples[0]
    beyond = _side(molecule, end, _before(molecule, start, end), start)
    if not beyond:
        raise InputError(f"the {named(coordinate)} cannot be driven: its middle atoms are part of a ring")
    share = np.zeros(len(molecule.symbols))
    share[beyond] = 1.0
    return share


def _before(molecule: Molecule, start: int, end: int) -> int:
    """Return the last atom before `end` on the shortest way of bonds from `start`; `start` where there is no way."""
    from scipy.sparse.csgraph import breadth_first_order

    _, before = breadth_first_order(bond_matrix(molecule), start, directed=False)
    return start if before[end] < 0 else int(before[end])


def _twist_shares(molecule: Molecule, coordinate: Torsion) -> np.ndarray:
    """Return the part of the turn that each atom makes, (natoms,): -1/2 on the first side, +1/2 on the other."""
    first, starts, ends, last = (list(set(atoms)) for atoms in zip(*coordinate.quadruples, strict=True))
    axis = molecule.geometry[ends[0]] - molecule.geometry[starts[0]]
    height = (molecule.geometry - molecule.geometry[starts[0]]) @ axis / (axis @ axis)
    low, high = max(height[first].mean(), 0.0), min(height[last].mean(), 1.0)
    share: np.ndarray = np.interp(height, sorted((low, high)), (-0.5, 0.5))

    skeleton = np.array([is_metal(symbol) for symbol in molecule.symbols])
    skeleton[first + starts + ends + last] = True
    core = molecule.geometry[skeleton]
    for ligand in _ligands(molecule, first + starts + ends + last):
        gap = np.linalg.norm(molecule.geometry[ligand][:, None] - core, axis=-1).min(axis=1)
        share[ligand] = share[ligand[gap.argmin()]]
    return share


def _ligands(molecule: Molecule, skeleton: Iterable[int]) -> list[list[int]]:
    """List the connected parts that remain without the metal atoms and some others."""
    gone = np.array([is_metal(symbol) for symbol in molecule.symbols])
    gone[list(skeleton)] = True
    rest = np.flatnonzero(~gone)
    return [rest[list(part)].tolist() for part in components(bond_matrix(molecule)[rest][:, rest])]


def _smaller_side(molecule: Molecule, *choices: tuple[int, int, int]) -> tuple[list[int], int, int] | None:
    """Choose, among (end, pivot, other), the smallest side that hangs on an end; return it with its end and `other`."""
    sides = [(_side(molecule, end, pivot, other), end, other) for end, pivot, other in choices]
    return min((side for side in sides if side[0]), key=lambda side: len(side[0]), default=None)


def _side(molecule: Molecule, end: int, pivot: int, other: int) -> list[int]:
    """List the atoms on `end` once its bond to `pivot` is cut; none if they are still connected to the other two."""
    graph = bond_matrix(molecule).tolil()
    graph[end, pivot] = graph[pivot, end] = False
    side = next(part for part in components(graph.tocsr()) if end in part)
    return [] if {pivot, other} & set(side) else list(side)


def _rotated(vectors: np.ndarray, axis: np.ndarray, angles_deg: np.ndarray) -> np.ndarray:
    """Rotate each vector about one axis by its own angle (Rodrigues)."""
    unit = axis / np.linalg.norm(axis)
    cosine, sine = np.cos(np.radians(angles_deg))[:, None], np.sin(np.radians(angles_deg))[:, None]
    along: np.ndarray = (vectors @ unit)[:, None] * unit
    turned: np.ndarray = along + cosine * (vectors - along) + sine * np.cross(unit, vectors)
    return turned


def rigid_motions(geometry: np.ndarray) -> np.ndarray:
    """Give the displacements of (natoms, 3) that move and turn the whole, (6, natoms, 3); of a line one is zero."""
    centred = geometry - geometry.mean(axis=0)
    return np.array(
        [np.tile(axis, (len(geometry), 1)) for axis in np.eye(3)] + [np.cross(a, centred) for a in np.eye(3)]
    )


def without_rigid_motions(gradient: np.ndarray, geometry: np.ndarray) -> np.ndarray:
    """Take net force and net torque out of a gradient, both (natoms, 3)."""
    rigid = rigid_motions(geometry).reshape(6, -1).T
    found: np.ndarray = gradient - (rigid @ np.linalg.lstsq(rigid, gradient.ravel(), rcond=None)[0]).reshape(-1, 3)
    return found
