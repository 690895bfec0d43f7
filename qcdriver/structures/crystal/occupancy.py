"""Partly occupied atoms of a cell in, a set that can all be there at once out.

Three things are settled here that no assembly of the file settles: alternatives without any flag (recognised by overlap
and by occupancies that add up to one), disorder about a symmetry element (the images of one fragment overlap), and the
hydrogen that rides on an atom left out. What is chosen or left out is a whole fragment, partly occupied atoms bonded to
each other, so no molecule mixes alternatives; and where one image of several is taken, the crystal's own operators
carry the choice to all other places.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from qcdriver.structures.crystal.disorder import Alternative, Choice
from qcdriver.structures.crystal.neighbours import Pairs, bond_reach, bonds, covalent_radii

if TYPE_CHECKING:
    from qcdriver.structures.crystal.unit_cell import UnitCell

_FULL = 0.99
_SUM_TOLERANCE = 0.03
_MOSTLY_THERE = 0.49
_OVERLAP = 0.70
"""Atoms closer than this times the sum of their radii are not both there (C-C 1.06, C-H 0.75 Angstrom)."""
_ON_TOP = 0.60
_OVERLAP_ANGSTROM = {"H": 1.2, "F": 1.7, "O": 1.25, "Cl": 2.2}
"""Two of a kind on one atom are farther apart than this, two alternatives of one are mostly nearer."""
_CONTACT = 0.75
"""Images of a fragment disordered about a symmetry element exclude each other up to this times the van der Waals sum."""

_Place = tuple[int, tuple[int, int, int]]
"""An atom of the cell and the lattice translation it is moved by."""


@dataclass(frozen=True)
class Occupants:
    """What is there.

    `atoms`: which atoms of the cell, (natoms,). `presence`: how often each site, or an alternative of it, is there,
    (nsites,).
    """

    atoms: np.ndarray
    presence: np.ndarray
    choices: tuple[Choice, ...]
    warnings: tuple[str, ...]


@dataclass
class _Fragment:
    """Partly occupied sites that are there together, and the images of this piece in the cell.

    `image_of`: which image each operator makes, (noperators,); image 0 is the fragment itself. `chosen`: images taken.
    `rivals`: what the first of them excludes, as fragment and image.
    """

    sites: list[int]
    occupancy: float
    image_of: np.ndarray
    images: list[frozenset[int]]
    chosen: list[int] = field(default_factory=list)
    rivals: set[tuple[int, int]] = field(default_factory=set)


def reach_of_overlaps(cell: UnitCell) -> np.ndarray:
    """Half-range in which partly occupied atoms may exclude each other, (natoms,), Angstrom; 0 for the others."""
    import gemmi

    reach = np.array([_CONTACT * gemmi.Element(symbol).vdw_r for symbol in cell.sites.symbols])
    result: np.ndarray = np.where(_partly_there(cell), reach, 0.0)[cell.site]
    return result


def choose_occupants(cell: UnitCell, pairs: Pairs, keep_sites: np.ndarray, choices: list[Choice]) -> Occupants:
    """Choose among what overlaps.

    Parameters
    ----------
    pairs
        All pairs within bonding reach and within `reach_of_overlaps`.
    keep_sites, choices
        What `disorder.choose_groups` decided.
    """
    partial = _partly_there(cell)
    presence = np.where(partial, cell.sites.occupancy, 1.0)
    number = {label: i for i, label in enumerate(cell.sites.labels)}
    for choice in choices:
        presence[[number[label] for label in choice.chosen.sites]] = choice.total_occupancy
    keep = keep_sites[cell.site]
    occupants = Occupants(keep, presence, tuple(choices), ())
    if (partial & keep_sites).any():
        occupants = _Chooser(cell, pairs.among(keep), partial, occupants).choose()
    return replace(occupants, atoms=occupants.atoms & ~_orphans(cell, pairs, occupants.atoms))


def _partly_there(cell: UnitCell) -> np.ndarray:
    """Sites that are not always there, (nsites,). On a symmetry element 1/order is meant as full."""
    order = len(cell.group) / np.array([len(np.unique(row)) for row in cell.image])
    occupancy = cell.sites.occupancy
    by_multiplicity = (order > 1) & (np.abs(occupancy * order - 1) < 0.02)
    flagged = np.array([group is not None for group in cell.sites.group])
    partial: np.ndarray = flagged | ((occupancy < _FULL) & ~by_multiplicity)
    return partial


def _orphans(cell: UnitCell, pairs: Pairs, kept: np.ndarray) -> np.ndarray:
    """Hydrogens whose only bonds were to atoms left out, (natoms,)."""
    # Bonds are looked for anew among what is kept: to an alternative, a hydrogen may be nearer than to its own atom.
    bound, still_bound = np.zeros(len(cell), dtype=bool), np.zeros(len(cell), dtype=bool)
    bound[bonds(pairs, cell.symbols).first] = True
    still_bound[bonds(pairs.among(kept), cell.symbols).first] = True
    orphans: np.ndarray = (cell.symbols == "H") & bound & ~still_bound
    return orphans


class _Chooser:
    """`pairs` are those between atoms of the groups chosen so far."""

    def __init__(self, cell: UnitCell, pairs: Pairs, partial: np.ndarray, occupants: Occupants) -> None:
        sites = cell.sites
        self.cell = cell
        self.pairs = pairs
        self.partial = partial
        self.occupants = occupants
        self.flagged = np.array([group is not None for group in sites.group])
        self.about_element = np.array([(group or "").startswith("-") for group in sites.group])
        # What tells alternatives apart: the file's group, or else the occupancy.
        names = [
            f"{sites.assembly[i]} {sites.group[i]}" if self.flagged[i] else f"{sites.occupancy[i]:.2f}"
            for i in range(len(sites))
        ]
        self.kind = np.unique(names, return_inverse=True)[1]

    def choose(self) -> Occupants:
        exclusive, images_exclusive = self._exclusive()
        fragments = self._fragments(exclusive)
        self._select(fragments, exclusive, images_exclusive)
        return self._outcome(fragments)

    def _exclusive(self) -> tuple[Pairs, Pairs]:
        """Pairs of atoms that cannot both be there, and pairs that cannot if they are images of one fragment."""
        cell, pairs, occupancy = self.cell, self.pairs, self.cell.sites.occupancy
        i, j = cell.site[pairs.first], cell.site[pairs.second]
        same_kind = self.kind[i] == self.kind[j]
        as_listed = (cell.operator[pairs.first] == cell.operator[pairs.second]) & (pairs.shift == 0).all(axis=1)
        one_group = self.flagged[i] & same_kind & as_listed
        unflagged = ~self.flagged[i] & ~self.flagged[j]

        radii = covalent_radii(cell.sites.symbols)
        contact = radii[i] + radii[j]
        overlap = pairs.distance < _OVERLAP * contact
        symbols = np.array(cell.sites.symbols)
        for symbol, distance in _OVERLAP_ANGSTROM.items():
            two_of_a_kind = (symbols[i] == symbol) & (symbols[j] == symbol)
            overlap |= unflagged & two_of_a_kind & (pairs.distance < distance)
        reach = bond_reach(cell.sites.symbols)
        bonded = pairs.distance < reach[i] + reach[j]
        together = occupancy[i] + occupancy[j]
        differ = np.abs(occupancy[i] - occupancy[j]) > _SUM_TOLERANCE
        complementary = unflagged & bonded & differ & (np.abs(together - 1) < _SUM_TOLERANCE)
        on_top = (self.partial[i] != self.partial[j]) & (pairs.distance < _ON_TOP * contact)

        both = self.partial[i] & self.partial[j] & (together < 1 + _SUM_TOLERANCE) & ~one_group
        exclusive = (both & (overlap | complementary)) | on_top
        return pairs.where(exclusive), pairs.where(self.about_element[i] & same_kind)

    def _fragments(self, exclusive: Pairs) -> list[_Fragment]:
        """Grow fragments along bonds between sites of one kind; a group about an element also along contacts."""
        cell = self.cell
        # By distance alone: a hydrogen may be nearer to an alternative than to the atom it belongs to.
        reach = bond_reach(cell.symbols)
        bonded = self.pairs.where(self.pairs.distance < reach[self.pairs.first] + reach[self.pairs.second])
        contacts = self.pairs.where(self.about_element[cell.site[self.pairs.first]])
        links: dict[int, list[tuple[int, np.ndarray, float]]] = defaultdict(list)
        radii = covalent_radii(cell.symbols)
        for found in (bonded, contacts):
            i, j = cell.site[found.first], cell.site[found.second]
            found = found.where(self.partial[i] & self.partial[j] & (self.kind[i] == self.kind[j]))
            misfit = np.abs(found.distance - radii[found.first] - radii[found.second])
            for a, b, shift, miss in zip(found.first.tolist(), found.second.tolist(), found.shift, misfit, strict=True):
                links[a].append((b, shift, float(miss)))
        never = defaultdict(set)
        for a, b, shift in zip(exclusive.first.tolist(), exclusive.second.tolist(), exclusive.shift, strict=True):
            never[a].add((b, *shift.tolist()))

        fragments, done = [], set()
        kept = np.zeros(len(cell.sites), dtype=bool)
        kept[cell.site[self.occupants.atoms]] = True
        for seed in np.flatnonzero(self.partial & kept).tolist():
            if seed not in done:
                members = self._grow(seed, done, links, never)
                done |= set(members)
                fragments.append(self._with_images(members))
        return fragments

    def _grow(
        self,
        seed: int,
        done: set[int],
        links: dict[int, list[tuple[int, np.ndarray, float]]],
        never: dict[int, set[tuple[int, ...]]],
    ) -> dict[int, _Place]:
        """Collect each site once: the image as listed if it is linked, else the one with the best bond length."""
        cell = self.cell
        members: dict[int, _Place] = {}
        queue: list[tuple[bool, float, int, tuple[int, int, int]]] = [(False, 0.0, int(cell.image[seed, 0]), (0, 0, 0))]
        while queue:
            _, _, atom, shift = heapq.heappop(queue)
            site = int(cell.site[atom])
            if site in members or site in done:
                continue
            if any((b, *(np.array(at) - shift).tolist()) in never[atom] for b, at in members.values()):
                continue
            members[site] = (atom, shift)
            for other, step, misfit in links[atom]:
                at = (shift[0] + int(step[0]), shift[1] + int(step[1]), shift[2] + int(step[2]))
                listed = cell.sites.fractional[cell.site[other]]
                moved = not np.allclose(cell.fractional[other] + at, listed, atol=1e-3)
                heapq.heappush(queue, (moved, misfit, other, at))
        return members

    def _with_images(self, members: dict[int, _Place]) -> _Fragment:
        cell = self.cell
        atoms = np.array([atom for atom, _ in members.values()])
        images: dict[frozenset[int], int] = {}
        image_of = []
        for operator in range(len(cell.group)):
            moved = cell.image[cell.site[atoms], cell.group.product[operator, cell.operator[atoms]]]
            image_of.append(images.setdefault(frozenset(moved.tolist()), len(images)))
        sites = sorted(members)
        return _Fragment(sites, float(cell.sites.occupancy[sites].mean()), np.array(image_of), list(images))

    def _select(self, fragments: list[_Fragment], exclusive: Pairs, images_exclusive: Pairs) -> None:
        """Take fragments, the most occupied first, as long as they exclude nothing that was taken."""
        holders: dict[int, list[tuple[int, int]]] = defaultdict(list)
        for number, fragment in enumerate(fragments):
            for image, atoms in enumerate(fragment.images):
                for atom in atoms:
                    holders[atom].append((number, image))
        excluded: dict[tuple[int, int], set[tuple[int, int]]] = defaultdict(set)
        blocked: set[tuple[int, int]] = set()
        always = ~self.partial[self.cell.site]
        for pairs, one_fragment in ((exclusive, False), (images_exclusive, True)):
            for a, b in zip(pairs.first.tolist(), pairs.second.tolist(), strict=True):
                if always[b] and not one_fragment:
                    blocked.update(holders[a])
                for x in holders[a]:
                    excluded[x].update(y for y in holders[b] if x != y and (x[0] == y[0] or not one_fragment))

        taken: set[tuple[int, int]] = set()
        for number in sorted(
            range(len(fragments)),
            key=lambda n: (-round(fragments[n].occupancy, 2), -len(fragments[n].sites), n),
        ):
            fragment = fragments[number]
            free = {k for k in range(len(fragment.images)) if (number, k) not in blocked}
            free -= {k for k in free if excluded[number, k] & taken}
            against = {k: {other for n, other in excluded[number, k] if n == number} for k in free}
            fragment.chosen = self._choose_images(fragment, free, against)
            taken |= {(number, k) for k in fragment.chosen}
        for number, fragment in enumerate(fragments):
            if fragment.chosen:
                fragment.rivals = excluded[number, fragment.chosen[0]] - taken

    def _choose_images(self, fragment: _Fragment, free: set[int], against: dict[int, set[int]]) -> list[int]:
        """Take as many images as go together in each clump of overlapping ones; all clumps alike by symmetry."""
        product = self.cell.group.product
        maker = {int(image): op for op, image in reversed(list(enumerate(fragment.image_of)))}
        chosen: list[int] = []
        pattern: list[int] = []
        waiting = set(free)
        while waiting:
            first = min(waiting)
            clump = _reachable(first, waiting, against)
            waiting -= clump
            mine: list[int] = []
            if pattern:
                back = int(np.flatnonzero(product[:, pattern[0]] == 0)[0])
                move = product[maker[first], back]
                mine = [int(fragment.image_of[product[move, op]]) for op in pattern]
            if not mine or not set(mine) <= clump:
                mine = []
                for image in sorted(clump):
                    if not against[image] & set(mine):
                        mine.append(image)
            pattern = pattern or [maker[image] for image in mine]
            chosen += mine
        return chosen

    def _outcome(self, fragments: list[_Fragment]) -> Occupants:
        ordered = self.occupants.atoms & ~self.partial[self.cell.site]
        atoms = ordered.copy()
        presence = self.occupants.presence.copy()
        choices, warnings = list(self.occupants.choices), []
        beaten = {number for fragment in fragments for number, _ in fragment.rivals}
        for number, fragment in enumerate(fragments):
            labels = self._labels(fragment)
            if not fragment.chosen:
                if number not in beaten:
                    warnings.append(f"{_short(labels)} left out: on top of atoms that are always there")
                continue
            choice = self._choice(number, fragments)
            presence[fragment.sites] += sum(a.occupancy for a in choice.left_out)
            here = np.array(sorted({atom for k in fragment.chosen for atom in fragment.images[k]}))
            share = float(presence[fragment.sites].mean())
            if share < _MOSTLY_THERE and self._bound_to(here, ordered):
                warnings.append(f"{_short(labels)} left out: there only {100 * share:.0f} % of the time")
                continue
            atoms[here] = True
            if choice.left_out:
                choices.append(choice)
        return Occupants(atoms, np.minimum(presence, 1.0), tuple(choices), tuple(warnings))

    def _choice(self, number: int, fragments: list[_Fragment]) -> Choice:
        """Say what a fragment was chosen against: other images of its own, other fragments."""
        fragment = fragments[number]
        labels = self._labels(fragment)
        own = sum(n == number for n, _ in fragment.rivals)
        others = [fragments[n] for n in sorted({n for n, _ in fragment.rivals} - {number})]
        return Choice(
            assembly=labels[0],
            chosen=Alternative("image 1" if own else labels[0], fragment.occupancy, labels),
            left_out=(
                *(Alternative(f"image {k + 2}", fragment.occupancy, labels) for k in range(own)),
                *(Alternative(self._labels(f)[0], f.occupancy, self._labels(f)) for f in others),
            ),
        )

    def _labels(self, fragment: _Fragment) -> tuple[str, ...]:
        return tuple(self.cell.sites.labels[i] for i in fragment.sites)

    def _bound_to(self, atoms: np.ndarray, others: np.ndarray) -> bool:
        found = bonds(self.pairs, self.cell.symbols)
        return bool((np.isin(found.first, atoms) & others[found.second]).any())


def _reachable(first: int, waiting: set[int], against: dict[int, set[int]]) -> set[int]:
    clump, queue = {first}, [first]
    while queue:
        for other in against[queue.pop()] & waiting - clump:
            clump.add(other)
            queue.append(other)
    return clump


def _short(labels: tuple[str, ...]) -> str:
    return ", ".join(labels[:6]) + (f" and {len(labels) - 6} more" if len(labels) > 6 else "")
