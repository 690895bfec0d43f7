"""A relaxed rod -> what tells its families apart: rotamer, bend, open contacts, how the belt binds."""

from __future__ import annotations

import numpy as np

from qcdriver.geometry.bonds import METAL_LOST, scaled_distances
from qcdriver.models.molecule import Molecule
from qcdriver.systems.au13ag12.atoms import Rod
from qcdriver.systems.au13ag12.measures import measure_rod
from qcdriver.systems.conformer_family import BoundName, Bounds, Trait, contact_trait

_BENT_DEG = 10.0
"""GFN1-xTB relaxes rods with PPh3 to bends of 3-6 deg, and folded ones to 12-18 deg."""
ROD_BOUNDS = Bounds(max_bend_deg=_BENT_DEG, allow_opened=0)
_AS_NAMED_DEG = 10.0
"""A rod is called E or S within this of 0 and 36 deg: `prescreen.max_drift_deg` lets an isomer turn as far."""


def rod_traits(molecule: Molecule, rod: Rod, bounds: Bounds) -> tuple[Trait, ...]:
    """Name a rod: E, S or twisted; straight or bent; its open contacts, if any; the modes of its belt."""
    measures = measure_rod(molecule)
    return (
        _rotamer(measures.folded_twist_deg),
        _bend(measures.bend_deg, bounds.max_bend_deg),
        *contact_trait(open_contacts(molecule, rod), 0, bounds),
        Trait(kind="belt", word=measures.belt),
    )


def open_contacts(molecule: Molecule, rod: Rod) -> int:
    """Count the open contacts of two icosahedra: of each, 12 from the centre and 30 edges.

    Contacts between the two change with the twist, and are not counted.
    """
    pairs = np.array([pair for end in (0, 1) for pair in _icosahedron(molecule, rod, end)])
    return int((scaled_distances(molecule, pairs) > METAL_LOST).sum())


def _icosahedron(molecule: Molecule, rod: Rod, end: int) -> list[tuple[int, int]]:
    gold, silver = rod.gold_rings[end], rod.silver_rings[end]
    pairs = [(rod.centres[end], vertex) for vertex in rod.vertices(end)]
    for ring, tip in ((gold, rod.apices[end]), (silver, rod.shared)):
        pairs += [(tip, atom) for atom in ring]
        pairs += list(zip(ring, (*ring[1:], ring[0]), strict=True))
    for atom in gold:
        near = np.linalg.norm(molecule.geometry[list(silver)] - molecule.geometry[atom], axis=1).argsort()[:2]
        pairs += [(atom, silver[place]) for place in near]
    return pairs


def _rotamer(folded_twist_deg: float) -> Trait:
    for word, place in (("E", 0.0), ("S", 36.0)):
        if abs(folded_twist_deg - place) <= _AS_NAMED_DEG:
            return Trait(kind="rotamer", word=word)
    return Trait(kind="rotamer", word="twisted", value=folded_twist_deg, unit="deg")


def _bend(bend_deg: float, limit_deg: float | None) -> Trait:
    beyond = limit_deg is not None and bend_deg > limit_deg
    if bend_deg <= _BENT_DEG and not beyond:
        return Trait(kind="bend", word="straight")
    bound: BoundName | None = "max_bend_deg" if beyond else None
    return Trait(kind="bend", word="bent", value=bend_deg, unit="deg", beyond=bound)
