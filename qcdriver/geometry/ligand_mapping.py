"""Map a ligand on its counterpart in another structure, atom by atom along the bonds, at the lowest cost.

The mapping is exact over all isomorphisms of the two bond graphs, without listing them: once the atoms next to a mapped
one are assigned, the rest falls into separate parts (a phenyl, a methyl) that do not depend on each other, and every
part is solved once. PPh3 has 48 automorphisms, P(iPr)3 millions; both take milliseconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations

import numpy as np

from qcdriver.geometry.topology import Topology

Pairs = tuple[tuple[int, int], ...]
Solution = tuple[float, Pairs]


class LigandMapper:
    """Maps ligands of structure `a` on ligands of structure `b`, atom by atom.

    Parameters
    ----------
    a, b
        Topologies of the two.
    cost
        Cost of mapping atom i of `a` on atom j of `b`, (natoms, natoms).
    """

    def __init__(self, a: Topology, b: Topology, cost: np.ndarray) -> None:
        self._a, self._b, self._cost = a, b, cost
        self._solved: dict[tuple[Pairs, frozenset[int]], Solution | None] = {}

    def map_anchored(self, ligand: tuple[int, ...], counterpart: tuple[int, ...], anchors: Pairs) -> Solution | None:
        """Map a ligand of which some atoms (its donors) are mapped already; None if no mapping keeps its bonds."""
        rest_a = frozenset(ligand) - {x for x, _ in anchors}
        rest_b = frozenset(counterpart) - {y for _, y in anchors}
        solved = self._solve_parts(anchors, rest_a, rest_b)
        if solved is None:
            return None
        total, pairs = solved
        return total + sum(self._cost[pair] for pair in anchors), anchors + pairs

    def map_free(self, ligand: tuple[int, ...], counterpart: tuple[int, ...]) -> Solution | None:
        """Map a ligand of which no atom is mapped yet, by trying every image of its rarest atom."""
        classes = self._a.classes[list(ligand)]
        values, counts = np.unique(classes, return_counts=True)
        rarest = values[np.argmin(counts)]
        root = ligand[int(np.flatnonzero(classes == rarest)[0])]
        images = [y for y in counterpart if self._b.classes[y] == rarest]
        solutions = [self.map_anchored(ligand, counterpart, ((root, y),)) for y in images]
        return min((solution for solution in solutions if solution), default=None)

    def _solve_parts(self, front: Pairs, rest_a: frozenset[int], rest_b: frozenset[int]) -> Solution | None:
        """Map the atoms that are left, part by part, given the mapped pairs at their border."""
        total, found = 0.0, Pairs()
        for part in _parts(rest_a, {x for x, _ in front}, self._a.neighbours):
            border = tuple((x, y) for x, y in front if part.intersection(self._a.neighbours[x]))
            solved = self._solve(border, part, rest_b)
            if solved is None:
                return None
            total, found = total + solved[0], found + solved[1]
        return total, found

    def _solve(self, border: Pairs, part: frozenset[int], rest_b: frozenset[int]) -> Solution | None:
        key = (border, part)  # the atoms of b that are left follow from these two
        if key not in self._solved:
            self._solved[key] = self._cheapest(border, part, rest_b)
        return self._solved[key]

    def _cheapest(self, border: Pairs, part: frozenset[int], rest_b: frozenset[int]) -> Solution | None:
        if not border:
            return None
        x, y = border[0]
        near = [u for u in self._a.neighbours[x] if u in part]
        best: Solution | None = None
        for images in permutations([v for v in self._b.neighbours[y] if v in rest_b], len(near)):
            new = tuple(zip(near, images, strict=True))
            if not all(self._a.classes[u] == self._b.classes[v] for u, v in new) or not self._closes(border, new):
                continue
            rest = self._solve_parts(border + new, part - set(near), rest_b - set(images))
            if rest is None:
                continue
            total = rest[0] + sum(self._cost[pair] for pair in new)
            if best is None or total < best[0]:
                best = (total, new + rest[1])
        return best

    def _closes(self, border: Pairs, new: Pairs) -> bool:
        """Return whether the bonds between new and mapped atoms (where a ring closes) exist in both structures."""
        return all(
            (w in self._a.neighbours[u]) == (z in self._b.neighbours[v])
            for place, (u, v) in enumerate(new)
            for w, z in border + new[:place]
        )


def _parts(atoms: frozenset[int], front: set[int], neighbours: tuple[tuple[int, ...], ...]) -> Iterator[frozenset[int]]:
    """Yield the separate parts of a set of atoms; atoms that hang on one mapped atom are one part, as they compete."""
    left = set(atoms)
    while left:
        reached, edge = set[int](), {min(left)}
        while edge:
            reached |= edge
            edge = {j for i in edge for j in neighbours[i] if j in left or j in front} - reached
        left -= reached
        yield frozenset(reached - front)
