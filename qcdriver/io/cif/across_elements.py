"""Mix alternatives within a molecule about a symmetry element: toluene about a centre has its methyl at one end.

A choice among alternatives is made once for all images. Where images of what was chosen hang on one molecule that is
always there, n x occupancy of them are there, and in the places of the others what they are the alternative to. Whether
the images are there together all the same, as two disordered arms of one cluster are, follows from what comes out: only
a molecule that the file names, or that is known, is mixed. What may be another molecule of other elements is said.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from qcdriver.io.cif.disjoint_sets import DisjointSets
from qcdriver.io.cif.exclusions import SUM_TOLERANCE, partly_there
from qcdriver.io.cif.formula import hill
from qcdriver.io.cif.neighbours import bond_reach, bonds, covalent_radii

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from qcdriver.io.cif.neighbours import Pairs
    from qcdriver.io.cif.occupancy import Occupants
    from qcdriver.io.cif.species import Species
    from qcdriver.io.cif.unit_cell import UnitCell

_WHOLE_NUMBER = 0.15
"""Of images, by which n x occupancy may miss a whole number."""
_TOO_NEAR = 0.7
"""Times the sum of covalent radii: nearer, two atoms are not both there."""


@dataclass(frozen=True)
class _Piece:
    """Partly occupied atoms of a molecule that hang on one of its atoms, which is always there."""

    atoms: frozenset[int]
    anchor: int


def mixed_across_elements(cell: UnitCell, pairs: Pairs, occupants: Occupants, species: Species) -> Occupants:
    """Replace images of a chosen alternative by the other alternative, where that makes a molecule that is likelier.

    Parameters
    ----------
    pairs
        All pairs within bonding reach, of all groups.
    occupants
        What was chosen, the same for all images.
    species
        The molecules that are likely.
    """
    partial = partly_there(cell)[cell.site]
    if not (partial & occupants.atoms).any() or not (partial & ~occupants.atoms).any():
        return occupants
    atoms, told = occupants.atoms.copy(), []
    for molecule in _molecules(cell, pairs, occupants.atoms):
        for images in _equal_pieces(cell, pairs, occupants.atoms, partial, molecule):
            expected = len(images) * _occupancy(cell, images[0])
            number = round(expected)
            dropped = images[number:] if number else []
            added = _alternatives(cell, pairs, atoms, partial, dropped)
            gone = frozenset[int]().union(*(piece.atoms for piece in dropped))
            mixed = (molecule - gone) | added
            if not added or not _may_be(cell, molecule, mixed, species):
                continue
            if abs(expected - number) >= _WHOLE_NUMBER or not species.likelihood(_composition(cell, mixed)):
                told.append(
                    f"{_labels(cell, gone)}: all {len(images)} images in one molecule were taken, where the occupancy "
                    f"says {expected:.1f}; with {_labels(cell, added)} in place of {len(dropped)} of them it is "
                    f"{hill(_composition(cell, mixed))}"
                )
                continue
            atoms[sorted(gone)], atoms[sorted(added)] = False, True
            told.append(
                f"{_labels(cell, gone)}: {len(images) - len(dropped)} of {len(images)} images in one molecule were "
                f"taken, and {_labels(cell, added)} in place of the other{'s' * (len(dropped) > 1)}"
            )
    told += _elements_on_one_site(cell, occupants, atoms, pairs)
    return replace(occupants, atoms=atoms, warnings=(*occupants.warnings, *dict.fromkeys(told)))


def _labels(cell: UnitCell, atoms: frozenset[int]) -> str:
    return ", ".join(sorted({cell.sites.labels[site] for site in cell.site[sorted(atoms)]}))


def _composition(cell: UnitCell, atoms: Iterable[int]) -> Counter[str]:
    return Counter(cell.symbols[sorted(atoms)].tolist())


def _molecules(cell: UnitCell, pairs: Pairs, kept: np.ndarray) -> list[frozenset[int]]:
    bonded = bonds(pairs.among(kept), cell.symbols)
    together: DisjointSets[int] = DisjointSets()
    for a, b in zip(bonded.first.tolist(), bonded.second.tolist(), strict=True):
        together.join([a, b])
    return [frozenset(part) for part in together.sets(np.flatnonzero(kept).tolist())]


def _equal_pieces(
    cell: UnitCell, pairs: Pairs, kept: np.ndarray, partial: np.ndarray, molecule: frozenset[int]
) -> list[list[_Piece]]:
    """Find the pieces of a molecule that are images of each other; the one that the file lists comes first."""
    inside = np.zeros(len(cell), dtype=bool)
    inside[sorted(molecule)] = True
    bonded = bonds(pairs.among(kept & inside), cell.symbols)
    together: DisjointSets[int] = DisjointSets()
    neighbours: dict[int, set[int]] = defaultdict(set)
    for a, b in zip(bonded.first.tolist(), bonded.second.tolist(), strict=True):
        neighbours[a].add(b)
        if partial[a] and partial[b]:
            together.join([a, b])
    found: dict[tuple[int, ...], list[_Piece]] = defaultdict(list)
    for part in together.sets(np.flatnonzero(inside & partial).tolist()):
        anchors = {b for a in part for b in neighbours[a]} - set(part)
        if len(anchors) == 1:
            sites = tuple(sorted(cell.site[sorted(part)].tolist()))
            found[sites].append(_Piece(frozenset(part), anchors.pop()))
    alike = [sorted(pieces, key=lambda piece: _operators(cell, piece)) for pieces in found.values()]
    return [pieces for pieces in alike if len(pieces) > 1]


def _operators(cell: UnitCell, piece: _Piece) -> list[int]:
    return sorted(cell.operator[sorted(piece.atoms)].tolist())


def _occupancy(cell: UnitCell, piece: _Piece) -> float:
    return float(np.median(cell.sites.occupancy[cell.site[sorted(piece.atoms)]]))


def _alternatives(
    cell: UnitCell, pairs: Pairs, kept: np.ndarray, partial: np.ndarray, dropped: Sequence[_Piece]
) -> frozenset[int]:
    """Return the atoms that are there where these pieces are not; none where one of them has no alternative."""
    gone = {atom for piece in dropped for atom in piece.atoms}
    reach, radii = bond_reach(cell.symbols), covalent_radii(cell.symbols)
    left_out = partial & ~kept
    near: dict[int, list[tuple[int, bool]]] = defaultdict(list)
    for a, b, distance in zip(pairs.first.tolist(), pairs.second.tolist(), pairs.distance.tolist(), strict=True):
        if distance < reach[a] + reach[b]:
            near[a].append((b, distance < _TOO_NEAR * (radii[a] + radii[b])))
    occupancy = cell.sites.occupancy[cell.site]
    found: set[int] = set()
    for piece in dropped:
        rest = 1 - _occupancy(cell, piece)
        own: list[int] = []
        queue = [piece.anchor]
        for atom in queue:
            for other, overlaps in near[atom]:
                fits = left_out[other] and abs(occupancy[other] - rest) < SUM_TOLERANCE and not overlaps
                if not fits or other in found or other in own:
                    continue
                there = {b for b, on_top in near[other] if on_top and (kept[b] or b in found or b in own)}
                if there <= gone:
                    own.append(other)
                    queue.append(other)
        if not own:
            return frozenset()
        found.update(own)
    return frozenset(found)


def _may_be(cell: UnitCell, before: frozenset[int], after: frozenset[int], species: Species) -> bool:
    """Tell whether a molecule is of other atoms than the one before, and named or known no worse.

    Of two molecules that nobody knows, hydrogens alone make no difference: often they are not in the file.
    """
    old, new = _composition(cell, before), _composition(cell, after)
    rank = species.likelihood(new)
    if rank == 0:
        old, new = (Counter({s: n for s, n in one.items() if s != "H"}) for one in (old, new))
    return old != new and rank >= species.likelihood(_composition(cell, before))


def _elements_on_one_site(cell: UnitCell, occupants: Occupants, atoms: np.ndarray, pairs: Pairs) -> Iterator[str]:
    """Say where one element was taken in several places of a molecule which it shares with another."""
    number = {label: site for site, label in enumerate(cell.sites.labels)}
    symbols = cell.sites.symbols
    molecules = _molecules(cell, pairs, atoms)
    for choice in occupants.choices:
        taken = [number[label] for label in choice.chosen.sites]
        others = [a for a in choice.left_out if len(a.sites) == len(taken) == 1 and a.sites != choice.chosen.sites]
        others = [a for a in others if symbols[number[a.sites[0]]] != symbols[taken[0]]]
        for molecule in molecules if others else ():
            count = int((cell.site[sorted(molecule)] == taken[0]).sum())
            if count > 1:
                rivals = ", ".join(f"{a.sites[0]} ({100 * a.occupancy:.0f} %)" for a in others)
                yield (
                    f"{choice.chosen.sites[0]} ({100 * choice.chosen.occupancy:.0f} %) was taken in all {count} of its "
                    f"places in {hill(_composition(cell, molecule))}, which it shares with {rivals}"
                )
