"""A conformer in, how chiral its parts are out, each with the sign that tells the hands apart."""

from __future__ import annotations

from typing import Literal

from qcdriver.comparison.sites import known_cu14, tetrahedron1
from qcdriver.schema import Frozen, Molecule
from qcdriver.structures.alignment import align
from qcdriver.structures.chirality import chiral_index, index_from_rmsd, signed_index
from qcdriver.structures.topology import find_topology
from qcdriver.units import ANGSTROM

ACHIRAL = 1e-7
"""A chiral index below this is none: positions given to a thousandth of an Angstrom reach it by rounding."""


class Chirality(Frozen):
    """How chiral a part of a structure is.

    Attributes
    ----------
    part
        "metal": all metal atoms. "tetrahedron 1": the ten Cu of the larger one, of Cu14. "S3": the three S of Cu14
        with the three base vertices of tetrahedron 1, against which their triangle is turned. "core": metals and
        what binds them. "all": every atom.
    chiral_index
        `qcdriver.structures.chirality.chiral_index`: 0 achiral, at most 1, the same for both hands.
    hand
        Sign of `qcdriver.structures.chirality.signed_index`, opposite for mirror images, a convention; None for an
        achiral part. For "all" it is that of the core: the index itself needs the fourth power of the atoms.
    """

    part: str
    chiral_index: float
    hand: Literal["+", "-"] | None


def measure_chirality(molecule: Molecule) -> tuple[Chirality, ...]:
    """Measure the metal, for Cu14 its two sources of chirality, the core, and all atoms."""
    topology = find_topology(molecule)
    parts: dict[str, tuple[int, ...]] = {"metal": topology.metals}
    cluster = known_cu14(molecule)
    if cluster:
        parts["tetrahedron 1"] = tetrahedron1(cluster)
        parts["S3"] = (*cluster.sulfurs, *cluster.base1)
    parts["core"] = topology.core
    measured = [_measured(molecule, part, atoms) for part, atoms in parts.items()]
    mirror_rmsd = align(molecule, molecule, improper=True).rmsd_angstrom / ANGSTROM
    index = index_from_rmsd(mirror_rmsd, molecule.geometry)
    hand = measured[-1].hand if index > ACHIRAL else None
    return (*measured, Chirality(part="all", chiral_index=index, hand=hand))


def _measured(molecule: Molecule, part: str, atoms: tuple[int, ...]) -> Chirality:
    positions = molecule.geometry[list(atoms)]
    index = chiral_index(positions, [molecule.symbols[atom] for atom in atoms])
    if index < ACHIRAL:
        return Chirality(part=part, chiral_index=index, hand=None)
    return Chirality(part=part, chiral_index=index, hand="+" if signed_index(positions) > 0 else "-")
