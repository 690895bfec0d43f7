"""Find how each hydride of a Cu14 cluster binds."""

from __future__ import annotations

from collections import Counter

import numpy as np

from qcdriver.models.base import Frozen
from qcdriver.models.molecule import Molecule
from qcdriver.systems.cu14.atoms import find_cu14
from qcdriver.systems.cu14.sites import SiteName, hydride_sites
from qcdriver.units import ANGSTROM

CU_H_ANGSTROM = 2.0
"""H binds every Cu up to here: in tightly relaxed models its bonds are 1.6-1.8, and 2.2 gives the same counts."""


class HydrideOrbit(Frozen):
    """Hydrides of one orbit of sites: the C3 axis relates them as long as it is there.

    Attributes
    ----------
    site
        The site nearest to each, as `sites` names them.
    atoms
        One or three when the symmetry is kept; indices from 0.
    mu
        How many Cu each of them binds.
    cu_h_angstrom
        Mean length of each one's bonds; None for one that binds no Cu.
    cutoff_angstrom
        What counts as a bond.
    """

    site: SiteName
    atoms: tuple[int, ...]
    mu: tuple[int, ...]
    cu_h_angstrom: tuple[float | None, ...]
    cutoff_angstrom: float

    def __str__(self) -> str:
        """Write it as a chemist would: 3 mu3-H in E1."""
        modes = "/".join(f"mu{count}" for count in sorted(set(self.mu)))
        return f"{len(self.atoms)} {modes}-H in {self.site}"


def hydride_binding(molecule: Molecule, cutoff_angstrom: float = CU_H_ANGSTROM) -> tuple[HydrideOrbit, ...]:
    """Find how the hydrides of a Cu14 cluster bind, grouped by the orbit of sites they are in.

    Raises
    ------
    InputError
        It is no Cu14 cluster.
    """
    cluster = find_cu14(molecule)
    hydrides = list(cluster.hydrides)
    xyz = molecule.geometry * ANGSTROM
    names: list[SiteName] = []
    places: list[np.ndarray] = []
    for name, orbit in hydride_sites(molecule, cluster).items():
        names += [name] * len(orbit)
        places += list(orbit * ANGSTROM)
    to_site = np.linalg.norm(xyz[hydrides][:, None] - np.array(places), axis=-1)
    site_of = [names[k] for k in to_site.argmin(axis=1)]
    to_copper = np.linalg.norm(xyz[hydrides][:, None] - xyz[list(cluster.copper)], axis=-1)
    bound = [row[row <= cutoff_angstrom] for row in to_copper]
    return tuple(
        HydrideOrbit(
            site=name,
            atoms=tuple(hydrides[i] for i in members),
            mu=tuple(len(bound[i]) for i in members),
            cu_h_angstrom=tuple(float(bound[i].mean()) if len(bound[i]) else None for i in members),
            cutoff_angstrom=cutoff_angstrom,
        )
        for name in dict.fromkeys(names)
        if (members := [i for i, site in enumerate(site_of) if site == name])
    )


def hydrides_in_words(molecule: Molecule) -> str:
    """Say how the hydrides bind and where: "7mu3+3mu2 in T2a+3E1+3ER+3EL"; the same for the mirror image.

    Raises
    ------
    InputError
        It is no Cu14 cluster.
    """
    orbits = hydride_binding(molecule)
    if not orbits:
        return "no hydrides"
    modes = Counter(mu for orbit in orbits for mu in orbit.mu)
    sites = {orbit.site: len(orbit.atoms) for orbit in orbits}
    return " in ".join(
        (
            "+".join(f"{modes[mu]}mu{mu}" for mu in sorted(modes, reverse=True)),
            "+".join(f"{count if count > 1 else ''}{site}" for site, count in sites.items()),
        )
    )
