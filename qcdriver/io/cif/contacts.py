"""Find the closest contacts of each molecule of a crystal with its neighbours, and the operators that make them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from qcdriver.io.cif.copies import operations
from qcdriver.io.cif.neighbours import close_pairs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qcdriver.io.cif.assembly import Whole
    from qcdriver.io.cif.unit_cell import UnitCell

_BEYOND_ANGSTROM = 0.2  # contacts up to the van der Waals sum plus this


@dataclass(frozen=True)
class Contact:
    """The closest approach of two molecules.

    Attributes
    ----------
    label, neighbour
        Labels of the two molecules.
    operator
        Moves molecule `neighbour` from the place it is listed at to where it touches ("-x+1,-y,z").
    atoms
        Site labels of the two atoms closest to each other, relative to their van der Waals radii.
    distance_angstrom
        Between them.
    van_der_waals_angstrom
        Sum of their radii.
    n_contacts
        Pairs of atoms within that sum plus 0.2 Angstrom.
    """

    label: str
    neighbour: str
    operator: str
    atoms: tuple[str, str]
    distance_angstrom: float
    van_der_waals_angstrom: float
    n_contacts: int


def find_contacts(
    cell: UnitCell, kept: np.ndarray, kinds: Sequence[Sequence[Whole]], labels: Sequence[str]
) -> tuple[Contact, ...]:
    """List the neighbours of the first molecule of each kind, closest first."""
    import gemmi

    radius = np.array([gemmi.Element(s).vdw_r for s in cell.sites.symbols])[cell.site]
    pairs = close_pairs(cell, np.where(kept, radius + _BEYOND_ANGSTROM / 2, 0.0)).among(kept)
    order = np.argsort(pairs.first, kind="stable")
    begin = np.searchsorted(pairs.first[order], np.arange(len(cell) + 1))

    owner = np.full(len(cell), -1)
    shift = np.zeros((len(cell), 3), dtype=int)
    molecules = [(kind, molecule) for kind, copies in enumerate(kinds) for molecule in copies]
    for number, (_, molecule) in enumerate(molecules):
        owner[molecule.atoms] = number
        shift[molecule.atoms] = molecule.shift

    found = []
    for kind, copies in enumerate(kinds):
        touching: dict[tuple[int, int, int, int], list[tuple[float, int]]] = defaultdict(list)
        for atom in copies[0].atoms.tolist():
            for pair in order[begin[atom] : begin[atom + 1]].tolist():
                other = int(pairs.second[pair])
                a, b, c = (shift[atom] + pairs.shift[pair] - shift[other]).tolist()
                gap = float(pairs.distance[pair] - radius[atom] - radius[other])
                touching[int(owner[other]), a, b, c].append((gap, pair))
        own = next(n for n, (k, _) in enumerate(molecules) if k == kind)
        touching.pop((own, 0, 0, 0), None)
        for (number, a, b, c), contacts in touching.items():
            gap, pair = min(contacts)
            first, second = int(pairs.first[pair]), int(pairs.second[pair])
            other_kind, molecule = molecules[number]
            operator, step = operations(cell, kinds[other_kind][0], molecule)[0]
            found.append(
                Contact(
                    label=labels[kind],
                    neighbour=labels[other_kind],
                    operator=cell.group.triplet(operator, np.array(step) + (a, b, c)),
                    atoms=(cell.sites.labels[cell.site[first]], cell.sites.labels[cell.site[second]]),
                    distance_angstrom=float(pairs.distance[pair]),
                    van_der_waals_angstrom=float(radius[first] + radius[second]),
                    n_contacts=len(contacts),
                )
            )
    rank = {label: n for n, label in enumerate(labels)}
    return tuple(
        sorted(found, key=lambda c: (rank[c.label], c.distance_angstrom - c.van_der_waals_angstrom, c.operator))
    )
