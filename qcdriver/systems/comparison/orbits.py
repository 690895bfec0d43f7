"""Bonds and angles of conformers in one atom order, a row for each orbit of their common symmetry."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import TypeVar

import numpy as np

from qcdriver.geometry.bonds import bond_matrix, is_metal
from qcdriver.geometry.symmetry import Symmetry
from qcdriver.geometry.topology import Topology
from qcdriver.models.base import Frozen
from qcdriver.models.molecule import Molecule
from qcdriver.systems.comparison.sites import Sites
from qcdriver.units import ANGSTROM

LONG_CU_CU_ANGSTROM = 2.88
"""Cu-Cu beyond this is drawn dotted by Das et al. ("Direct Observation of Three Chiral Conformers ...", Figure 2)."""


class BondRow(Frozen):
    """One orbit of bonds; the tuples have one entry a conformer.

    Attributes
    ----------
    group, name
        What kind of bond, and between which sites.
    atoms
        The bonds, in the numbering of the first conformer; None for hydrides or halides that do not follow the
        symmetry: then each conformer's own bonds between these sites are counted.
    counts
        How many bonds.
    mean_angstrom
        Mean length; None where there is no such bond.
    deviation_angstrom
        Largest deviation of one bond of the orbit from the mean: 0 in exact symmetry.
    long
        Whether a mean Cu-Cu distance is over 2.88 Angstrom.
    difference_angstrom
        Largest less smallest mean; None with fewer than two means.
    """

    group: str
    name: str
    atoms: tuple[tuple[int, ...], ...] | None
    counts: tuple[int, ...]
    mean_angstrom: tuple[float | None, ...]
    deviation_angstrom: tuple[float | None, ...]
    long: tuple[bool, ...]
    difference_angstrom: float | None


class AngleRow(Frozen):
    """One orbit of angles, as `BondRow`; degrees, the middle atom at the vertex."""

    group: str
    name: str
    atoms: tuple[tuple[int, ...], ...]
    mean_deg: tuple[float, ...]
    deviation_deg: tuple[float, ...]
    difference_deg: float | None


def largest_deviation(rows: Sequence[BondRow], conformer: int) -> tuple[float, str]:
    """Return the largest deviation of a bond from the mean of its orbit, Angstrom, and the name of that row.

    `conformer` counts from 0. 0 and no name where there is no orbit.
    """
    orbits = (row for row in rows if row.atoms is not None)
    return max(((row.deviation_angstrom[conformer] or 0.0, row.name) for row in orbits), default=(0.0, ""))


RowT = TypeVar("RowT", BondRow, AngleRow)


def bond_rows(
    conformers: Sequence[Molecule], topology: Topology, symmetry: Symmetry, sites: Sites
) -> tuple[BondRow, ...]:
    """Tabulate the bonds of the core: metal with metal, and metal with what binds it.

    A bond that one conformer has is listed for all, so that a contact that opens shows its length.
    """
    inside, outside = _core_bonds(conformers, topology, symmetry)
    orbits = {symmetry.orbit(bond) for bond in inside}
    rows = [
        _bond_row(conformers, sites, tuple(sorted(orbit)), [sorted(orbit)] * len(conformers), exact=True)
        for orbit in orbits
    ]
    loose: dict[tuple[str, str], list[list[tuple[int, ...]]]] = {}
    for k, bonds in enumerate(outside):
        for metal, atom in bonds:
            place = (sites.names[metal], sites.names[atom])
            loose.setdefault(place, [[] for _ in conformers])[k].append((metal, atom))
    for bonds_of in loose.values():
        some = next(bonds for bonds in bonds_of if bonds)
        rows.append(_bond_row(conformers, sites, tuple(some), bonds_of, exact=False))
    return tuple(_numbered(sorted(rows, key=lambda row: (row.group, row.name, row.mean_angstrom[0] or 0.0))))


def angle_rows(
    conformers: Sequence[Molecule], topology: Topology, symmetry: Symmetry, sites: Sites
) -> tuple[AngleRow, ...]:
    """Tabulate the angles between two bonds to metal atoms: metal - metal - metal, and metal - donor - metal."""
    inside, _ = _core_bonds(conformers, topology, symmetry)
    metals, vertices = set(topology.metals), set(topology.skeleton)
    partners: dict[int, list[int]] = {}
    for i, j in inside:
        for one, other in ((i, j), (j, i)):
            if one in vertices and other in metals:
                partners.setdefault(one, []).append(other)
    orbits = {
        symmetry.orbit((i, vertex, k)) for vertex, bound in partners.items() for i, k in combinations(sorted(bound), 2)
    }
    rows = [_angle_row(conformers, sites, tuple(sorted(orbit))) for orbit in orbits]
    return tuple(_numbered(sorted(rows, key=lambda row: (row.group, row.name, row.mean_deg[0]))))


def _core_bonds(
    conformers: Sequence[Molecule], topology: Topology, symmetry: Symmetry
) -> tuple[set[tuple[int, int]], list[list[tuple[int, int]]]]:
    """Return the bonds between atoms that the symmetry moves, of all conformers, and the others of each conformer.

    The others are written metal first.
    """
    metals, core = set(topology.metals), set(topology.core)
    moved = symmetry.operations[0] >= 0
    inside: set[tuple[int, int]] = set()
    outside: list[list[tuple[int, int]]] = []
    for conformer in conformers:
        pairs = np.argwhere(np.triu(bond_matrix(conformer).toarray()))
        of_core = [(int(i), int(j)) for i, j in pairs if {i, j} <= core and {i, j} & metals]
        inside |= {(i, j) for i, j in of_core if moved[i] and moved[j]}
        outside.append([(i, j) if i in metals else (j, i) for i, j in of_core if not (moved[i] and moved[j])])
    return inside, outside


def _bond_row(
    conformers: Sequence[Molecule],
    sites: Sites,
    atoms: tuple[tuple[int, ...], ...],
    bonds_of: Sequence[Sequence[tuple[int, ...]]],
    exact: bool,
) -> BondRow:
    first = conformers[0]
    lengths = [_lengths(conformer, bonds) for conformer, bonds in zip(conformers, bonds_of, strict=True)]
    means = tuple(float(length.mean()) if len(length) else None for length in lengths)
    ends = _written(first, sites, atoms[0])
    copper = all(first.symbols[atom] == "Cu" for atom in ends)
    return BondRow(
        group=_group(first, sites, ends),
        name=" - ".join(sites.names[atom] for atom in ends),
        atoms=atoms if exact else None,
        counts=tuple(len(length) for length in lengths),
        mean_angstrom=means,
        deviation_angstrom=tuple(
            float(abs(length - length.mean()).max()) if len(length) else None for length in lengths
        ),
        long=tuple(copper and mean is not None and mean > LONG_CU_CU_ANGSTROM for mean in means),
        difference_angstrom=_range(means),
    )


def _angle_row(conformers: Sequence[Molecule], sites: Sites, atoms: tuple[tuple[int, ...], ...]) -> AngleRow:
    first = conformers[0]
    angles = [_angles(conformer, atoms) for conformer in conformers]
    means = tuple(float(angle.mean()) for angle in angles)
    written = _written(first, sites, atoms[0])
    return AngleRow(
        group=_group(first, sites, written),
        name=" - ".join(sites.names[atom] for atom in written),
        atoms=atoms,
        mean_deg=means,
        deviation_deg=tuple(float(abs(angle - angle.mean()).max()) for angle in angles),
        difference_deg=_range(means),
    )


def _lengths(molecule: Molecule, bonds: Sequence[tuple[int, ...]]) -> np.ndarray:
    i, j = np.array(bonds, dtype=int).reshape(-1, 2).T
    lengths: np.ndarray = np.linalg.norm(molecule.geometry[i] - molecule.geometry[j], axis=1) * ANGSTROM
    return lengths


def _angles(molecule: Molecule, atoms: Iterable[tuple[int, ...]]) -> np.ndarray:
    i, vertex, k = np.array(list(atoms)).T
    one, other = molecule.geometry[i] - molecule.geometry[vertex], molecule.geometry[k] - molecule.geometry[vertex]
    cosine = (one * other).sum(axis=1) / np.linalg.norm(one, axis=1) / np.linalg.norm(other, axis=1)
    angles: np.ndarray = np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0)))
    return angles


def _written(molecule: Molecule, sites: Sites, atoms: tuple[int, ...]) -> tuple[int, ...]:
    """Write a bond metal first, the rest by element and name."""

    def rank(atom: int) -> tuple[bool, str, str]:
        return not is_metal(molecule.symbols[atom]), molecule.symbols[atom], sites.names[atom]

    return atoms if rank(atoms[0]) <= rank(atoms[-1]) else atoms[::-1]


def _group(molecule: Molecule, sites: Sites, atoms: tuple[int, ...]) -> str:
    elements = "-".join(molecule.symbols[atom] for atom in atoms)
    parts = {sites.parts.get(atom) for atom in atoms}
    if None in parts:
        return elements
    return f"{elements} in {parts.pop()}" if len(parts) == 1 else f"{elements} {sites.between}"


def _range(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return max(known) - min(known) if len(known) > 1 else None


def _numbered(rows: list[RowT]) -> list[RowT]:
    """Add numbers to rows that share a name: two orbits can join the same sites, to the left and to the right."""
    counts, seen = Counter((row.group, row.name) for row in rows), Counter[tuple[str, str]]()
    numbered = []
    for row in rows:
        key = (row.group, row.name)
        seen[key] += 1
        numbered.append(row.model_copy(update={"name": f"{row.name} ({seen[key]})"}) if counts[key] > 1 else row)
    return numbered
