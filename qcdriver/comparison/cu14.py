"""A conformer of Cu14 in, what tells it from the others at a glance out."""

from __future__ import annotations

from collections import Counter

from qcdriver.comparison.compare import compare
from qcdriver.comparison.sites import known_cu14
from qcdriver.schema import Frozen, Molecule
from qcdriver.structures.cu14 import hydride_binding


class Cu14Glance(Frozen):
    """A Cu14 conformer at a glance; chirality as `qcdriver.comparison.chirality` defines it, in percent.

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


def glance_at_cu14(molecule: Molecule) -> Cu14Glance | None:
    """Look at a conformer; None when it holds no Cu14 cube."""
    cluster = known_cu14(molecule)
    if cluster is None:
        return None
    measured = compare([molecule], ["it"])
    chirality = {each.part: 100.0 * each.chiral_index for each in measured.conformers[0].chirality}
    modes = Counter(mu for orbit in hydride_binding(molecule) for mu in orbit.mu)
    return Cu14Glance(
        hand=cluster.handedness,
        metal_percent=chirality["metal"],
        s3_percent=chirality["S3"],
        symmetry=measured.symmetry,
        off_symmetry_angstrom=measured.conformers[0].bond_deviation_angstrom,
        hydrides="+".join(f"{modes[mu]}mu{mu}" for mu in sorted(modes, reverse=True)),
    )
