"""Names for the atoms of a conformer's core, as rows of a table need them.

The family of a known cluster names its sites: apex, base, ring. In any other cluster, and for other atoms, a name is
the element, with a letter where symmetry makes several orbits of it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from string import ascii_lowercase

import numpy as np

from qcdriver.geometry.symmetry import Symmetry, atom_orbits
from qcdriver.geometry.topology import Topology
from qcdriver.models.molecule import Molecule
from qcdriver.systems.base import Recognised


@dataclass(frozen=True)
class Sites:
    """What the atoms of a core are called.

    Attributes
    ----------
    names
        By atom.
    parts
        The part of the core that an atom belongs to, by atom; empty where the family has no parts.
    between
        What a bond between two parts is called.
    """

    names: dict[int, str]
    parts: dict[int, str]
    between: str


def name_sites(molecule: Molecule, topology: Topology, symmetry: Symmetry, known: Recognised | None = None) -> Sites:
    """Name the atoms of the core.

    A hydride or halide that does not follow the symmetry, and has no name in its family, is named after the nearest
    metal atom.
    """
    names = _by_orbit(molecule, topology, symmetry)
    if known:
        names |= known.family.site_names(known.found)
    for atom in topology.wanderers:
        if atom not in names:
            metal = topology.metals[_nearest(molecule, atom, topology.metals)]
            names[atom] = f"{molecule.symbols[atom]} on {names[metal]}"
    if known is None:
        return Sites(names, {}, "")
    return Sites(names, known.family.site_parts(known.found), known.family.between_parts)


def _by_orbit(molecule: Molecule, topology: Topology, symmetry: Symmetry) -> dict[int, str]:
    lone = {donor for donor, count in Counter(donor for _, donor in topology.donor_bonds).items() if count == 1}
    orbits: dict[str, list[tuple[int, ...]]] = {}
    for orbit in atom_orbits(symmetry):
        orbits.setdefault(molecule.symbols[orbit[0]], []).append(orbit)
    names: dict[int, str] = {}
    for symbol, of_element in orbits.items():
        for place, orbit in enumerate(of_element):
            # A donor on one metal is told by that metal.
            told = len(of_element) == 1 or set(orbit) <= lone
            names |= dict.fromkeys(orbit, symbol if told else f"{symbol} {_letters(place)}")
    return names


def _letters(place: int) -> str:
    more, last = divmod(place, 26)
    return (_letters(more - 1) if more else "") + ascii_lowercase[last]


def _nearest(molecule: Molecule, atom: int, others: tuple[int, ...]) -> int:
    return int(np.argmin(np.linalg.norm(molecule.geometry[list(others)] - molecule.geometry[atom], axis=1)))
