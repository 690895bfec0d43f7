"""Draw C3-symmetric placements of ten hydrides where a Cu14 cluster can bind them, however many Cu that takes.

`placements` lists the ways to fill the holes and grooves, one H in each. A H may as well bridge one Cu-Cu contact or
cap one triangle, and there are too many such placements to list.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np

from qcdriver.errors import InputError
from qcdriver.systems.cu14.skeleton import three_of

CONTACT_ANGSTROM = 2.9
"""Two Cu up to here can be bridged; 2.58 in the undistorted cube, whose next pair is 3.65 apart."""
CU_H_ANGSTROM = {2: 1.65, 3: 1.75}
"""From a H to each Cu that it bridges or caps, near what relaxed models have."""
HH_ANGSTROM = 1.6
HS_ANGSTROM = 2.2
"""At least this far apart: two hydrides, a hydride and S or P."""
_TRIES = 2000


def drawn_hydrides(copper: np.ndarray, ligands: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw one hydride on the C3 axis and three orbits of three around it.

    Parameters
    ----------
    copper
        Positions of the fourteen Cu, (14, 3), Angstrom, their C3 axis along z through the origin.
    ligands
        Positions of S and P, (n, 3), Angstrom.

    Returns
    -------
    Positions, (10, 3), Angstrom: the one on the axis, then the orbits, each of three consecutive rows.

    Raises
    ------
    InputError
        The Cu leave no room for ten.
    """
    places = binding_places(copper)
    room = [place for place in places if np.linalg.norm(ligands - place, axis=1).min() >= HS_ANGSTROM]
    axial = [place for place in room if np.hypot(*place[:2]) < 0.1]
    around = [place for place in room if np.hypot(*place[:2]) > HH_ANGSTROM / np.sqrt(3)]
    for _ in range(_TRIES if axial and len(around) >= 3 else 0):
        drawn = [around[index] for index in rng.choice(len(around), size=3, replace=False)]
        hydrides = np.concatenate([[axial[rng.integers(len(axial))]], *(three_of(place) for place in drawn)])
        if min(np.linalg.norm(one - other) for one, other in combinations(hydrides, 2)) >= HH_ANGSTROM:
            return hydrides
    raise InputError(f"no placement of ten hydrides at least {HH_ANGSTROM} Angstrom apart in {_TRIES} draws")


def binding_places(copper: np.ndarray) -> np.ndarray:
    """List where one H can bind: bridges, caps, and the middles of tetrahedra and of the octahedron.

    A bridge points away from the middle of the cluster, a cap to either side of its triangle.

    Parameters
    ----------
    copper
        Positions, (n, 3), Angstrom.

    Returns
    -------
    Positions, (m, 3), Angstrom, at least 1.4 from every Cu.
    """
    distances = np.linalg.norm(copper[:, None] - copper, axis=-1)
    touching = distances <= CONTACT_ANGSTROM
    middle = copper.mean(axis=0)
    places = [middle]
    for size in (2, 3, 4):
        for members in combinations(range(len(copper)), size):
            if all(touching[i, j] for i, j in combinations(members, 2)):
                places += _places_on(copper[list(members)], middle)
    found = np.array(places)
    free: np.ndarray = found[np.linalg.norm(found[:, None] - copper, axis=-1).min(axis=1) >= 1.4]
    return free


def _places_on(corners: np.ndarray, middle: np.ndarray) -> list[np.ndarray]:
    """List the places over an edge or a triangle, or in a tetrahedron."""
    centre = corners.mean(axis=0)
    if len(corners) == 4:
        return [centre]
    height = np.sqrt(CU_H_ANGSTROM[len(corners)] ** 2 - np.linalg.norm(corners - centre, axis=1).max() ** 2)
    if len(corners) == 3:
        normal = np.cross(corners[1] - corners[0], corners[2] - corners[0])
        normal /= np.linalg.norm(normal)
        return [centre + height * normal, centre - height * normal]
    along = corners[1] - corners[0]
    out = centre - middle
    out -= along * (along @ out) / (along @ along)
    return [centre + height * out / np.linalg.norm(out)]
