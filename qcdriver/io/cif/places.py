"""Find the places of a crystal that partly occupied fragments share, and how many fragments each place holds."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from qcdriver.io.cif.clumps import Clump, Place
from qcdriver.io.cif.conflicts import Conflicts, Image, images_by_atom
from qcdriver.io.cif.counts import decide_counts, expected_count, possible_counts, presence_with_alternatives
from qcdriver.io.cif.disjoint_sets import DisjointSets
from qcdriver.io.cif.exclusions import SUM_TOLERANCE

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np

    from qcdriver.io.cif.exclusions import Exclusions
    from qcdriver.io.cif.fragments import Fragment
    from qcdriver.io.cif.neighbours import Pairs
    from qcdriver.io.cif.species import Species
    from qcdriver.io.cif.unit_cell import UnitCell


def find_places(
    cell: UnitCell,
    fragments: list[Fragment],
    bonded: Pairs,
    exclusions: Exclusions,
    conflicts: Conflicts,
    partial: np.ndarray,
    presence: np.ndarray,
    species: Species,
) -> tuple[list[Place], list[str]]:
    """Sort the images of all fragments into places.

    Parameters
    ----------
    bonded
        Pairs at bonding distance, between the atoms left to choose from.
    partial, presence
        Sites that are not always there, and how often each is, (nsites,).
    species
        The molecules that are likely: they decide on the number of images where the occupancies do not.

    Returns
    -------
    tuple
        The places, and warnings of numbers that remain a guess.
    """
    often = presence_with_alternatives(cell, exclusions, presence)
    parents = _parents(cell, fragments, bonded, exclusions, often)
    presence_of_parent: dict[int, float] = {}
    for parent, images in parents.items():
        for x in images:
            presence_of_parent[x.fragment] = max(presence_of_parent.get(x.fragment, 0), often[cell.site[parent]])
    clumps = []
    for clump_images in _images_about_one_place(fragments, bonded, conflicts, parents):
        number = clump_images[0].fragment
        inside = set(clump_images)
        presence_here = float(often[list(fragments[number].sites)].max())
        expected = expected_count(len(clump_images), presence_here, presence_of_parent.get(number))
        counts = possible_counts(
            cell,
            [fragments[number].images[x.image] for x in clump_images],
            expected,
            number in presence_of_parent,
            any(conflicts.excluded.get(x, set()) & inside for x in clump_images),
            species,
        )
        clumps.append(Clump(tuple(clump_images), counts, expected))
    places, warnings = [], []
    for place in _linked(clumps, conflicts, parents, fragments):
        decided, warning = decide_counts(cell, place, fragments, bonded, partial, species)
        places.append(decided)
        warnings += [warning] * bool(warning)
    return places, list(dict.fromkeys(warnings))


def _images_about_one_place(
    fragments: list[Fragment], bonded: Pairs, conflicts: Conflicts, parents: dict[int, list[Image]]
) -> list[list[Image]]:
    """Sort the images of each fragment by place: near are those in conflict, or bonded to each other or to one atom."""
    holders = images_by_atom(fragments)
    together: DisjointSets[Image] = DisjointSets()
    for x, others in conflicts.excluded.items():
        together.join([x, *(y for y in others if y.fragment == x.fragment)])
    for a, b in zip(bonded.first.tolist(), bonded.second.tolist(), strict=True):
        for x in holders.get(a, ()):
            together.join([x, *(y for y in holders.get(b, ()) if y.fragment == x.fragment)])
    for images in (*holders.values(), *parents.values()):
        _join_by_fragment(together, images)
    return together.sets(Image(n, k) for n, fragment in enumerate(fragments) for k in range(len(fragment.images)))


def _parents(
    cell: UnitCell, fragments: list[Fragment], bonded: Pairs, exclusions: Exclusions, often: np.ndarray
) -> dict[int, list[Image]]:
    """List for each atom the images that are bonded to it and there at most as often as it is."""
    holders = images_by_atom(fragments)
    never = set(zip(exclusions.always.first.tolist(), exclusions.always.second.tolist(), strict=True))
    symbols = cell.symbols
    found: dict[int, list[Image]] = defaultdict(list)
    for parent, atom in zip(bonded.first.tolist(), bonded.second.tolist(), strict=True):
        if symbols[parent] == "H" or (parent, atom) in never:
            continue
        if often[cell.site[parent]] < often[cell.site[atom]] - SUM_TOLERANCE:
            continue
        own = {x.fragment for x in holders.get(parent, ())}
        found[parent] += [x for x in holders.get(atom, ()) if x.fragment not in own]
    return found


def _linked(
    clumps: list[Clump], conflicts: Conflicts, parents: dict[int, list[Image]], fragments: list[Fragment]
) -> list[Place]:
    """Join clumps to places: those in conflict, and those that leave a choice and are bonded to one atom."""
    clump_of = {image: n for n, clump in enumerate(clumps) for image in clump.images}
    places: DisjointSets[int] = DisjointSets()
    for x, others in conflicts.excluded.items():
        places.join([clump_of[x], *(clump_of[y] for y in others)])
    for images in parents.values():
        places.join([n for n in sorted({clump_of[x] for x in images}) if clumps[n].leaves_a_choice])

    def rank(clump: Clump) -> tuple[float, int, int]:
        fragment = fragments[clump.fragment]
        return -round(fragment.occupancy, 2), -len(fragment.sites), clump.fragment

    return [Place(tuple(sorted((clumps[n] for n in part), key=rank))) for part in places.sets(range(len(clumps)))]


def _join_by_fragment(together: DisjointSets[Image], images: Iterable[Image]) -> None:
    of_fragment: dict[int, list[Image]] = defaultdict(list)
    for x in images:
        of_fragment[x.fragment].append(x)
    for mine in of_fragment.values():
        together.join(mine)
