"""Lay out Cu14, its eight P and three S from three amplitudes, the C3 axis along z and apex 1 up.

Everything is in Angstrom and right-handed. The atoms that the axis relates are three consecutive rows, each the one
before turned by 120 deg about z; `Skeleton` keeps that order, and so does whatever distorts it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from qcdriver.errors import InputError
from qcdriver.systems.cu14.atoms import ThiolateSite
from qcdriver.systems.ligands.phosphines import rotation

EDGE_ANGSTROM = 3.65
"""Of the cube: nearest Cu atoms 2.58 apart, near the 2.56 of the metal."""
PROTRUSION_ANGSTROM = 0.6
"""Of the corner with the thiolates, outwards: it "protrudes" in the crystal (doi:10.1007/s10876-023-02469-w), and with
this all three Cu-S are 2.3-2.4 at a skew of 20 deg. GFN1-xTB takes it out by 1.4."""
CU_P_ANGSTROM = 2.24
CU_S_ANGSTROM = 2.30
"""To both corners that a thiolate bridges."""


@dataclass(frozen=True)
class Skeleton:
    """Heavy atoms of the model, Angstrom.

    Attributes
    ----------
    copper
        Apex 1, base 1, apex 2, base 2, side centres, base centres, (14, 3).
    phosphorus
        One on each vertex, in their order, (8, 3).
    sulfur
        (3, 3), in the order of the base 1 atoms they bind.
    """

    copper: np.ndarray
    phosphorus: np.ndarray
    sulfur: np.ndarray


def skeleton(
    side_shift_angstrom: float, base_shift_angstrom: float, skew_deg: float, thiolate_site: ThiolateSite
) -> Skeleton:
    """Lay out the cube with its P and S.

    Parameters
    ----------
    side_shift_angstrom, base_shift_angstrom
        Of the edge centres of tetrahedron 1 round the axis, counter-clockwise seen from apex 1: the three on the edges
        from that apex, and the three of the base.
    skew_deg
        Turn of the S3 triangle round the axis against the base of tetrahedron 1, in the same sense.
    thiolate_site
        Which edges the S bridge.

    Raises
    ------
    InputError
        The skew takes S farther round than Cu-S bonds of this length reach.
    """
    half = EDGE_ANGSTROM / 2
    up = half * np.array([[1, 1, 1]]) @ _to_axis()
    around = half * np.array([[-1, 1, 1], [1, -1, 1], [1, 1, -1]]) @ _to_axis()
    centres = half * np.eye(3) @ _to_axis()
    vertices = np.concatenate([up, -around, -up, around])
    outward = vertices / np.linalg.norm(vertices, axis=1)[:, None]
    if thiolate_site == "E2":
        vertices[4] += PROTRUSION_ANGSTROM * outward[4]
    ends = (vertices[1], vertices[4] if thiolate_site == "E2" else vertices[7])
    return Skeleton(
        copper=np.concatenate(
            [vertices, _shifted(centres, side_shift_angstrom), _shifted(-centres, base_shift_angstrom)]
        ),
        phosphorus=vertices + CU_P_ANGSTROM * outward,
        sulfur=three_of(_on_edge(*ends, skew_deg)),
    )


def three_of(position: np.ndarray) -> np.ndarray:
    """Turn one position about the C3 axis, (3, 3)."""
    return np.array([rotation("z", 120.0 * k) @ position for k in range(3)])


def _to_axis() -> np.ndarray:
    """Turn the cube's body diagonal onto z; to be multiplied from the right."""
    z = np.ones(3) / 3**0.5
    x = np.array([2.0, -1.0, -1.0]) / 6**0.5
    return np.column_stack([x, np.cross(z, x), z])


def _shifted(centres: np.ndarray, shift: float) -> np.ndarray:
    tangents = np.cross([0.0, 0.0, 1.0], centres)
    shifted: np.ndarray = centres + shift * tangents / np.linalg.norm(tangents, axis=1)[:, None]
    return shifted


def _on_edge(one: np.ndarray, other: np.ndarray, skew_deg: float) -> np.ndarray:
    """Place S on a cube edge, at its bond length from both ends, turned by the skew about the axis."""
    from scipy.optimize import brentq

    middle, along = (one + other) / 2, (other - one) / np.linalg.norm(other - one)
    out = middle - (middle @ along) * along
    out /= np.linalg.norm(out)
    across = np.cross(along, out)
    height = np.sqrt(CU_S_ANGSTROM**2 - np.linalg.norm(other - one) ** 2 / 4)
    rest = np.arctan2(middle[1], middle[0])

    def place(tilt: float) -> np.ndarray:
        placed: np.ndarray = middle + height * (np.cos(tilt) * out + np.sin(tilt) * across)
        return placed

    def missing(tilt: float) -> float:
        x, y, _ = rotation("z", -np.degrees(rest) - skew_deg) @ place(tilt)
        return float(np.arctan2(y, x))

    # At a right angle S would lie on the face of the cube.
    if missing(-np.pi / 2) * missing(np.pi / 2) > 0:
        raise InputError(f"skew_deg = {skew_deg:g}: S does not reach so far round the axis with bonds of 2.30 Angstrom")
    return place(brentq(missing, -np.pi / 2, np.pi / 2))
