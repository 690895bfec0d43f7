"""Find the images of fragments that cannot be there together."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np

    from qcdriver.io.cif.exclusions import Exclusions
    from qcdriver.io.cif.fragments import Fragment
    from qcdriver.io.cif.unit_cell import UnitCell


class Image(NamedTuple):
    """One of the images of a fragment, both by number."""

    fragment: int
    image: int


@dataclass(frozen=True, eq=False)
class Conflicts:
    """Images that exclude each other.

    Attributes
    ----------
    excluded
        For each image those that cannot be there with it.
    clearly
        The same without slight overlaps.
    blocked
        Images on top of atoms that are always there.
    """

    excluded: dict[Image, set[Image]]
    clearly: dict[Image, set[Image]]
    blocked: frozenset[Image]


def images_by_atom(fragments: list[Fragment]) -> dict[int, list[Image]]:
    """List the images that hold each atom; atoms that are always there are in none."""
    holders: dict[int, list[Image]] = defaultdict(list)
    for number, fragment in enumerate(fragments):
        for image, atoms in enumerate(fragment.images):
            for atom in atoms:
                holders[atom].append(Image(number, image))
    return dict(holders)


def find_conflicts(cell: UnitCell, fragments: list[Fragment], exclusions: Exclusions, partial: np.ndarray) -> Conflicts:
    """Carry the exclusions of atoms over to the images of fragments.

    Parameters
    ----------
    partial
        Sites that are not always there, (nsites,).
    """
    holders = images_by_atom(fragments)
    slight = set(zip(exclusions.slight.first.tolist(), exclusions.slight.second.tolist(), strict=True))
    always_there = ~partial[cell.site]
    excluded: dict[Image, set[Image]] = defaultdict(set)
    clearly: dict[Image, set[Image]] = defaultdict(set)
    blocked: set[Image] = set()
    for pairs, of_one_fragment in ((exclusions.always, False), (exclusions.images, True)):
        for a, b in zip(pairs.first.tolist(), pairs.second.tolist(), strict=True):
            if always_there[b]:
                blocked.update(holders.get(a, ()))
            for x in holders.get(a, ()):
                others = {y for y in holders.get(b, ()) if x != y and (x.fragment == y.fragment or not of_one_fragment)}
                excluded[x] |= others
                if (a, b) not in slight:
                    clearly[x] |= others
    return Conflicts(dict(excluded), dict(clearly), frozenset(blocked))
