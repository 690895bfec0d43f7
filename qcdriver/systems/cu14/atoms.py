"""Find the atoms of the Cu14 cube in a molecule, from the structure itself.

Neither atom order nor orientation matters, and hydrides and ligands may be missing. The six Cu nearest to the middle
are the face centres, their three diameters give the eight corners their octants, and the three S give the axis.

Corners of one octant parity are tetrahedron 1, the others tetrahedron 2. With its edge centres, which are the six face
centres, tetrahedron 1 has ten atoms. Each tetrahedron has one vertex on the C3 axis, its apex; the S are at the
apex of tetrahedron 2, below the base of tetrahedron 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, product
from typing import Literal

import numpy as np

from qcdriver.errors import InputError
from qcdriver.geometry.bonds import bond_matrix, is_metal
from qcdriver.models.base import Frozen
from qcdriver.models.molecule import Molecule
from qcdriver.units import ANGSTROM

ThiolateSite = Literal["E2", "ER"]
Handedness = Literal["right", "left"]
Octant = tuple[int, int, int]

_CU_S_ANGSTROM = 3.0
_CU_P_ANGSTROM = 2.8
"""A ligand atom farther from its Cu than this does not bind it."""
_GAP_ANGSTROM = 0.2
"""What at least lies between the farthest face centre and the nearest corner, seen from the middle."""


class Cu14(Frozen):
    """Which atom is which; indices from 0.

    Everything that comes in threes is in one order: the three of one index belong to one diameter of the cube, and the
    order goes round the axis, seen from apex 1, counter-clockwise in a right-handed cluster and clockwise in a
    left-handed one. So two mirror images have the same description.

    Attributes
    ----------
    apex1, base1, apex2, base2
        Vertices of the two tetrahedra, on the axis and around it. `base1[k]` and `base2[k]` are opposite corners.
    side_centres, base_centres
        The other six Cu: at the middle of the edges of tetrahedron 1 from its apex to `base1[k]`, and of those of its
        base across from `base1[k]`.
    thiolate_site
        Which cube edges the S bridge: "E2" from apex 2 to base 1; "ER" from base 1 to base 2.
    sulfurs
        In order of the base 1 atom they bind.
    phosphorus
        The P on each of `vertices`, None where there is none.
    hydrides
        H atoms bound to Cu and to nothing else, ascending.
    handedness
        "right" when the S3 triangle, seen from apex 1, is turned counter-clockwise against the base of tetrahedron 1
        (with thiolates at "ER": when base 2 is, as seen from the S).
    """

    apex1: int
    base1: tuple[int, int, int]
    apex2: int
    base2: tuple[int, int, int]
    side_centres: tuple[int, int, int]
    base_centres: tuple[int, int, int]
    thiolate_site: ThiolateSite
    sulfurs: tuple[int, int, int]
    phosphorus: tuple[int | None, ...]
    hydrides: tuple[int, ...]
    handedness: Handedness

    @property
    def vertices(self) -> tuple[int, ...]:
        """The eight corners of the cube: tetrahedron 1, then 2, apex first."""
        return (self.apex1, *self.base1, self.apex2, *self.base2)

    @property
    def tetrahedron1(self) -> tuple[int, ...]:
        """The ten Cu of the larger tetrahedron: its vertices and the middles of its edges."""
        return (self.apex1, *self.base1, *self.side_centres, *self.base_centres)

    @property
    def s3_triangle(self) -> tuple[int, ...]:
        """The three S, and the base of tetrahedron 1 against which their triangle is turned."""
        return (*self.sulfurs, *self.base1)

    @property
    def copper(self) -> tuple[int, ...]:
        """All fourteen: the corners, then the side centres, then the base centres."""
        return (*self.vertices, *self.side_centres, *self.base_centres)


def find_cu14(molecule: Molecule) -> Cu14:
    """Find the face-centred cube and its three thiolates.

    Raises
    ------
    InputError
        There are not fourteen Cu in a face-centred cube, or not three S on it that a C3 axis could relate.
    """
    copper = [atom for atom, symbol in enumerate(molecule.symbols) if symbol == "Cu"]
    if len(copper) != 14:
        raise InputError(f"{molecule.formula}: {len(copper)} Cu; the face-centred cube of Cu14 has 14")
    xyz = molecule.geometry * ANGSTROM
    faces, corners = _cube(xyz, copper, molecule.formula)
    sulfurs = _bridging_sulfurs(molecule, copper)
    edges = [_nearest_edge(xyz, atom, corners) for atom in sulfurs]
    apex1, site = _axis(edges, corners, molecule.formula)
    # Seen from apex 1 these diameters follow each other counter-clockwise when their triple product is positive.
    order = [_three([apex1[k] if j == k else 0 for j in range(3)]) for k in range(3)]
    arms = np.array([xyz[faces[axis]] for axis in order]) - xyz[list(faces.values())].mean(axis=0)
    sense = 1 if np.linalg.det(arms) > 0 else -1
    around = [0, 1, 2] if sense > 0 else [0, 2, 1]
    by_base = {_base1_index(edge, apex1): atom for edge, atom in zip(edges, sulfurs, strict=True)}
    right = _is_right(xyz, corners, apex1, around, site, edges, by_base)
    if not right:
        around = [around[0], around[2], around[1]]
    base2 = [_flipped(apex1, k) for k in around]
    base1 = [_opposite(corner) for corner in base2]
    vertices = [corners[corner] for corner in (apex1, *base1, _opposite(apex1), *base2)]
    return Cu14(
        apex1=vertices[0],
        base1=_three(vertices[1:4]),
        apex2=vertices[4],
        base2=_three(vertices[5:8]),
        side_centres=_three([faces[order[k]] for k in around]),
        base_centres=_three([faces[_opposite(order[k])] for k in around]),
        thiolate_site=site,
        sulfurs=_three([by_base[k] for k in around]),
        phosphorus=_phosphorus(molecule, vertices),
        hydrides=_hydrides(molecule),
        handedness="right" if right else "left",
    )


def _cube(xyz: np.ndarray, copper: list[int], formula: str) -> tuple[dict[Octant, int], dict[Octant, int]]:
    """Return the face centres by their direction (one of +-1, two 0) and the corners by their octant."""
    from scipy.optimize import linear_sum_assignment
    from scipy.spatial.distance import cdist

    wrong = InputError(f"{formula}: its 14 Cu are no face-centred cube (six face centres inside eight corners)")
    middle = xyz[copper].mean(axis=0)
    for _ in range(3):  # a corner that sticks out pulls the mean; the face centres' own does not follow
        distance = np.linalg.norm(xyz[copper] - middle, axis=1)
        order = np.argsort(distance, kind="stable")
        inner, outer = [copper[i] for i in order[:6]], [copper[i] for i in order[6:]]
        middle = xyz[inner].mean(axis=0)
    if np.sort(distance)[6] - np.sort(distance)[5] < _GAP_ANGSTROM:
        raise wrong
    arms = xyz[inner] - middle
    farthest = np.argmin(arms @ arms.T, axis=1)
    if not (farthest[farthest] == np.arange(6)).all():
        raise wrong
    firsts = [i for i in range(6) if i < farthest[i]]
    diameters = np.array([arms[i] - arms[farthest[i]] for i in firsts])
    if abs(np.linalg.det(diameters / np.linalg.norm(diameters, axis=1)[:, None])) < 0.3:
        raise wrong
    faces: dict[Octant, int] = {}
    for k, i in enumerate(firsts):
        for sign, which in ((1, i), (-1, int(farthest[i]))):
            faces[_three([sign * (j == k) for j in range(3)])] = inner[which]
    # One corner to an octant, all at once: in a cube flattened along its axis a corner may lie beyond its own.
    octants = [_three(signs) for signs in product((-1, 1), repeat=3)]
    ideal = np.array(octants) @ diameters / 2
    which, of = linear_sum_assignment(cdist(ideal, xyz[outer] - middle) ** 2)
    corners = {octants[i]: outer[j] for i, j in zip(which, of, strict=True)}
    return faces, corners


def _bridging_sulfurs(molecule: Molecule, copper: list[int]) -> list[int]:
    xyz = molecule.geometry * ANGSTROM
    found = [
        atom
        for atom, symbol in enumerate(molecule.symbols)
        if symbol == "S" and (np.linalg.norm(xyz[copper] - xyz[atom], axis=1) < _CU_S_ANGSTROM).sum() >= 2
    ]
    if len(found) != 3:
        raise InputError(f"{molecule.formula}: {len(found)} S bridge Cu atoms; Cu14 has three")
    return found


def _nearest_edge(xyz: np.ndarray, atom: int, corners: dict[Octant, int]) -> tuple[Octant, Octant]:
    """Return the cube edge with the smallest sum of distances from its ends to an atom."""
    away = {octant: float(np.linalg.norm(xyz[corner] - xyz[atom])) for octant, corner in corners.items()}
    edges = [(a, b) for a, b in combinations(sorted(corners), 2) if sum(i != j for i, j in zip(a, b, strict=True)) == 1]
    return min(edges, key=lambda edge: away[edge[0]] + away[edge[1]])


def _axis(edges: list[tuple[Octant, Octant]], corners: dict[Octant, int], formula: str) -> tuple[Octant, ThiolateSite]:
    """Return the octant of apex 1 and the thiolates' site from the three cube edges that S bridges."""
    ends = [end for edge in edges for end in edge]
    shared = [octant for octant in corners if ends.count(octant) == 3]
    if len(set(edges)) == 3 and shared:
        return _opposite(shared[0]), "E2"
    free = [octant for octant in corners if octant not in ends]
    if len(set(ends)) == 6 and free[0] == _opposite(free[1]):
        # The three two-fold axes across the C3 axis exchange the two ends: either may be the first.
        return min(free, key=lambda octant: corners[octant]), "ER"
    raise InputError(f"{formula}: no C3 axis relates the cube edges that its three S bridge")


def _is_right(
    xyz: np.ndarray,
    corners: dict[Octant, int],
    apex1: Octant,
    around: list[int],
    site: ThiolateSite,
    edges: list[tuple[Octant, Octant]],
    by_base: dict[int, int],
) -> bool:
    if site == "ER":
        k = _base1_index(edges[0], apex1)
        # Base 2 follows base 1 counter-clockwise by 60 deg where it has the index before.
        before = around[around.index(k) - 1]
        return _flipped(apex1, before) in edges[0]
    axis = xyz[corners[apex1]] - xyz[corners[_opposite(apex1)]]
    pairs = [(by_base[k], corners[_opposite(_flipped(apex1, k))]) for k in range(3)]
    return skew_deg(xyz, axis, xyz[corners[apex1]], pairs) >= 0


def skew_deg(xyz: np.ndarray, axis: np.ndarray, origin: np.ndarray, pairs: Sequence[tuple[int, int]]) -> float:
    """Measure how far the first of each pair is turned ahead of the second about an axis, right-handed, mean."""
    z = axis / np.linalg.norm(axis)
    turns = []
    for one, other in pairs:
        a, b = xyz[one] - origin, xyz[other] - origin
        turns.append(np.arctan2(np.cross(b, a) @ z, a @ b - (a @ z) * (b @ z)))
    return float(np.degrees(np.mean(turns)))


def _base1_index(edge: tuple[Octant, Octant], apex1: Octant) -> int:
    """Return the diameter of an edge's base 1 corner: the only one in which this corner agrees with apex 1."""
    for corner in edge:
        same = [k for k in range(3) if corner[k] == apex1[k]]
        if len(same) == 1:
            return same[0]
    raise AssertionError(f"{edge} has no corner in the base of tetrahedron 1")


def _phosphorus(molecule: Molecule, vertices: list[int]) -> tuple[int | None, ...]:
    xyz = molecule.geometry * ANGSTROM
    all_of_them = [atom for atom, symbol in enumerate(molecule.symbols) if symbol == "P"]
    found: list[int | None] = []
    for vertex in vertices:
        nearest = min(all_of_them, key=lambda atom: float(np.linalg.norm(xyz[atom] - xyz[vertex])), default=None)
        bound = nearest is not None and np.linalg.norm(xyz[nearest] - xyz[vertex]) < _CU_P_ANGSTROM
        found.append(nearest if bound else None)
    return tuple(found)


def _hydrides(molecule: Molecule) -> tuple[int, ...]:
    graph = bond_matrix(molecule)
    return tuple(
        atom
        for atom, symbol in enumerate(molecule.symbols)
        if symbol == "H"
        and all(
            is_metal(molecule.symbols[other]) for other in graph.indices[graph.indptr[atom] : graph.indptr[atom + 1]]
        )
    )


def _opposite(octant: Octant) -> Octant:
    return _three([-k for k in octant])


def _flipped(octant: Octant, k: int) -> Octant:
    return _three([-v if j == k else v for j, v in enumerate(octant)])


def _three(values: Sequence[int] | np.ndarray) -> tuple[int, int, int]:
    a, b, c = (int(value) for value in values)
    return a, b, c
