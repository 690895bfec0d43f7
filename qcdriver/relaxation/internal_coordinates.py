"""A molecule in, its redundant internal coordinates out: distances, angles, dihedrals, with a force constant each.

No energy comes from the force constants. They tell a relaxation which motions are stiff and which are soft before
any gradient can: 0.5 hartree/bohr^2 for a C-C bond, 0.02 for two gold atoms, less for a phosphine that librates.
"""

from __future__ import annotations

from itertools import combinations, product
from typing import TYPE_CHECKING

import numpy as np

from qcdriver.relaxation.primitives import cosines, dihedrals, distances
from qcdriver.structures.bonds import bond_matrix, is_metal
from qcdriver.units import ANGSTROM

if TYPE_CHECKING:
    from scipy.sparse import csr_array

    from qcdriver.schema import Molecule

# Fischer and Almlof's bonds (doi:10.1021/j100203a036), here for every pair of atoms: near van der Waals distance the
# formula gives about what a contact between ligands has. Bonds of metals are more and weaker. Their weights and the
# constants below were read off the GFN1-xTB Hessian of the Au13Ag12 rod with PH3 (xtb 22.1): right within a factor 2-3.
_STRETCH, _STRETCH_DECAY = 0.3601, 1.944
_METAL_METAL, _METAL_LIGAND = 0.1, 0.3
_REACH = 6.0
"""Pairs count up to this much beyond the sum of their covalent radii, bohr."""
_BEND = 0.15
_TORSION, _TORSION_DECAY = 0.01, 4.0
_PLACE = 0.001
"""Of each Cartesian coordinate: they make the set complete, so that moving and turning the whole costs something."""


class InternalCoordinates:
    """The n internal coordinates of one molecule, for any of its geometries; atomic units, dihedrals in radian.

    In order: distances between close atoms, cosines of the angles between bonds, dihedrals along three bonds, and
    the Cartesian coordinates themselves. Which there are follows from the geometry of `molecule`.
    """

    def __init__(self, molecule: Molecule) -> None:
        from ase.data import covalent_radii

        radii = np.asarray(covalent_radii)[molecule.numbers] / ANGSTROM
        metal = np.array([is_metal(symbol) for symbol in molecule.symbols])
        both, either = metal[:, None] & metal, metal[:, None] | metal
        weight = np.where(both, _METAL_METAL, np.where(either, _METAL_LIGAND, 1.0))
        contact = radii[:, None] + radii
        excess = np.linalg.norm(molecule.geometry[:, None] - molecule.geometry, axis=-1) - contact

        self._pairs = np.argwhere(np.triu(excess < _REACH, 1))
        self._triples, self._fours = _along_bonds(molecule, both)
        self._stretch = _STRETCH * weight[tuple(self._pairs.T)]
        self._contact = contact[tuple(self._pairs.T)]
        strength = weight * np.exp(-_STRETCH_DECAY * excess.clip(min=0.0))
        left, middle, right = self._triples.T
        self._bend = _BEND * strength[left, middle] * strength[middle, right]
        left, start, end, right = self._fours.T
        self._torsion = (
            _TORSION * np.exp(-_TORSION_DECAY * excess[start, end]) * weight[left, start] * weight[end, right]
        )

    def measure(self, geometry: np.ndarray) -> tuple[np.ndarray, csr_array, np.ndarray]:
        """Measure all coordinates at a geometry, (natoms, 3).

        Returns
        -------
        tuple
            Values (n,); derivatives by the flat geometry (n, 3 natoms), sparse; force constants (n,), positive.
        """
        from scipy.sparse import csr_array

        length, by_pair = distances(geometry, self._pairs)
        cosine, by_triple = cosines(geometry, self._triples)
        phi, by_four, sines = dihedrals(geometry, self._fours)
        places = np.arange(geometry.size)
        columns = [
            (3 * atoms[:, :, None] + np.arange(3)).ravel() for atoms in (self._pairs, self._triples, self._fours)
        ]
        data = [by_pair.ravel(), by_triple.ravel(), by_four.ravel(), np.ones(len(places))]
        widths = np.repeat([6, 9, 12, 1], [len(length), len(cosine), len(phi), len(places)])
        derivatives = csr_array(
            (np.concatenate(data), np.concatenate([*columns, places]), np.cumsum([0, *widths])),
            shape=(len(widths), len(places)),
        )
        constants = [
            self._stretch * np.exp(-_STRETCH_DECAY * (length - self._contact).clip(min=-0.5)),
            self._bend,
            self._torsion * (sines**2).prod(axis=1),  # vanishes where the dihedral loses its meaning
            np.full(len(places), _PLACE),
        ]
        return np.concatenate([length, cosine, phi, geometry.ravel()]), derivatives, np.concatenate(constants)

    def difference(self, after: np.ndarray, before: np.ndarray) -> np.ndarray:
        """Subtract values, (n,), dihedrals the shorter way round."""
        change: np.ndarray = after - before
        start = len(self._pairs) + len(self._triples)
        turns = slice(start, start + len(self._fours))
        change[turns] = (change[turns] + np.pi) % (2 * np.pi) - np.pi
        return change


def _along_bonds(molecule: Molecule, both_metal: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Atoms of the angles (n, 3) and dihedrals (n, 4) along bonds; no dihedral turns about a metal-metal bond."""
    graph = bond_matrix(molecule).tolil()
    neighbours: list[list[int]] = [sorted(row) for row in graph.rows]
    triples = [
        (left, middle, right) for middle, around in enumerate(neighbours) for left, right in combinations(around, 2)
    ]
    fours = [
        (left, start, end, right)
        for start, around in enumerate(neighbours)
        for end in around
        if start < end and not both_metal[start, end]
        for left, right in product(neighbours[start], neighbours[end])
        if len({left, start, end, right}) == 4
    ]
    return np.array(triples, dtype=int).reshape(-1, 3), np.array(fours, dtype=int).reshape(-1, 4)
