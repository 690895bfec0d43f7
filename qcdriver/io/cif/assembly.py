"""Join the atoms of one cell into whole molecules, across cell walls, and sort them into kinds related by symmetry.

Two molecules are copies of each other by symmetry if, and only if, they hold images of one site. A molecule that
meets its own lattice translation has no end: such a crystal is refused.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from qcdriver.errors import InputError
from qcdriver.geometry.bonds import is_metal
from qcdriver.io.cif.disjoint_sets import DisjointSets
from qcdriver.io.cif.neighbours import bonds
from qcdriver.models.molecule import hill_formula

if TYPE_CHECKING:
    from pathlib import Path

    from qcdriver.io.cif.neighbours import Pairs
    from qcdriver.io.cif.unit_cell import UnitCell


@dataclass(frozen=True, eq=False)
class Whole:
    """One whole molecule of the cell.

    `atoms`: indices into the cell, by site, then operator. `shift`: the lattice translation each atom is moved by,
    (natoms, 3).
    """

    atoms: np.ndarray
    shift: np.ndarray

    def fractional(self, cell: UnitCell) -> np.ndarray:
        """Positions, (natoms, 3)."""
        positions: np.ndarray = cell.fractional[self.atoms] + self.shift
        return positions


def whole_molecules(cell: UnitCell, kept: np.ndarray, pairs: Pairs, path: Path) -> list[list[Whole]]:
    """Join atoms into molecules and sort them into kinds.

    Parameters
    ----------
    kept
        Which atoms there are, (natoms,).
    pairs
        All pairs within bonding reach.
    path
        Named when the crystal is refused.

    Returns
    -------
    list
        One list for each kind, all its copies in one cell; the first one is the nearest to the coordinates as listed.

    Raises
    ------
    InputError
        A polymer or a network.
    """
    kinds: dict[int, list[Whole]] = defaultdict(list)
    sites: DisjointSets[int] = DisjointSets()
    found = []
    bonded = bonds(pairs.among(kept), cell.symbols)
    for atoms, shift, periods in _components(cell, kept, bonded):
        if len(periods):
            raise InputError(f"{path}: {_polymer(cell, atoms, periods, bonded)}")
        order = np.lexsort((cell.operator[atoms], cell.site[atoms]))
        found.append(Whole(atoms[order], shift[order]))
        sites.join(cell.site[atoms].tolist())
    for molecule in found:
        kinds[sites.find(int(cell.site[molecule.atoms[0]]))].append(_as_listed(cell, molecule))
    return [sorted(kind, key=lambda m: -_listed(cell, m).sum()) for _, kind in sorted(kinds.items())]


def _components(cell: UnitCell, kept: np.ndarray, bonded: Pairs) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Find connected atoms, their lattice translations, and the translations that map the whole onto itself, (n, 3)."""
    edges: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for number, (a, b) in enumerate(zip(bonded.first.tolist(), bonded.second.tolist(), strict=True)):
        edges[a].append((b, number))
    place = np.zeros((len(cell), 3), dtype=int)
    seen = np.zeros(len(cell), dtype=bool)
    parts = []
    for start in np.flatnonzero(kept).tolist():
        if seen[start]:
            continue
        seen[start] = True
        part, periods = [start], set()
        for atom in part:
            for other, number in edges[atom]:
                there = place[atom] + bonded.shift[number]
                if not seen[other]:
                    seen[other] = True
                    place[other] = there
                    part.append(other)
                elif (there != place[other]).any():
                    periods.add(tuple((there - place[other]).tolist()))
        parts.append((np.array(part), place[part], np.array(sorted(periods)).reshape(-1, 3)))
    return parts


def _listed(cell: UnitCell, molecule: Whole) -> np.ndarray:
    """Which atoms stand where the file lists them, (natoms,)."""
    listed = cell.sites.fractional[cell.site[molecule.atoms]]
    same: np.ndarray = np.abs(molecule.fractional(cell) - listed).max(axis=1) < 0.02
    return same


def _as_listed(cell: UnitCell, molecule: Whole) -> Whole:
    """Move a molecule by the lattice translation that puts most of its atoms where the file lists them."""
    from_file = np.flatnonzero(cell.operator[molecule.atoms] == 0)
    if len(from_file):
        moves = Counter(tuple(row) for row in molecule.shift[from_file].tolist())
        move = np.array(moves.most_common(1)[0][0])
    else:
        move = np.floor(molecule.fractional(cell).mean(axis=0)).astype(int)
    return Whole(molecule.atoms, molecule.shift - move)


def _polymer(cell: UnitCell, atoms: np.ndarray, periods: np.ndarray, bonded: Pairs) -> str:
    """Name what has no end: its dimension, repeat unit and the bonds that link it."""
    symbols = cell.symbols
    dimension = int(np.linalg.matrix_rank(periods))
    inside = np.zeros(len(cell), dtype=bool)
    inside[atoms] = True
    mine = bonded.among(inside)
    linkers = _linking_bonds(cell, inside, mine)
    unit = hill_formula(Counter(symbols[atoms].tolist()))
    # Both signs of each period are there; the shortest that starts with a positive number is the one to read.
    shortest = min(periods.tolist(), key=lambda p: (np.abs(p).sum(), [-x for x in p]))
    direction = " ".join(str(x) for x in shortest)
    shape = {1: f"a chain along [{direction}]", 2: "a layer", 3: "a three-dimensional network"}[dimension]
    metal = any(is_metal(s) for s in set(symbols[atoms].tolist()))
    kind = "coordination polymer" if metal else "polymer"
    return (
        f"a {kind}, not molecules: {unit} repeats without end as {shape}, linked by {linkers}; "
        "cut a finite model out of it by hand"
    )


def _linking_bonds(cell: UnitCell, inside: np.ndarray, mine: Pairs) -> str:
    """Find the kind of bond without which the polymer falls into finite pieces, metal-metal bonds first."""
    symbols = cell.symbols
    kinds = defaultdict(list)
    for number, (a, b) in enumerate(zip(symbols[mine.first].tolist(), symbols[mine.second].tolist(), strict=True)):
        kinds[tuple(sorted((a, b)))].append(number)
    for kind in sorted(kinds, key=lambda pair: (-sum(map(is_metal, pair)), pair)):
        without = np.ones(len(mine), dtype=bool)
        without[kinds[kind]] = False
        if not any(len(periods) for _, _, periods in _components(cell, inside, mine.where(without))):
            span = mine.distance[kinds[kind]]
            return f"{'-'.join(kind)} bonds of {span.min():.2f}-{span.max():.2f} Angstrom"
    return "bonds of several kinds"
