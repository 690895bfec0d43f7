"""Measure a coordinate at a geometry, and differentiate it.

Lengths are in bohr, angles in degrees. A twist is the mean of several dihedrals, not the dihedral of a few chosen
atoms: it stays the rotation of one group against another when single atoms move, and its gradient spreads over all of
them. A belt is the same with another zero for each dihedral, a combination the weighted sum of others.

A turn by 360 deg gives the same geometry, so a torsion is known up to 360 deg, and a combination of torsions up to
360 deg times the greatest common divisor of their weights. `near` chooses: each value depends on the geometry and
`near` alone, never on what was measured before.
"""

from __future__ import annotations

from fractions import Fraction
from math import gcd, lcm

import numpy as np

from qcdriver.errors import InputError
from qcdriver.geometry.primitives import cosines, dihedrals, distances, wrapped
from qcdriver.models.coordinates import Angle, Belt, Combination, Coordinate, Distance, Torsion

COLLINEAR_DEG = 1.0
"""A bond angle this near to 0 or 180 deg has no derivative, and leaves a dihedral undefined, in practice."""
_LARGEST_RATIO = 12
"""Of a combination's weights to their greatest common divisor: `near` tells turns of 15 deg apart even then."""


def measured(coordinate: Coordinate, geometry: np.ndarray, near: float | None = None) -> float:
    """Measure a coordinate.

    Parameters
    ----------
    coordinate
        What to measure. Dihedrals follow IUPAC's sign (doi:10.1351/goldbook.T06406).
    geometry
        (natoms, 3), bohr.
    near
        What repeats comes within half of `repeat_deg` of this; without it, of 0.

    Returns
    -------
    float
        Bohr or degrees. Continuous along a continuous path if `near` is the last value: the dihedrals of a twist or
        belt are unwrapped about their common direction, so the mean does not jump when one of them passes 180 deg.

    Raises
    ------
    InputError
        An atom does not exist, a dihedral's neighbouring atoms are collinear, two atoms of an angle coincide, groups of
        a twist or belt overlap or do not share an axis, or a combination's torsions have no common divisor.
    """
    value, repeat = _value(coordinate, geometry), repeat_deg(coordinate)
    if repeat is None:
        return value
    origin = 0.0 if near is None else near
    return float(origin + wrapped(value - origin, repeat))


def gradient(coordinate: Coordinate, geometry: np.ndarray) -> np.ndarray:
    """Differentiate a coordinate, analytically: (natoms, 3), bohr or degrees per bohr.

    Raises
    ------
    InputError
        As `measured`; or an angle is 0 or 180 deg, or a distance 0, where there is no derivative.
    """
    total = np.zeros_like(geometry, dtype=float)
    if isinstance(coordinate, Combination):
        for term in coordinate.terms:
            total += term.weight * gradient(term.coordinate, geometry)
        return total
    _refuse_atoms(coordinate, len(geometry))
    if isinstance(coordinate, Distance):
        atoms = np.array([coordinate.atoms])
        length, derivatives = distances(geometry, atoms)
        if not length > 0:
            raise InputError(f"the {named(coordinate)} is 0 and has no derivative")
    elif isinstance(coordinate, Angle):
        atoms = np.array([coordinate.atoms])
        cosine, by_cosine = cosines(geometry, atoms)
        sine = np.sqrt(np.maximum(1.0 - cosine**2, 0.0))
        if not sine > np.sin(np.radians(COLLINEAR_DEG)):
            raise InputError(f"the {named(coordinate)} has no derivative: its atoms are collinear")
        derivatives = np.degrees(-by_cosine / sine)
    else:
        atoms = np.array(coordinate.quadruples)
        derivatives = _dihedrals_deg(coordinate, geometry)[1] / len(atoms)
    np.add.at(total, atoms, derivatives)
    return total


def repeat_deg(coordinate: Coordinate) -> float | None:
    """Return the period of a coordinate, by which it grows on a path back to the same geometry; None without one.

    Not the symmetry that makes different atoms equal: that is `period_deg`.

    Raises
    ------
    InputError
        The weights of a combination's torsions have no common divisor.
    """
    if not isinstance(coordinate, Combination):
        return 360.0 if isinstance(coordinate, Torsion | Belt) else None
    weights = [term.weight for term in coordinate.terms if term.weight and isinstance(term.coordinate, Torsion | Belt)]
    if not weights:
        return None
    ratios = [Fraction(weight / weights[0]).limit_denominator(_LARGEST_RATIO) for weight in weights]
    divisor = Fraction(gcd(*(r.numerator for r in ratios)), lcm(*(r.denominator for r in ratios)))
    common = abs(weights[0]) * float(divisor)
    exact = np.allclose([float(ratio) * weights[0] for ratio in ratios], weights, rtol=1e-6, atol=0.0)
    if not exact or max(map(abs, weights)) > (_LARGEST_RATIO + 0.5) * common:
        raise InputError(
            f"the weights {', '.join(f'{w:g}' for w in weights)} of a combination's torsions have no common divisor: "
            f"take whole numbers up to {_LARGEST_RATIO}, or multiples of one factor"
        )
    return 360.0 * common


def named(coordinate: Coordinate) -> str:
    """Return the name of a coordinate with its atoms, for a message."""
    if isinstance(coordinate, Combination):
        return " + ".join(f"{term.weight:g} {named(term.coordinate)}" for term in coordinate.terms)
    if isinstance(coordinate, Distance | Angle):
        return f"{coordinate.kind} {list(coordinate.atoms)}"
    if coordinate.kind == "dihedral":
        return f"dihedral {list(coordinate.quadruples[0])}"
    return f"{coordinate.kind} about {list(coordinate.quadruples[0][1:3])}"


def _value(coordinate: Coordinate, geometry: np.ndarray) -> float:
    """Measure; what repeats by any of its values."""
    if isinstance(coordinate, Combination):
        return sum(term.weight * _value(term.coordinate, geometry) for term in coordinate.terms)
    _refuse_atoms(coordinate, len(geometry))
    if isinstance(coordinate, Distance):
        return float(distances(geometry, np.array([coordinate.atoms]))[0][0])
    if isinstance(coordinate, Angle):
        cosine = cosines(geometry, np.array([coordinate.atoms]))[0][0]
        if np.isnan(cosine):
            raise InputError(f"the {named(coordinate)} is undefined: two of its atoms coincide")
        return float(np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))))
    phi, _ = _dihedrals_deg(coordinate, geometry)
    direction = np.degrees(np.angle(np.exp(1j * np.radians(phi)).sum()))
    return float(direction + wrapped(phi - direction, 360.0).mean())


def _dihedrals_deg(coordinate: Torsion | Belt, geometry: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each dihedral (n,) in degrees from its zero and its derivative by its own four atoms (n, 4, 3), deg/bohr."""
    fours = np.array(coordinate.quadruples)
    phi, derivatives, sines = dihedrals(geometry, fours)
    bent = sines.min(axis=1) > np.sin(np.radians(COLLINEAR_DEG))
    if not bent.all():
        four = fours[np.argmin(bent)].tolist()
        raise InputError(f"the dihedral {four} is undefined: three of its atoms are collinear")
    zero = np.array(coordinate.offsets_deg) if isinstance(coordinate, Belt) else 0.0
    return np.degrees(phi) - zero, np.degrees(derivatives)


def _refuse_atoms(coordinate: Distance | Angle | Torsion | Belt, natoms: int) -> None:
    groups = coordinate.quadruples if isinstance(coordinate, Torsion | Belt) else (coordinate.atoms,)
    last = max(max(group) for group in groups)
    if last >= natoms:
        raise InputError(f"atom {last} of the {named(coordinate)} does not exist: there are {natoms}, counted from 0")
    if coordinate.kind in ("twist", "belt"):
        near, starts, ends, far = (set(atoms) for atoms in zip(*groups, strict=True))
        if len(starts) > 1 or len(ends) > 1:
            raise InputError(f"the dihedrals of the {named(coordinate)} must share their two middle atoms")
        if both := (near & far) | ((near | far) & (starts | ends)):
            raise InputError(f"the groups of the {named(coordinate)} overlap: atom {min(both)} is in two of them")
