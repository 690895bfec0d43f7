"""Group partly occupied atoms into fragments: pieces that are there as a whole or not at all.

A fragment holds each of its sites once: in the image that the file lists beside the others, or else in the one at the
best bond length. The operators of the crystal make the images of a fragment: the places where the same piece may be.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from qcdriver.geometry.bonds import is_metal
from qcdriver.io.cif.neighbours import Pairs, bond_reach, covalent_radii, share_neighbour

if TYPE_CHECKING:
    from qcdriver.io.cif.exclusions import Exclusions
    from qcdriver.io.cif.unit_cell import UnitCell

_TERMINAL = ("H", "F", "Cl", "Br", "I", "O")
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
    made_by
        The first operator that makes each image.
    made
        The image that each operator makes, (noperators,).
    """

    sites: tuple[int, ...]
    occupancy: float
    images: tuple[frozenset[int], ...]
    made_by: tuple[int, ...]
    made: tuple[int, ...]


def find_fragments(
    cell: UnitCell, pairs: Pairs, exclusions: Exclusions, partial: np.ndarray, kept: np.ndarray
) -> list[Fragment]:
    """Grow fragments along bonds between sites of one kind; a group about a symmetry element also along contacts.

    Parameters
    ----------
    pairs
        Close pairs of atoms, without those in groups that were not chosen.
    partial, kept
        Sites that are not always there, and sites of the groups that were chosen, (nsites,).
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
    """List for each atom the atoms it may share a fragment with, their shifts, and the misfit of the bond length."""
    # By distance alone: a hydrogen may be nearer to an alternative than to the atom it belongs to.
    reach = bond_reach(cell.symbols)
    bonded = pairs.where(pairs.distance < reach[pairs.first] + reach[pairs.second])
    # Atoms on one ordered atom that are at bonding distance are alternatives, unless the file lists a small ring.
    as_listed = (cell.operator[bonded.first] == cell.operator[bonded.second]) & (bonded.shift == 0).all(axis=1)
    terminal = np.isin(cell.symbols, _TERMINAL)
    ring = as_listed & ~(terminal[bonded.first] & terminal[bonded.second])
    light = np.array([not is_metal(symbol) for symbol in cell.symbols])
    to_ordered = bonded.where((~partial[cell.site] & light)[bonded.second])
    bonded = bonded.where(ring | ~share_neighbour(bonded, to_ordered))
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
    number: dict[frozenset[int], int] = {}
    first: list[int] = []
    made = []
    for operator in range(len(cell.group)):
        image = frozenset(cell.image[sites, cell.group.product[operator, made_by]].tolist())
        if image not in number:
            number[image] = len(number)
            first.append(operator)
        made.append(number[image])
    return Fragment(tuple(sites), float(cell.sites.occupancy[sites].mean()), tuple(number), tuple(first), tuple(made))
