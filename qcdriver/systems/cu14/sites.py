"""Find the places for hydrides in a Cu14 cluster, in orbits of one and three under its C3 axis.

Each is the middle of what its H would bind:

- `O`: the octahedron of the six face centres (mu6), on the axis.
- `T1a`, `T2a`, `T1b`, `T2b`: the tetrahedral hole (mu4) that a corner makes with the three face centres around it. 1
  and 2 are the tetrahedra the corner belongs to; a is its apex (one hole, on the axis), b its base (three holes).
- `E1`, `E2`, `ER`, `EL`: the groove along a cube edge, between two corners and the two face centres beside it. E1
  and E2 start at apex 1 and 2, the others join the two bases: to the right and to the left, seen from outside with
  apex 1 up, going up from base 1 in a right-handed cluster.

Two Cu3 triangles (a corner and both face centres) are the walls of a groove. A H that caps one of them with Cu-H 1.7
Angstrom is 0.2 Angstrom from the middle of the groove, so both and the middle are one site; whether it ends as mu2, mu3
or mu4 is for the relaxation to say. The inner Cu3 triangles (three face centres) belong to the tetrahedral holes in
the same way.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from qcdriver.models.molecule import Molecule
from qcdriver.systems.cu14.atoms import Cu14

SiteName = Literal["O", "T1a", "T2a", "T1b", "T2b", "E1", "E2", "ER", "EL"]

ON_AXIS: tuple[SiteName, ...] = ("O", "T1a", "T2a")
AROUND_AXIS: tuple[SiteName, ...] = ("T1b", "T2b", "E1", "E2", "ER", "EL")


def hydride_sites(molecule: Molecule, cluster: Cu14) -> dict[SiteName, np.ndarray]:
    """Find the sites on the actual Cu positions.

    Returns
    -------
    dict
        For each orbit its positions, (1 or 3, 3), bohr; three in the order of the cluster's indices.
    """
    xyz = molecule.geometry
    side, base = xyz[list(cluster.side_centres)], xyz[list(cluster.base_centres)]
    base1, base2 = xyz[list(cluster.base1)], xyz[list(cluster.base2)]
    apex1, apex2 = xyz[cluster.apex1], xyz[cluster.apex2]
    # A base corner touches two face centres of its own half and the one of the other half with its index.
    beside1, beside2 = base.sum(axis=0) - base + side, side.sum(axis=0) - side + base
    return {
        "O": np.concatenate([side, base]).mean(axis=0)[None],
        "T1a": ((apex1 + side.sum(axis=0)) / 4)[None],
        "T2a": ((apex2 + base.sum(axis=0)) / 4)[None],
        "T1b": (base1 + beside1) / 4,
        "T2b": (base2 + beside2) / 4,
        "E1": (apex1 + base2) / 2,
        "E2": (apex2 + base1) / 2,
        "ER": (base1 + np.roll(base2, 1, axis=0)) / 2,
        "EL": (base1 + np.roll(base2, -1, axis=0)) / 2,
    }
