"""Choose the images that are there about one place: as many as there should be, without overlap, at sane angles.

A beam search: fragment by fragment, most occupied first, every set of images that fits is tried on the best
arrangements so far. An arrangement that holds more images of a more occupied fragment always wins; among equals the
one with clearly wider angles between atoms bonded to one atom, then the one nearest to the file's own list.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from qcdriver.geometry.bonds import is_metal
from qcdriver.io.cif.clumps import Place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from qcdriver.io.cif.conflicts import Conflicts, Image
    from qcdriver.io.cif.fragments import Fragment
    from qcdriver.io.cif.neighbours import Pairs
    from qcdriver.io.cif.unit_cell import UnitCell

_WIDTH = 64
_MOST_SETS = 400
_SANE_ANGLE_DEG, _SANE_ANGLE_AT_METAL_DEG = 100.0, 60.0
_LONELY_HYDROGEN = 1e4  # as bad as two atoms on top of each other, in degrees squared
_CLOSE_CALL = 100.0  # degrees squared; what is so little worse may be the truth
_HALF_AN_ATOM = 0.5
_SAME_ANGSTROM = 0.15


@dataclass(frozen=True)
class Arrangement:
    """Images that are there, in the order of the place's clumps, and whether another set would do as well."""

    chosen: tuple[tuple[Image, ...], ...]
    ambiguous: bool


@dataclass(frozen=True)
class Surroundings:
    """Atoms and bonds an arrangement is judged by.

    `bonded`: pairs at bonding distance. `always`: atoms that are there whatever is chosen, (natoms,).
    """

    cell: UnitCell
    bonded: Pairs
    always: np.ndarray


def arrange(place: Place, fragments: list[Fragment], conflicts: Conflicts, around: Surroundings) -> Arrangement:
    """Choose the images of a place."""
    cost = _cost_of_atoms(place, fragments, around)
    found = _search(place, conflicts.excluded, conflicts.blocked, fragments, cost)
    if any(len(k) < c.count for k, c in zip(found[0].chosen, place.clumps, strict=True) if len(c.images) > 1):
        # The occupancies ask for more than fits: atoms may be nearer than they would be in a good structure.
        closer = _search(place, conflicts.clearly, conflicts.blocked, fragments, cost)
        if [len(k) for k in closer[0].chosen] > [len(k) for k in found[0].chosen]:
            found = closer
    if any(clump.leaves_a_choice for clump in place.clumps):
        # Or all images of one site are the alternative to all images of another: two orientations about the axis.
        every = Place(tuple(replace(clump, counts=(len(clump.images),)) for clump in place.clumps))
        turned = _search(every, conflicts.excluded, conflicts.blocked, fragments, cost)
        if _fits_better(turned[0], found[0], place, fragments):
            found = turned
    good = [state for state in found if state.cost - found[0].cost < _CLOSE_CALL]
    best = min(good, key=lambda state: state.chosen)
    rivals = [other for other in good if other is not best]
    distances = _distances(best, fragments, around.cell)
    ambiguous = any(_differ(distances, _distances(other, fragments, around.cell)) for other in rivals)
    return Arrangement(best.chosen, ambiguous)


@dataclass(frozen=True)
class _State:
    chosen: tuple[tuple[Image, ...], ...]
    cost: float

    @property
    def images(self) -> set[Image]:
        return {image for images in self.chosen for image in images}


def _fits_better(state: _State, other: _State, place: Place, fragments: list[Fragment]) -> bool:
    """Return whether the number of atoms comes nearer to the average; at equal numbers, whether the cost is less."""
    average = sum(clump.expected * len(fragments[clump.fragment].sites) for clump in place.clumps)
    off, other_off = (abs(len(_atoms(s, fragments)) - average) for s in (state, other))
    if abs(off - other_off) > _HALF_AN_ATOM:
        return off < other_off
    return state.cost < other.cost - _CLOSE_CALL


def _search(
    place: Place,
    excluded: dict[Image, set[Image]],
    blocked: frozenset[Image],
    fragments: list[Fragment],
    cost: Callable[[frozenset[int]], float],
) -> list[_State]:
    """Find the best arrangements, the best one first; all hold equally many images of each fragment."""
    states = [_State((), 0.0)]
    for clump in place.clumps:
        grown: list[_State] = []
        most = 0
        for state in states:
            taken = state.images
            free = [x for x in clump.images if x not in blocked and not excluded.get(x, set()) & taken]
            for size in range(min(clump.count, len(free)), most - 1, -1):
                sets = list(_compatible(free, size, excluded))
                if not sets:
                    continue
                if size > most:
                    most, grown = size, []
                grown += [_State((*state.chosen, images), 0.0) for images in sets]
                break
        costed = [_State(s.chosen, round(cost(_atoms(s, fragments)), 3)) for s in grown]
        states = sorted(costed, key=lambda s: (s.cost, s.chosen))[:_WIDTH]
    return states


def _compatible(free: list[Image], size: int, excluded: dict[Image, set[Image]]) -> Iterator[tuple[Image, ...]]:
    """Yield sets of images without conflict, in the order of the list, up to a limit."""
    left = _MOST_SETS
    stack: list[tuple[int, tuple[Image, ...]]] = [(0, ())]
    while stack and left:
        start, images = stack.pop()
        if len(images) == size:
            left -= 1
            yield images
            continue
        more = [
            (n + 1, (*images, free[n]))
            for n in range(start, len(free) - (size - len(images)) + 1)
            if not excluded.get(free[n], set()) & set(images)
        ]
        stack += reversed(more)


def _atoms(state: _State, fragments: list[Fragment]) -> frozenset[int]:
    return frozenset(atom for images in state.chosen for x in images for atom in fragments[x.fragment].images[x.image])


def _cost_of_atoms(place: Place, fragments: list[Fragment], around: Surroundings) -> Callable[[frozenset[int]], float]:
    """Prepare the cost of a choice of atoms: narrow angles, and hydrogens without the atom they are bonded to."""
    if all(len(clump.images) == 1 for clump in place.clumps):
        return lambda _: 0.0
    mine = {atom for x in place.images for atom in fragments[x.fragment].images[x.image]}
    always = around.always
    ends: dict[int, list[tuple[int, np.ndarray]]] = {}
    cell, bonded = around.cell, around.bonded
    inside = np.zeros(len(cell), dtype=bool)
    inside[list(mine)] = True
    centres = np.zeros(len(cell), dtype=bool)
    centres[bonded.second[inside[bonded.first]]] = True
    near = bonded.where(centres[bonded.first] & (inside | always)[bonded.second])
    step = (cell.fractional[near.second] + near.shift - cell.fractional[near.first]) @ cell.lattice
    for centre, end, vector in zip(near.first.tolist(), near.second.tolist(), step, strict=True):
        ends.setdefault(centre, []).append((end, vector / max(float(np.linalg.norm(vector)), 1e-9)))

    narrow: list[tuple[int, int, int, float]] = []
    hosts: dict[int, set[int]] = {}
    for centre, around_centre in ends.items():
        sane = _SANE_ANGLE_AT_METAL_DEG if is_metal(cell.symbols[centre]) else _SANE_ANGLE_DEG
        for n, (a, first) in enumerate(around_centre):
            if cell.symbols[a] == "H" and a in mine and cell.symbols[centre] != "H":
                hosts.setdefault(a, set()).add(centre)
            for b, second in around_centre[:n]:
                angle = float(np.degrees(np.arccos(np.clip(first @ second, -1, 1))))
                if a != b and angle < sane and (a in mine or b in mine):
                    narrow.append((centre, a, b, (sane - angle) ** 2))

    def there(atom: int, atoms: frozenset[int]) -> bool:
        return atom in atoms or (atom not in mine and bool(always[atom]))

    def cost(atoms: frozenset[int]) -> float:
        total = sum(c for centre, a, b, c in narrow if there(centre, atoms) and there(a, atoms) and there(b, atoms))
        lonely = sum(h in atoms and not any(there(x, atoms) for x in around_h) for h, around_h in hosts.items())
        return total + _LONELY_HYDROGEN * lonely

    return cost


def _distances(state: _State, fragments: list[Fragment], cell: UnitCell) -> list[np.ndarray]:
    """Sorted distances between all atoms that are there, by pair of elements: what tells two arrangements apart."""
    atoms = np.array(sorted(_atoms(state, fragments)), dtype=int)
    apart = cell.fractional[atoms][:, None] - cell.fractional[atoms]
    length = np.linalg.norm((apart - np.round(apart)) @ cell.lattice, axis=-1)
    names = cell.symbols[atoms]
    elements = sorted(set(names.tolist()))
    return [np.sort(length[np.ix_(names == a, names == b)], axis=None) for a in elements for b in elements if a <= b]


def _differ(first: list[np.ndarray], second: list[np.ndarray]) -> bool:
    return len(first) != len(second) or any(
        len(a) != len(b) or bool(np.abs(a - b).max() > _SAME_ANGSTROM) for a, b in zip(first, second, strict=True)
    )
