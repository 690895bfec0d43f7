"""Find how many images of a fragment are there about one place.

One rule covers disorder about symmetry elements: of n images about one place, round(n x occupancy / presence) are
there, where the presence is that of the atoms the fragment is bonded to. Half a fluorine with two images on a boron is
there once; three arms at 0.85 on a carbon at 0.85 are all there.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from qcdriver.io.cif.exclusions import SUM_TOLERANCE

if TYPE_CHECKING:
    from qcdriver.io.cif.clumps import Place
    from qcdriver.io.cif.exclusions import Exclusions
    from qcdriver.io.cif.fragments import Fragment
    from qcdriver.io.cif.neighbours import Pairs
    from qcdriver.io.cif.species import Species
    from qcdriver.io.cif.unit_cell import UnitCell

_ALL = 0.8
"""A fragment there more often than this share of what it is bonded to is there in all its images."""
_UNDECIDED = 0.15  # of one half: 1.4 and 1.6 images may be one or two
_ON_TOP_ANGSTROM = 0.4
_MOST_ATOMS = 400  # of a molecule that is looked at to decide a number
_MOST_NUMBERS = 64


def presence_with_alternatives(cell: UnitCell, exclusions: Exclusions, presence: np.ndarray) -> np.ndarray:
    """How often each site or an unflagged alternative of it is there, (nsites,).

    Alternatives are known by different occupancies that add up to one, or as two elements on one place.
    """
    pairs = exclusions.always
    i, j = cell.site[pairs.first], cell.site[pairs.second]
    occupancy = cell.sites.occupancy
    sums = occupancy[i] + occupancy[j]
    differ = np.abs(occupancy[i] - occupancy[j]) > SUM_TOLERANCE
    complement = differ & (np.abs(sums - 1) < SUM_TOLERANCE)
    symbols = cell.symbols
    mixed = (symbols[pairs.first] != symbols[pairs.second]) & (pairs.distance < _ON_TOP_ANGSTROM)
    alternatives = (exclusions.kind[i] != exclusions.kind[j]) & (complement | mixed)
    result = presence.copy()
    np.maximum.at(result, i[alternatives], np.minimum(sums[alternatives], 1.0))
    return result


def expected_count(n_images: int, presence: float, presence_of_parent: float | None) -> float:
    """How many images of a fragment are there on average, when what it is bonded to is there.

    Parameters
    ----------
    presence, presence_of_parent
        How often the fragment is there, and the atom it is bonded to; None when it is bonded to nothing else.
    """
    share = presence / (presence_of_parent or 1.0)
    return float(n_images if n_images == 1 or share > _ALL else n_images * share)


def possible_counts(
    cell: UnitCell,
    images: list[frozenset[int]],
    expected: float,
    bonded_elsewhere: bool,
    conflict: bool,
    species: Species,
) -> tuple[int, ...]:
    """Find how many images of a fragment are there together, the likeliest number first.

    Parameters
    ----------
    images
        The atoms of each image about the place.
    expected
        From `expected_count`.
    bonded_elsewhere
        Whether the fragment is bonded to other atoms.
    conflict
        Whether some of the images exclude each other.
    species
        Decides where a fragment is bonded to nothing that could.
    """
    n = len(images)
    nearest = max(1, round(expected))
    if nearest == n:
        return (n,)
    if not bonded_elsewhere:
        # Nothing tells whether the images are parts of one molecule that is not always there, or alternatives.
        if conflict or _likelihood(cell, images[:nearest], species) > _likelihood(cell, images, species):
            return (nearest,)
        return (n,)
    if expected > 1 and abs(expected % 1 - 0.5) < _UNDECIDED:
        return (nearest, int(expected) if nearest > expected else int(expected) + 1)
    return (nearest,)


def decide_counts(
    cell: UnitCell, place: Place, fragments: list[Fragment], bonded: Pairs, partial: np.ndarray, species: Species
) -> tuple[Place, str]:
    """Choose between possible counts by the molecule that they give.

    Returns
    -------
    tuple
        The place with one count for each clump, and what to warn of where the choice remains a guess.
    """
    open_clumps = [clump for clump in place.clumps if len(clump.counts) > 1]
    if not open_clumps:
        return place, ""
    around = _always_there(cell, place, fragments, bonded, partial)

    def likelihood(counts: tuple[int, ...]) -> int:
        atoms = Counter(around)
        for clump, count in zip(place.clumps, counts, strict=True):
            for site in fragments[clump.fragment].sites:
                atoms[cell.sites.symbols[site]] += count
        return species.likelihood(atoms)

    options = [
        counts for counts, _ in zip(product(*(c.counts for c in place.clumps)), range(_MOST_NUMBERS), strict=False)
    ]
    best = max(options, key=likelihood)
    decided = replace(place, clumps=tuple(replace(c, counts=(n,)) for c, n in zip(place.clumps, best, strict=True)))
    if likelihood(best) > 0:
        return decided, ""
    labels = [cell.sites.labels[site] for clump in open_clumps for site in fragments[clump.fragment].sites]
    some = ", ".join(labels[:6]) + (" ..." if len(labels) > 6 else "")
    return decided, (
        f"{some}: the occupancy does not tell how many of {len(open_clumps[0].images)} images are there; "
        f"{open_clumps[0].counts[0]} were taken"
    )


def _always_there(
    cell: UnitCell, place: Place, fragments: list[Fragment], bonded: Pairs, partial: np.ndarray
) -> Counter[str]:
    """Count the atoms, always there, of the molecule that the fragments of a place are bonded to."""
    atoms = [atom for x in place.images for atom in fragments[x.fragment].images[x.image]]
    always = ~partial[cell.site]
    seen: set[int] = set()
    queue = [*atoms]
    for atom in queue:
        if len(seen) > _MOST_ATOMS:
            break
        near = bonded.second[(bonded.first == atom)]
        new = {int(b) for b in near[always[near]]} - seen
        seen |= new
        queue += sorted(new)
    return Counter(cell.symbols[sorted(seen)].tolist())


def _likelihood(cell: UnitCell, images: list[frozenset[int]], species: Species) -> int:
    atoms = frozenset[int]().union(*images)
    return species.likelihood(Counter(cell.symbols[sorted(atoms)].tolist()))
