"""A conformer in, a name for the place of each atom of its core out: apex, base, ring, ... where the cluster is known.

In any other cluster a name is the element, with a letter where symmetry makes several orbits of it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from string import ascii_lowercase

import numpy as np

from qcdriver.errors import InputError
from qcdriver.schema import Molecule
from qcdriver.structures.cu14 import Cu14, find_cu14
from qcdriver.structures.rod import Rod, find_rod
from qcdriver.structures.symmetry import Symmetry, atom_orbits
from qcdriver.structures.topology import Topology


@dataclass(frozen=True)
class Sites:
    """What the atoms of a core are called.

    Attributes
    ----------
    names
        By atom. In Cu14: apex1, base1 and apex2, base2, the vertices of the two tetrahedra; side and rim, the centres
        of the edges of tetrahedron 1 from its apex, and of its base. In the rod: apex, Au5, centre, Ag5, shared.
    parts
        Which tetrahedron a Cu belongs to; empty for other clusters.
    cu14, rod
        The known cluster, if it is one.
    """

    names: dict[int, str]
    parts: dict[int, str]
    cu14: Cu14 | None
    rod: Rod | None


def name_sites(molecule: Molecule, topology: Topology, symmetry: Symmetry) -> Sites:
    """Name the atoms of the core.

    A hydride or halide that does not follow the symmetry is named after the nearest metal atom.
    """
    cu14, rod = known_cu14(molecule), find_rod(molecule)
    names = _by_orbit(molecule, topology, symmetry)
    parts: dict[int, str] = {}
    if cu14:
        places = {
            "apex1": (cu14.apex1,),
            "base1": cu14.base1,
            "side": cu14.side_centres,
            "rim": cu14.base_centres,
            "apex2": (cu14.apex2,),
            "base2": cu14.base2,
        }
        names |= {atom: name for name, atoms in places.items() for atom in atoms}
        parts = dict.fromkeys(tetrahedron1(cu14), "tetrahedron 1")
        parts |= dict.fromkeys((cu14.apex2, *cu14.base2), "tetrahedron 2")
    if rod:
        names |= {rod.shared: "shared", **dict.fromkeys(rod.centres, "centre"), **dict.fromkeys(rod.apices, "apex")}
        names |= dict.fromkeys(rod.gold_rings[0] + rod.gold_rings[1], "Au5")
        names |= dict.fromkeys(rod.silver_rings[0] + rod.silver_rings[1], "Ag5")
        names |= dict.fromkeys(rod.belt_halides, "belt") | dict.fromkeys(rod.terminal_halides, "terminal")
    for atom in topology.wanderers:
        if atom not in names:
            metal = topology.metals[_nearest(molecule, atom, topology.metals)]
            names[atom] = f"{molecule.symbols[atom]} on {names[metal]}"
    return Sites(names, parts, cu14, rod)


def known_cu14(molecule: Molecule) -> Cu14 | None:
    """Find the Cu14 cube; None when the molecule holds none."""
    try:
        return find_cu14(molecule)
    except InputError:
        return None


def tetrahedron1(cluster: Cu14) -> tuple[int, ...]:
    """List the ten Cu of the larger tetrahedron: its vertices and the middles of its edges."""
    return (cluster.apex1, *cluster.base1, *cluster.side_centres, *cluster.base_centres)


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
