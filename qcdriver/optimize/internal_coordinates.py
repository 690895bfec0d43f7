"""A molecule in, its redundant internal coordinates out: distances, angles, dihedrals, with a force constant each.

No energy comes from the force constants. They tell a relaxation which motions are stiff and which are soft before
any gradient can: 0.5 hartree/bohr^2 for a C-C bond, 0.02 for two gold atoms, less for a phosphine that librates.
"""

from __future__ import annotations

from itertools import combinations, product
from typing import TYPE_CHECKING

import numpy as np

from qcdriver.geometry.bonds import bond_matrix, is_metal
from qcdriver.geometry.primitives import bends, cosines, dihedrals, distances
from qcdriver.geometry.radii import covalent_radii

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from scipy.sparse import csr_array

    from qcdriver.models.molecule import Molecule

# Fischer and Almlof's bonds (doi:10.1021/j100203a036), here for every pair of atoms: near van der Waals distance the
# formula gives about what a contact between ligands has. Bonds of metals are more and weaker. Their weights and the
# constants below were read off the GFN1-xTB Hessian of the Au13Ag12 rod with PH3 (xtb 22.1): right within a factor 2-3.
_STRETCH, _STRETCH_DECAY = 0.3601, 1.944
_METAL_METAL, _METAL_LIGAND = 0.1, 0.3
_REACH = 6.0
"""Pairs count up to this much beyond the sum of their covalent radii, bohr."""
_BEND, _LINEAR_BEND = 0.18, 0.07
_BENT, _STRAIGHT = 0.90, 0.98
"""An angle is bent, or straight, where minus its cosine is below the first, or beyond the second: 154, 169 deg."""
_TORSION, _TORSION_DECAY = 0.015, 4.0
_PLACE = 0.001
"""Of each Cartesian coordinate: they make the set complete, so that moving and turning the whole costs something."""


class InternalCoordinates:
    """The n internal coordinates of one molecule, for any of its geometries; atomic units, dihedrals in radian.

    In order: distances between close atoms, cosines of the angles between bonds, dihedrals along bonds and along
    straight chains of bonds, deviations from straight lines, and the Cartesian coordinates themselves. Which there are
    follows from the bonds of `molecule`; force constants follow from the geometry at hand. Where an angle comes near
    180 deg its cosine hands over to the deviation from a straight line, and the dihedrals about its bonds to the
    dihedral between the ends of the chain, all without a jump: nothing is set up anew when a chain straightens or
    bends, and what is known in these coordinates stays known.
    """

    def __init__(self, molecule: Molecule) -> None:
        radii = covalent_radii(molecule.symbols)
        metal = np.array([is_metal(symbol) for symbol in molecule.symbols])
        both, either = metal[:, None] & metal, metal[:, None] | metal
        weight = np.where(both, _METAL_METAL, np.where(either, _METAL_LIGAND, 1.0))
        contact = radii[:, None] + radii
        excess = np.linalg.norm(molecule.geometry[:, None] - molecule.geometry, axis=-1) - contact

        self._pairs = np.argwhere(np.triu(excess < _REACH, 1))
        self._stretch = _STRETCH * weight[tuple(self._pairs.T)]
        self._contact = contact[tuple(self._pairs.T)]

        neighbours: list[list[int]] = [sorted(row) for row in bond_matrix(molecule).tolil().rows]
        triples = [
            (left, middle, right) for middle, around in enumerate(neighbours) for left, right in combinations(around, 2)
        ]
        self._triples = np.array(triples, dtype=int).reshape(-1, 3)
        left, middle, right = self._triples.T
        strength = weight * np.exp(-_STRETCH_DECAY * excess.clip(min=0.0))
        self._bend = _BEND * strength[left, middle] * strength[middle, right]
        may_be_straight = [len(around) == 2 for around in neighbours]
        self._straight = np.flatnonzero(np.array(may_be_straight)[middle])
        left, middle, right = self._triples[self._straight].T
        self._linear_bend = _LINEAR_BEND * np.sqrt(np.minimum(weight[left, middle], weight[middle, right]))
        straight_of = {atom: n for n, atom in enumerate(middle.tolist())}

        chains = [chain for chain in _chains(neighbours) if not both[chain[:-1], chain[1:]].any()]
        fours = [
            (left, chain, right)
            for chain in chains
            for left, right in product(neighbours[chain[0]], neighbours[chain[-1]])
            if len({left, right, *chain}) == len(chain) + 2
        ]
        self._fours = np.array([(left, c[0], c[-1], right) for left, c, right in fours], dtype=int).reshape(-1, 4)
        self._torsion = np.array(
            [
                _TORSION
                * np.exp(-_TORSION_DECAY * excess[chain[:-1], chain[1:]].max())
                * weight[left, chain[0]]
                * weight[chain[-1], right]
                for left, chain, right in fours
            ]
        )
        along = [(n, straight_of[atom]) for n, (_, chain, _) in enumerate(fours) for atom in chain[1:-1]]
        self._chain_of, self._inside = np.array(along, dtype=int).reshape(-1, 2).T

    def measure(self, geometry: np.ndarray) -> tuple[np.ndarray, csr_array, np.ndarray]:
        """Measure all coordinates at a geometry, (natoms, 3).

        Returns
        -------
        tuple
            Values (n,); derivatives by the flat geometry (n, 3 natoms), sparse; force constants (n,), not negative.
        """
        from scipy.sparse import csr_array

        length, by_pair = distances(geometry, self._pairs)
        cosine, by_triple = cosines(geometry, self._triples)
        phi, by_four, sines = dihedrals(geometry, self._fours)
        straight = self._triples[self._straight]
        bend, by_bend = bends(geometry, straight)
        places = np.arange(geometry.size)
        atoms = (self._pairs, self._triples, self._fours, np.repeat(straight, 3, axis=0))
        columns = [(3 * group[:, :, None] + np.arange(3)).ravel() for group in atoms]
        data = [by_pair.ravel(), by_triple.ravel(), by_four.ravel(), by_bend.ravel(), np.ones(len(places))]
        widths = np.repeat([6, 9, 12, 9, 1], [len(length), len(cosine), len(phi), bend.size, len(places)])
        derivatives = csr_array(
            (np.concatenate(data), np.concatenate([*columns, places]), np.cumsum([0, *widths])),
            shape=(len(widths), len(places)),
        )
        straightness = _smooth((-cosine[self._straight] - _BENT) / (_STRAIGHT - _BENT))
        square = sines**2
        meaningful = _smooth((square - 1 + _STRAIGHT**2) / (_STRAIGHT**2 - _BENT**2))
        torsion = self._torsion * (square * meaningful).prod(axis=1)
        np.multiply.at(torsion, self._chain_of, straightness[self._inside])
        angle = self._bend.copy()
        angle[self._straight] *= 1 - straightness
        constants = [
            self._stretch * np.exp(-_STRETCH_DECAY * (length - self._contact).clip(min=-0.5)),
            angle,
            torsion,
            np.repeat(self._linear_bend * straightness, 3),
            np.full(len(places), _PLACE),
        ]
        values = np.concatenate([length, cosine, phi, bend.ravel(), geometry.ravel()])
        return values, derivatives, np.concatenate(constants)

    def difference(self, after: np.ndarray, before: np.ndarray) -> np.ndarray:
        """Subtract values, (n,), dihedrals the shorter way round."""
        change: np.ndarray = after - before
        start = len(self._pairs) + len(self._triples)
        turns = slice(start, start + len(self._fours))
        change[turns] = (change[turns] + np.pi) % (2 * np.pi) - np.pi
        return change


def _chains(neighbours: Sequence[Sequence[int]]) -> Iterator[list[int]]:
    """Give every bond, and every chain of bonds whose inner atoms have no other neighbours: atoms, once a direction."""
    for start, around in enumerate(neighbours):
        for second in around:
            chain = [start, second]
            while True:
                if chain[0] < chain[-1]:
                    yield list(chain)
                onward = [atom for atom in neighbours[chain[-1]] if atom not in chain]
                if len(neighbours[chain[-1]]) != 2 or not onward:
                    break
                chain += onward


def _smooth(x: np.ndarray) -> np.ndarray:
    """Rise from 0 at 0 to 1 at 1 without a kink."""
    x = x.clip(0.0, 1.0)
    risen: np.ndarray = x * x * (3 - 2 * x)
    return risen
