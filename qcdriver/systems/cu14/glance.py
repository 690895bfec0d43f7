"""A conformer of Cu14 at a glance: its hand, how chiral it is, its symmetry, and how its hydrides bind."""

from __future__ import annotations

from collections import Counter

from qcdriver.geometry.symmetry import common_symmetry
from qcdriver.geometry.topology import find_topology
from qcdriver.models.base import Frozen
from qcdriver.models.molecule import Molecule
from qcdriver.systems.comparison.chirality import part_chirality
from qcdriver.systems.comparison.orbits import bond_rows, largest_deviation
from qcdriver.systems.comparison.sites import name_sites
from qcdriver.systems.cu14.atoms import Cu14
from qcdriver.systems.cu14.binding import hydride_binding


class Cu14Glance(Frozen):
    """A Cu14 conformer at a glance; chirality as `qcdriver.systems.comparison.chirality` defines it, in percent.

    Attributes
    ----------
    hand
        "right" or "left".
    metal_percent, s3_percent
        Chiral index of the copper core, and of the S3 triangle against the base under it.
    symmetry
        The rotations that it nearly has: C3, or C1 for none.
    off_symmetry_angstrom
        Largest deviation of a bond from the mean of its orbit.
    hydrides
        How many bind how many Cu each, as in 7mu3+3mu2.
    """

    hand: str
    metal_percent: float
    s3_percent: float
    symmetry: str
    off_symmetry_angstrom: float
    hydrides: str


def glance_at_cu14(molecule: Molecule, cluster: Cu14) -> Cu14Glance:
    """Describe a conformer that holds this cluster."""
    topology = find_topology(molecule)
    symmetry = common_symmetry([molecule], topology)
    bonds = bond_rows([molecule], topology, symmetry, name_sites(molecule, topology, symmetry))
    modes = Counter(mu for orbit in hydride_binding(molecule) for mu in orbit.mu)
    return Cu14Glance(
        hand=cluster.handedness,
        metal_percent=100.0 * part_chirality(molecule, "metal", topology.metals).chiral_index,
        s3_percent=100.0 * part_chirality(molecule, "S3", cluster.s3_triangle).chiral_index,
        symmetry=symmetry.name,
        off_symmetry_angstrom=largest_deviation(bonds, 0)[0],
        hydrides="+".join(f"{modes[mu]}mu{mu}" for mu in sorted(modes, reverse=True)),
    )
