"""Measure how chiral the parts of a conformer are, with the sign that tells the hands apart."""

from __future__ import annotations

from typing import Literal

from qcdriver.geometry.alignment import align
from qcdriver.geometry.chirality import chiral_index, index_from_rmsd, signed_index
from qcdriver.geometry.topology import find_topology
from qcdriver.models.base import Frozen
from qcdriver.models.molecule import Molecule
from qcdriver.systems.base import Recognised
from qcdriver.units import ANGSTROM

ACHIRAL = 1e-7
"""A chiral index below this is none: positions given to a thousandth of an Angstrom reach it by rounding."""


class Chirality(Frozen):
    """How chiral a part of a structure is.

    Attributes
    ----------
    part
        "metal": all metal atoms. "core": metals and what binds them. "all": every atom. Between them the parts that
        the family of the cluster names (`Family.chiral_parts`).
    chiral_index
        `qcdriver.geometry.chirality.chiral_index`: 0 achiral, at most 1, the same for both hands.
    hand
        Sign of `qcdriver.geometry.chirality.signed_index`, opposite for mirror images, a convention; None for an
        achiral part. For "all" it is that of the core: the index itself needs the fourth power of the atoms.
    """

    part: str
    chiral_index: float
    hand: Literal["+", "-"] | None


def measure_chirality(molecule: Molecule, known: Recognised | None) -> tuple[Chirality, ...]:
    """Measure the metal, the parts that the family of a known cluster names, the core, and all atoms."""
    topology = find_topology(molecule)
    of_family = known.family.chiral_parts(known.found) if known else {}
    parts = {"metal": topology.metals, **of_family, "core": topology.core}
    measured = [part_chirality(molecule, part, atoms) for part, atoms in parts.items()]
    mirror_rmsd = align(molecule, molecule, improper=True).rmsd_angstrom / ANGSTROM
    index = index_from_rmsd(mirror_rmsd, molecule.geometry)
    hand = measured[-1].hand if index > ACHIRAL else None
    return (*measured, Chirality(part="all", chiral_index=index, hand=hand))


def part_chirality(molecule: Molecule, part: str, atoms: tuple[int, ...]) -> Chirality:
    """Measure a set of atoms, given by index from 0, and call it `part`."""
    positions = molecule.geometry[list(atoms)]
    index = chiral_index(positions, [molecule.symbols[atom] for atom in atoms])
    if index < ACHIRAL:
        return Chirality(part=part, chiral_index=index, hand=None)
    return Chirality(part=part, chiral_index=index, hand="+" if signed_index(positions) > 0 else "-")
