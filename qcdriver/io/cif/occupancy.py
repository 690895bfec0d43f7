"""Choose a set of partly occupied atoms that can all be there at once.

Three things are settled here that no assembly of the file settles: alternatives without any flag, disorder about a
symmetry element (images of one fragment share a place), and the hydrogen that rides on an atom left out. What is chosen
or left out is a whole fragment, so no molecule mixes alternatives.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from qcdriver.io.cif.arrangement import Surroundings, arrange
from qcdriver.io.cif.clumps import Clump, Place
from qcdriver.io.cif.conflicts import Conflicts, Image, find_conflicts
from qcdriver.io.cif.disorder import Alternative, Choice
from qcdriver.io.cif.exclusions import find_exclusions, partly_there
from qcdriver.io.cif.fragments import Fragment, find_fragments
from qcdriver.io.cif.neighbours import Pairs, bond_reach, bonds
from qcdriver.io.cif.places import find_places

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qcdriver.io.cif.species import Species
    from qcdriver.io.cif.unit_cell import UnitCell

_MOSTLY_THERE, _NEARLY_ALWAYS = 0.49, 0.9


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
    """Images of a fragment that were taken.

    `share_a_place`: images about each place for each one taken. `place`: the first place that holds one.
    `rivals`: the other fragments that its first image excludes.
    """

    images: list[int]
    share_a_place: float
    place: int
    rivals: list[int]


def choose_occupants(
    cell: UnitCell, pairs: Pairs, keep_sites: np.ndarray, choices: list[Choice], species: Species
) -> Occupants:
    """Choose among partly occupied atoms.

    Parameters
    ----------
    pairs
        All pairs within bonding reach and within `exclusions.reach_of_overlaps`.
    keep_sites, choices
        What `disorder.choose_groups` decided.
    species
        The molecules that are likely, for choices that occupancies and distances leave open.
    """
    partial = partly_there(cell)
    presence = np.where(partial, _occupancy_of_place(cell), 1.0)
    assembly = np.full(len(cell.sites), -1)
    share = np.ones(len(cell.sites))
    number = {label: i for i, label in enumerate(cell.sites.labels)}
    for k, choice in enumerate(choices):
        members = [number[label] for label in choice.chosen.sites]
        assembly[members] = k
        share[members] = np.minimum(cell.sites.occupancy[members] / choice.chosen.occupancy, 1.0)
        presence[members] = choice.total_occupancy * share[members]
    occupants = Occupants(keep_sites[cell.site], presence, tuple(choices), ())
    if (partial & keep_sites).any():
        left = pairs.among(occupants.atoms)
        reach = bond_reach(cell.symbols)
        bonded = left.where(left.distance < reach[left.first] + reach[left.second])
        exclusions = find_exclusions(cell, left, partial, assembly, share, species)
        fragments = find_fragments(cell, left, exclusions, partial, keep_sites)
        conflicts = find_conflicts(cell, fragments, exclusions, partial)
        places, about_counts = find_places(cell, fragments, bonded, exclusions, conflicts, partial, presence, species)
        ordered = occupants.atoms & ~partial[cell.site]
        chosen, ambiguous = _arrange_all(places, fragments, conflicts, Surroundings(cell, bonded, ordered))
        taken = _taken(chosen, fragments, conflicts)
        occupants = _outcome(cell, left, occupants, fragments, taken, partial)
        warnings = [*occupants.warnings, *about_counts, *(_ambiguity(cell, fragments, place) for place in ambiguous)]
        occupants = replace(occupants, warnings=tuple(warnings))
    return replace(occupants, atoms=occupants.atoms & ~_orphans(cell, pairs, occupants.atoms))


def _occupancy_of_place(cell: UnitCell) -> np.ndarray:
    """How often each site is there, (nsites,); 1/order on a symmetry element of that order is meant as always.

    Some programs write it so.
    """
    occupancy = cell.sites.occupancy
    order = len(cell.group) / np.array([len(np.unique(row)) for row in cell.image])
    shared = (order > 1) & (np.abs(occupancy * order - 1) < 0.02)
    result: np.ndarray = np.where(shared, 1.0, occupancy)
    return result


def _orphans(cell: UnitCell, pairs: Pairs, kept: np.ndarray) -> np.ndarray:
    """Hydrogens whose only bonds were to atoms left out, (natoms,)."""
    # Bonds are looked for anew among what is kept: to an alternative, a hydrogen may be nearer than to its own atom.
    bound, still_bound = np.zeros(len(cell), dtype=bool), np.zeros(len(cell), dtype=bool)
    bound[bonds(pairs, cell.symbols).first] = True
    still_bound[bonds(pairs.among(kept), cell.symbols).first] = True
    orphans: np.ndarray = (cell.symbols == "H") & bound & ~still_bound
    return orphans


def _arrange_all(
    places: list[Place], fragments: list[Fragment], conflicts: Conflicts, around: Surroundings
) -> tuple[list[dict[Clump, tuple[Image, ...]]], list[Place]]:
    """Choose for each place; places related by symmetry get related choices, by the first operator that relates them.

    Returns
    -------
    tuple
        For each place the images of its clumps, and the places whose arrangement is a guess.
    """
    cell = around.cell
    place_of = {image: n for n, place in enumerate(places) for image in place.images}
    result: list[dict[Clump, tuple[Image, ...]] | None] = [None] * len(places)
    ambiguous = []
    always = around.always.copy()
    # What leaves no choice comes first: the rest is arranged around it.
    order = sorted(range(len(places)), key=lambda n: any(c.leaves_a_choice for c in places[n].clumps))
    for n in order:
        if result[n] is not None:
            continue
        arrangement = arrange(places[n], fragments, conflicts, replace(around, always=always))
        if arrangement.ambiguous:
            ambiguous.append(places[n])
        chosen = {x for images in arrangement.chosen for x in images}
        for operator in range(len(cell.group)):
            moved = {x: _moved(x, operator, fragments, cell) for x in places[n].images}
            there = place_of[next(iter(moved.values()))]
            if result[there] is None and places[there].images == set(moved.values()):
                kept = {moved[x] for x in chosen}
                result[there] = {c: tuple(x for x in c.images if x in kept) for c in places[there].clumps}
                for x in kept:
                    always[list(fragments[x.fragment].images[x.image])] = True
    return [one or {} for one in result], ambiguous


def _moved(x: Image, operator: int, fragments: list[Fragment], cell: UnitCell) -> Image:
    fragment = fragments[x.fragment]
    return Image(x.fragment, fragment.made[cell.group.product[operator, fragment.made_by[x.image]]])


def _taken(
    chosen: list[dict[Clump, tuple[Image, ...]]],
    fragments: list[Fragment],
    conflicts: Conflicts,
) -> list[_Taken | None]:
    """Collect the choices of all places by fragment."""
    images: dict[int, list[int]] = defaultdict(list)
    first: dict[int, tuple[float, int]] = {}
    for n, of_place in enumerate(chosen):
        for clump, some in of_place.items():
            if some:
                images[clump.fragment] += [x.image for x in some]
                first.setdefault(clump.fragment, (len(clump.images) / len(some), n))
    found: list[_Taken | None] = []
    for number in range(len(fragments)):
        if number not in first:
            found.append(None)
            continue
        mine = sorted(images[number])
        rivals = {x.fragment for x in conflicts.excluded.get(Image(number, mine[0]), ())} - {number}
        found.append(_Taken(mine, *first[number], sorted(rivals)))
    return found


def _outcome(
    cell: UnitCell,
    pairs: Pairs,
    before: Occupants,
    fragments: list[Fragment],
    taken: list[_Taken | None],
    partial: np.ndarray,
) -> Occupants:
    """Keep what was taken, unless it is mostly not there on a molecule that is; record what was chosen."""
    ordered = before.atoms & ~partial[cell.site]
    atoms, presence = ordered.copy(), before.presence.copy()
    choices, warnings = list(before.choices), []
    beaten = {number for one in taken if one for number in one.rivals}
    alike: dict[tuple[float, int, float], list[int]] = defaultdict(list)
    for number, (fragment, one) in enumerate(zip(fragments, taken, strict=True)):
        labels = _labels(cell, fragment.sites)
        if one is None:
            if number not in beaten:
                warnings.append(f"{_short(labels)} left out: on top of atoms that are always there")
            continue
        lost = [fragments[n] for n in one.rivals if taken[n] is None]
        sites = list(fragment.sites)
        presence[sites] = np.minimum(presence[sites] * one.share_a_place + sum(f.occupancy for f in lost), 1.0)
        here = np.array(sorted({atom for k in one.images for atom in fragment.images[k]}))
        share = float(presence[sites].mean())
        if share < _MOSTLY_THERE and _bound(cell, pairs, here, ordered):
            warnings.append(f"{_short(labels)} left out: there only {100 * share:.0f} % of the time")
            continue
        if one.share_a_place == 1 and share < _NEARLY_ALWAYS and _bound(cell, pairs, here, ordered):
            often = f"{100 * share:.0f} % of the time"
            warnings.append(f"{_short(labels)} taken, though there only {often} on a molecule that always is")
        atoms[here] = True
        if lost:
            choices.append(_choice(cell, fragment.sites, fragment.occupancy, one.share_a_place, lost))
        elif one.share_a_place > 1:
            alike[one.share_a_place, one.place, round(fragment.occupancy, 2)].append(number)
    for (share_a_place, _, _), numbers in alike.items():
        sites = sorted(site for n in numbers for site in fragments[n].sites)
        choices.append(_choice(cell, sites, fragments[numbers[0]].occupancy, share_a_place, []))
    return Occupants(atoms, presence, tuple(choices), tuple(warnings))


def _choice(
    cell: UnitCell, sites: Sequence[int], occupancy: float, share_a_place: float, lost: list[Fragment]
) -> Choice:
    """Record what a fragment was chosen against: other images of its own, other fragments."""
    labels = _labels(cell, sites)
    images = [Alternative(f"image {k + 1}", occupancy, labels) for k in range(1, round(share_a_place))]
    if share_a_place > 1 and abs(share_a_place - round(share_a_place)) > 0.01:
        images = [Alternative("other images", occupancy * (share_a_place - 1), labels)]
    return Choice(
        assembly=labels[0],
        chosen=Alternative("image 1" if images else labels[0], occupancy, labels),
        left_out=(
            *images,
            *(Alternative(_labels(cell, f.sites)[0], f.occupancy, _labels(cell, f.sites)) for f in lost),
        ),
    )


def _ambiguity(cell: UnitCell, fragments: list[Fragment], place: Place) -> str:
    sites = {site for c in place.clumps if c.leaves_a_choice for site in fragments[c.fragment].sites}
    return (
        f"{_short(_labels(cell, sorted(sites)))}: the occupancies allow several arrangements of the images; "
        "the one nearest to the file's own list was taken"
    )


def _bound(cell: UnitCell, pairs: Pairs, atoms: np.ndarray, others: np.ndarray) -> bool:
    found = bonds(pairs, cell.symbols)
    return bool((np.isin(found.first, atoms) & others[found.second]).any())


def _labels(cell: UnitCell, sites: Sequence[int]) -> tuple[str, ...]:
    return tuple(cell.sites.labels[i] for i in sites)


def _short(labels: tuple[str, ...]) -> str:
    return ", ".join(labels[:6]) + (f" and {len(labels) - 6} more" if len(labels) > 6 else "")
