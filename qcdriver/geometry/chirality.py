"""Measure how chiral a set of points is, by an index equal for both hands and one whose sign distinguishes them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from qcdriver.geometry.matching import Groups, matchings

_TINY = 1e-10


def chiral_index(positions: np.ndarray, kinds: Sequence[str]) -> float:
    """Compute the root mean square chiral index of Petitjean.

    Three quarters of the mean squared distance between the points and their inverted image, best superposed and best
    assigned, over the mean squared distance of the points from their centre (J. Math. Phys. 40, 4587 (1999),
    doi:10.1063/1.532988; compared with other measures in doi:10.3390/e5030271). 0 for an achiral set, at most 1, the
    same for both hands and for any scale. Where one mirror plane is the best, it is 3/100 of the continuous chirality
    measure of Zabrodsky and Avnir (doi:10.1021/ja00106a053).

    Parameters
    ----------
    positions
        (n, 3), any unit.
    kinds
        Only points of one kind (an element) are assigned to each other, (n,).

    Notes
    -----
    The superposition is searched for, as in `matching`: the index found is never too small, and could be too large.
    """
    centred = positions - positions.mean(axis=0)
    names = np.array(list(kinds))
    groups: Groups = [(np.flatnonzero(names == kind)[:, None],) * 2 for kind in sorted(set(kinds))]
    best = matchings(centred, -centred, groups)[0]
    return index_from_rmsd(best.rmsd, positions)


def index_from_rmsd(mirror_rmsd: float, positions: np.ndarray) -> float:
    """Return the chiral index of points from the smallest RMSD to their mirror image, in the unit of the points."""
    spread = float(((positions - positions.mean(axis=0)) ** 2).sum(axis=1).mean())
    return 0.75 * mirror_rmsd**2 / spread if spread > _TINY else 0.0


def signed_index(positions: np.ndarray) -> float:
    """Compute the scaled index G0S of Osipov, Pickup and Dunmur: of opposite sign for mirror images, 0 if achiral.

    All points count alike, whatever their element. The sign is a convention and no more (negative for a chain of four
    with right angles and the dihedral +90): a chiral set may have 0, as some always have on a path between mirror
    images that stays chiral, and shape decides the sign too. From doi:10.1080/00268979500100831, scaled as in
    doi:10.1063/1.1476321.

    Parameters
    ----------
    positions
        (n, 3), any unit. Work and memory grow as n**4 and n**3: a second for 60 points.
    """
    n = len(positions)
    arms = positions[None] - positions[:, None]  # arms[i, j] goes from i to j
    lengths = np.linalg.norm(arms, axis=-1)
    units = arms / np.where(lengths > 0, lengths, 1.0)[..., None]
    # The term is (r_ij x r_kl).r_il (r_ij.r_jk)(r_jk.r_kl) / ((r_ij r_jk r_kl)^2 r_il): unit vectors throughout.
    bend = np.einsum("jkx,klx->jkl", units, units)
    total = 0.0
    for i in range(n):
        normals = np.cross(units, units[i][None, :])
        triple = np.einsum("jx,klx->jkl", units[i], normals)
        first = np.einsum("jx,jkx->jk", units[i], units)
        total += float((triple * first[:, :, None] * bend).sum())
    return 4 * 3 * 2 / (3 * n**4) * total
