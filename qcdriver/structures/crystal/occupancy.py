"""Partly occupied atoms of a cell in, a set that can all be there at once out.

Three things are settled here that no assembly of the file settles: alternatives without any flag, disorder about a
symmetry element (the images of one fragment overlap), and the hydrogen that rides on an atom left out. What is chosen
or left out is a whole fragment, so no molecule mixes alternatives.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from qcdriver.structures.crystal.disorder import Alternative, Choice
from qcdriver.structures.crystal.exclusions import Exclusions, find_exclusions, occupancy_of_place, partly_there
from qcdriver.structures.crystal.fragments import Fragment, find_fragments
from qcdriver.structures.crystal.neighbours import Pairs, bonds

if TYPE_CHECKING:
    from qcdriver.structures.crystal.unit_cell import UnitCell

_MOSTLY_THERE = 0.49

_Image = tuple[int, int]
"""A fragment and one of its images."""


@dataclass(frozen=True, eq=False)
class Occupants:
    """What is there.

    `atoms`: which atoms of the cell, (natoms,). `presence`: how often each site, or an alternative of it, is there,
    (nsites,).
    """

    atoms: np.ndarray
    presence: np.ndarray
    choices: tuple[Choice, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class _Taken:
    """Images of a fragment that were taken, how many share each place, and the other fragments they exclude."""

    images: list[int]
    share_a_place: int
    rivals: list[int]


def choose_occupants(cell: UnitCell, pairs: Pairs, keep_sites: np.ndarray, choices: list[Choice]) -> Occupants:
    """Choose among what overlaps.

    Parameters
    ----------
    pairs
        All pairs within bonding reach and within `exclusions.reach_of_overlaps`.
    keep_sites, choices
        What `disorder.choose_groups` decided.
    """
    partial = partly_there(cell)
    presence = np.where(partial, occupancy_of_place(cell), 1.0)
    number = {label: i for i, label in enumerate(cell.sites.labels)}
    for choice in choices:
        presence[[number[label] for label in choice.chosen.sites]] = choice.total_occupancy
    occupants = Occupants(keep_sites[cell.site], presence, tuple(choices), ())
    if (partial & keep_sites).any():
        left = pairs.among(occupants.atoms)
        exclusions = find_exclusions(cell, left, partial)
        fragments = find_fragments(cell, left, exclusions, partial, keep_sites)
        taken = _select(cell, fragments, exclusions, partial)
        occupants = _outcome(cell, left, occupants, fragments, taken, partial)
    return replace(occupants, atoms=occupants.atoms & ~_orphans(cell, pairs, occupants.atoms))


def _orphans(cell: UnitCell, pairs: Pairs, kept: np.ndarray) -> np.ndarray:
    """Hydrogens whose only bonds were to atoms left out, (natoms,)."""
    # Bonds are looked for anew among what is kept: to an alternative, a hydrogen may be nearer than to its own atom.
    bound, still_bound = np.zeros(len(cell), dtype=bool), np.zeros(len(cell), dtype=bool)
    bound[bonds(pairs, cell.symbols).first] = True
    still_bound[bonds(pairs.among(kept), cell.symbols).first] = True
    orphans: np.ndarray = (cell.symbols == "H") & bound & ~still_bound
    return orphans


def _select(
    cell: UnitCell, fragments: list[Fragment], exclusions: Exclusions, partial: np.ndarray
) -> list[_Taken | None]:
    """Take fragments, the most occupied first, as long as they exclude nothing that was taken."""
    excluded, blocked = _conflicts(cell, fragments, exclusions, partial)
    taken: set[_Image] = set()
    outcome: list[_Taken | None] = [None] * len(fragments)
    ranking = sorted(
        range(len(fragments)), key=lambda n: (-round(fragments[n].occupancy, 2), -len(fragments[n].sites), n)
    )
    for number in ranking:
        fragment = fragments[number]
        free = {k for k in range(len(fragment.images)) if (number, k) not in blocked}
        free -= {k for k in free if excluded[number, k] & taken}
        if not free:
            continue
        against = {k: {other for n, other in excluded[number, k] if n == number} for k in free}
        images, share = _choose_images(fragment, free, against)
        taken |= {(number, k) for k in images}
        rivals = sorted({n for n, _ in excluded[number, images[0]]} - {number})
        outcome[number] = _Taken(images, share, rivals)
    return outcome


def _conflicts(
    cell: UnitCell, fragments: list[Fragment], exclusions: Exclusions, partial: np.ndarray
) -> tuple[dict[_Image, set[_Image]], set[_Image]]:
    """Find which images exclude each other, and which are on top of atoms that are always there."""
    holders: dict[int, list[_Image]] = defaultdict(list)
    for number, fragment in enumerate(fragments):
        for image, atoms in enumerate(fragment.images):
            for atom in atoms:
                holders[atom].append((number, image))
    excluded: dict[_Image, set[_Image]] = defaultdict(set)
    blocked: set[_Image] = set()
    always = ~partial[cell.site]
    for pairs, of_one_fragment in ((exclusions.always, False), (exclusions.images, True)):
        for a, b in zip(pairs.first.tolist(), pairs.second.tolist(), strict=True):
            if always[b]:
                blocked.update(holders[a])
            for x in holders[a]:
                excluded[x].update(y for y in holders[b] if x != y and (x[0] == y[0] or not of_one_fragment))
    return excluded, blocked


def _choose_images(fragment: Fragment, free: set[int], against: dict[int, set[int]]) -> tuple[list[int], int]:
    """Take as many images as go together in each clump of overlapping ones.

    Images are tried in the order of the operators that make them, so that symmetry-related clumps get related ones.

    Returns
    -------
    tuple
        The images, and how many share the place of one.
    """
    chosen: list[int] = []
    share = 1
    waiting = set(free)
    while waiting:
        clump = _reachable(min(waiting), waiting, against)
        waiting -= clump
        room = max(1, round(fragment.occupancy * len(clump)))
        mine: list[int] = []
        for image in sorted(clump):
            if len(mine) < room and not against[image] & set(mine):
                mine.append(image)
        share = round(len(clump) / len(mine))
        chosen += mine
    return chosen, share


def _reachable(first: int, waiting: set[int], against: dict[int, set[int]]) -> set[int]:
    clump, queue = {first}, [first]
    while queue:
        for other in against[queue.pop()] & waiting - clump:
            clump.add(other)
            queue.append(other)
    return clump


def _outcome(
    cell: UnitCell,
    pairs: Pairs,
    before: Occupants,
    fragments: list[Fragment],
    taken: list[_Taken | None],
    partial: np.ndarray,
) -> Occupants:
    """Keep what was taken, unless it is mostly not there on a molecule that is; tell what was chosen."""
    ordered = before.atoms & ~partial[cell.site]
    atoms, presence = ordered.copy(), before.presence.copy()
    choices, warnings = list(before.choices), []
    beaten = {number for one in taken if one for number in one.rivals}
    for number, (fragment, one) in enumerate(zip(fragments, taken, strict=True)):
        labels = _labels(cell, fragment)
        if one is None:
            if number not in beaten:
                warnings.append(f"{_short(labels)} left out: on top of atoms that are always there")
            continue
        lost = [fragments[n] for n in one.rivals if taken[n] is None]
        choice = _choice(cell, fragment, one.share_a_place, lost)
        sites = list(fragment.sites)
        presence[sites] = np.minimum(presence[sites] + sum(a.occupancy for a in choice.left_out), 1.0)
        here = np.array(sorted({atom for k in one.images for atom in fragment.images[k]}))
        share = float(presence[sites].mean())
        if share < _MOSTLY_THERE and _bound(cell, pairs, here, ordered):
            warnings.append(f"{_short(labels)} left out: there only {100 * share:.0f} % of the time")
            continue
        atoms[here] = True
        if choice.left_out:
            choices.append(choice)
    return Occupants(atoms, presence, tuple(choices), tuple(warnings))


def _choice(cell: UnitCell, fragment: Fragment, share_a_place: int, lost: list[Fragment]) -> Choice:
    """Say what a fragment was chosen against: other images of its own, other fragments."""
    labels = _labels(cell, fragment)
    return Choice(
        assembly=labels[0],
        chosen=Alternative("image 1" if share_a_place > 1 else labels[0], fragment.occupancy, labels),
        left_out=(
            *(Alternative(f"image {k + 1}", fragment.occupancy, labels) for k in range(1, share_a_place)),
            *(Alternative(_labels(cell, f)[0], f.occupancy, _labels(cell, f)) for f in lost),
        ),
    )


def _bound(cell: UnitCell, pairs: Pairs, atoms: np.ndarray, others: np.ndarray) -> bool:
    found = bonds(pairs, cell.symbols)
    return bool((np.isin(found.first, atoms) & others[found.second]).any())


def _labels(cell: UnitCell, fragment: Fragment) -> tuple[str, ...]:
    return tuple(cell.sites.labels[i] for i in fragment.sites)


def _short(labels: tuple[str, ...]) -> str:
    return ", ".join(labels[:6]) + (f" and {len(labels) - 6} more" if len(labels) > 6 else "")
