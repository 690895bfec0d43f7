"""Partly occupied atoms and what excludes what in, fragments out: pieces that are there as a whole or not at all.

A fragment holds each of its sites once: the image of the site that the file lists beside the others, or else the one
at the best bond length. Its images by the operators of the crystal are the places where the same piece may be.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from qcdriver.structures.crystal.neighbours import Pairs, bond_reach, covalent_radii

if TYPE_CHECKING:
    from qcdriver.structures.crystal.exclusions import Exclusions
    from qcdriver.structures.crystal.unit_cell import UnitCell

_LISTED_ANGSTROM = 0.3  # an atom moved onto a symmetry element still is where the file lists it

_Shift = tuple[int, int, int]
_Links = dict[int, list[tuple[int, _Shift, float]]]
_Never = dict[int, set[tuple[int, _Shift]]]


@dataclass(frozen=True)
class Fragment:
    """Partly occupied sites that are there together.

    Attributes
    ----------
    sites
        In the order of the file.
    occupancy
        Mean over the sites.
    images
        Atoms of each image in the cell, in the order of the operators that make them; the first is the fragment itself.
    """

    sites: tuple[int, ...]
    occupancy: float
    images: tuple[frozenset[int], ...]


def find_fragments(
    cell: UnitCell, pairs: Pairs, exclusions: Exclusions, partial: np.ndarray, kept: np.ndarray
) -> list[Fragment]:
    """Grow fragments along bonds between sites of one kind; a group about a symmetry element also along contacts.

    Parameters
    ----------
    pairs
        Close pairs between atoms that are left to choose from.
    partial, kept
        Sites that are not always there, and sites left to choose from, (nsites,).
    """
    links = _links(cell, pairs, exclusions, partial)
    never: _Never = defaultdict(set)
    excluded = exclusions.always
    for a, b, shift in zip(excluded.first.tolist(), excluded.second.tolist(), excluded.shift.tolist(), strict=True):
        never[a].add((b, tuple(shift)))
    found: list[Fragment] = []
    done: set[int] = set()
    for seed in np.flatnonzero(partial & kept).tolist():
        if seed not in done:
            members = _grow(cell, seed, done, links, never)
            done |= set(members)
            found.append(_with_images(cell, members))
    return found


def _links(cell: UnitCell, pairs: Pairs, exclusions: Exclusions, partial: np.ndarray) -> _Links:
    """For each atom the atoms it may share a fragment with, their shifts, and how far off a bond length they are."""
    # By distance alone: a hydrogen may be nearer to an alternative than to the atom it belongs to.
    reach = bond_reach(cell.symbols)
    bonded = pairs.where(pairs.distance < reach[pairs.first] + reach[pairs.second])
    radii = covalent_radii(cell.symbols)
    kind = exclusions.kind
    links: _Links = defaultdict(list)
    for near in (bonded, exclusions.contacts):
        i, j = cell.site[near.first], cell.site[near.second]
        alike = near.where(partial[i] & partial[j] & (kind[i] == kind[j]))
        misfit = np.abs(alike.distance - radii[alike.first] - radii[alike.second])
        rows = zip(alike.first.tolist(), alike.second.tolist(), alike.shift.tolist(), misfit.tolist(), strict=True)
        for a, b, shift, miss in rows:
            links[a].append((b, tuple(shift), miss))
    return links


def _grow(cell: UnitCell, seed: int, done: set[int], links: _Links, never: _Never) -> dict[int, int]:
    """Collect site -> atom, starting from the seed as listed."""
    members: dict[int, int] = {}
    places: list[tuple[int, _Shift]] = []
    queue: list[tuple[bool, float, int, _Shift]] = [(False, 0.0, int(cell.image[seed, 0]), (0, 0, 0))]
    while queue:
        _, _, atom, shift = heapq.heappop(queue)
        site = int(cell.site[atom])
        if site in members or site in done:
            continue
        if atom in never and any((b, _step(shift, at)) in never[atom] for b, at in places):
            continue
        members[site] = atom
        places.append((atom, shift))
        for other, step, misfit in links.get(atom, ()):
            at = (shift[0] + step[0], shift[1] + step[1], shift[2] + step[2])
            listed = cell.sites.fractional[cell.site[other]]
            offset = (cell.fractional[other] + at - listed) @ cell.lattice
            moved = bool(offset @ offset > _LISTED_ANGSTROM**2)
            heapq.heappush(queue, (moved, misfit, other, at))
    return members


def _step(start: _Shift, end: _Shift) -> _Shift:
    return (end[0] - start[0], end[1] - start[1], end[2] - start[2])


def _with_images(cell: UnitCell, members: dict[int, int]) -> Fragment:
    sites = sorted(members)
    atoms = np.array([members[site] for site in sites])
    made_by = cell.operator[atoms]
    images = [cell.image[sites, cell.group.product[operator, made_by]] for operator in range(len(cell.group))]
    unique = dict.fromkeys(frozenset(image.tolist()) for image in images)
    return Fragment(tuple(sites), float(cell.sites.occupancy[sites].mean()), tuple(unique))
