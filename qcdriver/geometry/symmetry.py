"""Find the rotations that several conformers all nearly have, and the orbits of their atoms.

The rotations are found by matching the skeleton, metals and donor atoms, with itself. Hydrides and halides may sit
elsewhere in another conformer, so they are included only where they follow the rotations.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from qcdriver.geometry.alignment import skeleton_groups
from qcdriver.geometry.matching import matchings
from qcdriver.geometry.superposition import rotation_onto, superpose
from qcdriver.geometry.topology import Topology
from qcdriver.models.molecule import Molecule
from qcdriver.units import ANGSTROM

NEARLY_ANGSTROM = 0.5
"""A rotation counts when it leaves the skeleton within this root mean square distance of itself, in every conformer."""
_WANDERED_ANGSTROM = 1.0
"""A hydride or halide farther than this from its image does not follow the rotation."""
_POLYHEDRAL = {12: "T", 24: "O", 60: "I"}


@dataclass(frozen=True)
class Symmetry:
    """A group of rotations.

    Attributes
    ----------
    name
        Schoenflies symbol of the rotations alone: C3, D5, ... (a D5h core has D5).
    order
        Of the main axis: 3 for C3.
    operations
        Images of every atom, (number of rotations, natoms), the identity first; -1 for atoms outside.
    axis
        Direction of the main axis in the first conformer, (3,); None for C1.
    """

    name: str
    order: int
    operations: np.ndarray
    axis: np.ndarray | None

    def orbit(self, atoms: tuple[int, ...]) -> frozenset[tuple[int, ...]]:
        """List the images of a bond or an angle (2 or 3 atoms, all inside), each written from its lower end."""
        images = self.operations[:, list(atoms)].tolist()
        return frozenset(tuple(min(image, image[::-1])) for image in images)


def common_symmetry(conformers: Sequence[Molecule], topology: Topology) -> Symmetry:
    """Find the largest group of rotations that all conformers nearly have.

    Parameters
    ----------
    conformers
        In one atom order, that of `topology`.
    topology
        Of the first.
    """
    first = conformers[0].geometry
    groups = skeleton_groups(topology)
    skeleton = np.array(topology.skeleton)
    found = []
    for candidate in matchings(first, first, groups):
        # Order i <- j: the rotation moves atom j to the place of atom i.
        image = np.argsort(candidate.order[skeleton])
        worst = max(_rmsd(conformer.geometry[skeleton], image) for conformer in conformers)
        if worst * ANGSTROM <= NEARLY_ANGSTROM:
            found.append((worst, image))
    found.sort(key=lambda operation: operation[0])
    images = [image for _, image in found]
    while not _is_group(images):
        images.pop()
    whole = np.full((len(images), len(topology.classes)), -1)
    whole[:, skeleton] = skeleton[np.array(images)]
    orders = [_order(image) for image in images]
    main = int(np.argmax(orders))
    return Symmetry(
        name=_name(len(images), orders[main]),
        order=orders[main],
        operations=_with_wanderers(whole, conformers, topology),
        axis=_axis(first[skeleton], images[main]) if len(images) > 1 else None,
    )


def _rmsd(points: np.ndarray, image: np.ndarray) -> float:
    return superpose(points[image], points).rmsd


def _is_group(images: list[np.ndarray]) -> bool:
    members = {image.tobytes() for image in images}
    return all(one[other].tobytes() in members for one in images for other in images)


def _order(image: np.ndarray) -> int:
    power, order = image, 1
    while (power != np.arange(len(image))).any():
        power, order = image[power], order + 1
    return order


def _name(count: int, order: int) -> str:
    if count == order:
        return f"C{order}"
    return f"D{order}" if count == 2 * order else _POLYHEDRAL.get(count, f"{count} rotations")


def _axis(points: np.ndarray, image: np.ndarray) -> np.ndarray:
    """Return the direction that a rotation leaves unchanged, (3,)."""
    rotation = rotation_onto(points[image], points)
    values, vectors = np.linalg.eig(rotation)
    axis = np.real(vectors[:, np.argmin(abs(values - 1.0))])
    direction: np.ndarray = axis / np.linalg.norm(axis)
    return direction


def _with_wanderers(operations: np.ndarray, conformers: Sequence[Molecule], topology: Topology) -> np.ndarray:
    """Extend the rotations to the hydrides or halides of one element, if all of these follow all of the rotations."""
    extended = operations.copy()
    skeleton = list(topology.skeleton)
    by_class: dict[int, list[int]] = {}
    for atom in topology.wanderers:
        by_class.setdefault(int(topology.classes[atom]), []).append(atom)
    for atoms in by_class.values():
        followed = [_following(operation, skeleton, atoms, conformers) for operation in operations]
        if all(atom is not None for atom in followed):
            extended[:, atoms] = np.array(followed)
    return extended


def _following(
    operation: np.ndarray, skeleton: list[int], atoms: list[int], conformers: Sequence[Molecule]
) -> np.ndarray | None:
    """Return the image of each atom under a rotation; None if one lands far from all, or conformers do not agree."""
    from scipy.optimize import linear_sum_assignment

    squares = np.zeros((len(atoms), len(atoms)))
    for conformer in conformers:
        here, there = conformer.geometry[skeleton], conformer.geometry[operation[skeleton]]
        rotation = rotation_onto(there, here)
        turned = (conformer.geometry[atoms] - here.mean(axis=0)) @ rotation.T + there.mean(axis=0)
        squares = np.maximum(squares, ((turned[:, None] - conformer.geometry[atoms][None]) ** 2).sum(axis=-1))
    rows, columns = linear_sum_assignment(squares)
    if np.sqrt(squares[rows, columns].max()) * ANGSTROM > _WANDERED_ANGSTROM:
        return None
    images: np.ndarray = np.array(atoms)[columns]
    return images


def atom_orbits(symmetry: Symmetry) -> list[tuple[int, ...]]:
    """List the orbits of the atoms inside, each ascending, by their first atom."""
    return sorted({tuple(sorted(set(column.tolist()))) for column in symmetry.operations.T if column[0] >= 0})
