"""List the C3-symmetric placements of ten hydrides (1 + 3 + 3 + 3), each once by symmetry, and fill them in.

A placement is named by its filled sites, the one on the axis first: `O_E1_ER_EL`. The 2H NMR of the deuteride (four
lines, 1 : 3 : 3 : 3, Das et al.) asks for one site on the axis and three orbits of three. Left out as impossible: two H
in one site, a H where an S is, and H-H under 1.5 Angstrom, which excludes nothing more (two sites of the undistorted
cube are at least 1.58 Angstrom apart).

Sites are compared in the undistorted framework, where the S3 triangle is not skewed: with the thiolates on E2 it has
the mirror planes of C3v, which exchange ER and EL; with them on ER it has the two-fold axes of D3, which exchange the
tetrahedra.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np

from qcdriver.errors import InputError
from qcdriver.models.molecule import Molecule
from qcdriver.systems.cu14.atoms import Cu14, ThiolateSite, find_cu14
from qcdriver.systems.cu14.sites import AROUND_AXIS, ON_AXIS, SiteName, hydride_sites

N_HYDRIDES = 10
_EXCHANGED: dict[ThiolateSite, dict[str, str]] = {
    "E2": {"ER": "EL", "EL": "ER"},
    "ER": {"T1a": "T2a", "T2a": "T1a", "T1b": "T2b", "T2b": "T1b", "E1": "E2", "E2": "E1"},
}


def placements(thiolate_site: ThiolateSite = "E2") -> tuple[str, ...]:
    """List the placements that no symmetry relates, mirror images counted once.

    Parameters
    ----------
    thiolate_site
        Where the three S are: "E2" on the edges from one corner of the cube, as in the crystals; "ER" on three edges
        between the two bases.

    Returns
    -------
    Labels in a fixed order.
    """
    seen: set[frozenset[str]] = set()
    labels = []
    for axial in ON_AXIS:
        for triple in combinations([site for site in AROUND_AXIS if site != thiolate_site], 3):
            filled = frozenset((axial, *triple))
            if filled in seen:
                continue
            exchanged = _EXCHANGED[thiolate_site]
            seen |= {filled, frozenset(exchanged.get(site, site) for site in filled)}
            labels.append("_".join((axial, *triple)))
    return tuple(labels)


def sites_of(label: str, thiolate_site: ThiolateSite) -> tuple[SiteName, ...]:
    """Read a label.

    Raises
    ------
    InputError
        It does not name one site on the axis and three different ones around it, all free of S.
    """
    named = label.split("_")
    axial = [site for site in ON_AXIS if site in named]
    around = [site for site in AROUND_AXIS if site in named and site != thiolate_site]
    if len(named) != 4 or len(axial) != 1 or len(around) != 3:
        free = ", ".join(site for site in AROUND_AXIS if site != thiolate_site)
        raise InputError(
            f"hydrides = {label!r}: one of {', '.join(ON_AXIS)} and three of {free}, joined by _, belong here, "
            f"as in {placements(thiolate_site)[-1]}"
        )
    return (*axial, *around)


def fill_hydrides(molecule: Molecule, label: str) -> Molecule:
    """Add the ten hydrides of a placement to a structure that has none, as X-ray structures often do.

    Parameters
    ----------
    molecule
        A Cu14 cluster, its charge that of the whole cluster with its hydrides. One that has all ten is returned as
        it is.
    label
        The placement, as `placements` names it; in a left-handed cluster it gives the mirror image of what it gives
        in a right-handed one.

    Returns
    -------
    Molecule
        With ten H atoms after its own.

    Raises
    ------
    InputError
        Some, but not ten hydrides are there; the label is wrong; or there is no Cu14 cube.
    """
    cluster = find_cu14(molecule)
    if len(cluster.hydrides) == N_HYDRIDES:
        return molecule
    if cluster.hydrides:
        raise InputError(
            f"{molecule.formula}: {len(cluster.hydrides)} hydrides on the Cu14 cube; give all {N_HYDRIDES}, or none "
            "and they are filled in"
        )
    added = hydride_positions(molecule, cluster, label)
    return Molecule(
        symbols=molecule.symbols + N_HYDRIDES * ("H",),
        geometry=np.concatenate([molecule.geometry, added]),
        molecular_charge=molecule.molecular_charge,
        molecular_multiplicity=molecule.molecular_multiplicity,
    )


def hydride_positions(molecule: Molecule, cluster: Cu14, label: str) -> np.ndarray:
    """Return the positions of the ten hydrides of a placement, (10, 3), bohr, in the order of the label."""
    sites = hydride_sites(molecule, cluster)
    return np.concatenate([sites[site] for site in sites_of(label, cluster.thiolate_site)])
