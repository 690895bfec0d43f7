"""Measure a bi-icosahedral rod: twist, belt, the binding of its halides, mean distances.

The twist and the belt are also given as coordinates that can be driven and held.

Nothing depends on atom order or orientation: `rod_atoms` finds which atom is which. An angle that five-fold, six-fold
or end-for-end symmetry makes ambiguous is given as one number that every equivalent description shares; the functions
below say which.
"""

from __future__ import annotations

from collections import Counter

import numpy as np

from qcdriver.errors import InputError
from qcdriver.models.base import Frozen
from qcdriver.models.coordinates import AngularTarget, Belt, Torsion
from qcdriver.models.molecule import Molecule
from qcdriver.systems.au13ag12.atoms import Rod, azimuths, distances, find_rod
from qcdriver.systems.au13ag12.binding import belt_coordination, bound_by_gap
from qcdriver.units import ANGSTROM

__all__ = [
    "Rod",
    "RodMeasures",
    "belt_coordinate",
    "find_rod",
    "folded_belt_deg",
    "measure_rod",
    "twist_coordinate",
    "twist_deg",
    "twist_target",
]

_TWIST_DEG, _BELT_DEG = 35.0, 5.0
"""Without a wish a value comes near these, so that E (0 and 0) and S (36 and 6) lie well within what is possible."""
_PAIRED_DEG = 18.0
"""For the belt the rings pair up as brings the twist nearest to this: half way between E and S, neither at an end."""
_MODES = {0: "free", 1: "terminal", 2: "d", 3: "t", 4: "q"}


class RodMeasures(Frozen):
    """What can be measured on a rod; None where there is nothing to measure.

    Attributes
    ----------
    twist_deg
        Turn of one Ag5 ring against the other, [0, 72). The mirror image has 72 minus this.
    folded_twist_deg
        The same folded by the mirror, [0, 36]: 0 eclipsed, 36 staggered.
    belt_deg
        Turn of the halide belt against the metal as `folded_belt_deg` folds it, [-6, 6]: 0 where the paper's modes are
        expected, for any twist.
    belt_modes
        How many Ag each belt halide binds, as a count of "terminal" (1), "d" (2), "t" (3), "q" (4).
    terminal_modes
        The same for the halides on the apices.
    modes
        Both as one string: "5d+1q belt, 2 terminal".
    binding_cutoff_angstrom
        The cutoff of the three above; None: they are counted by the gap in the distances (`binding.bound_by_gap`).
    belt_coordination
        Smooth coordination number of each belt halide, rising: where one lies between two whole numbers, its mode does.
    mean_au_p_angstrom, mean_ag_belt_halide_angstrom, mean_ag_terminal_halide_angstrom
        Means over bonds; Ag-halide over those counted, Au-P to the nearest Au.
    mean_centre_shell_angstrom
        Centre to its twelve vertices, for each icosahedron.
    centre_centre_angstrom
        Between the two centres.
    bend_deg
        Deviation of centre - shared atom - centre from a straight line.
    """

    twist_deg: float
    folded_twist_deg: float
    belt_deg: float | None
    belt_modes: dict[str, int]
    terminal_modes: dict[str, int]
    modes: str
    binding_cutoff_angstrom: float | None
    belt_coordination: tuple[float, ...]
    mean_au_p_angstrom: float | None
    mean_ag_belt_halide_angstrom: float | None
    mean_ag_terminal_halide_angstrom: float | None
    mean_centre_shell_angstrom: tuple[float, float]
    centre_centre_angstrom: float
    bend_deg: float

    @property
    def belt(self) -> str:
        """The belt's modes alone, "5d+1q"."""
        return _spell(self.belt_modes)


def measure_rod(molecule: Molecule, cutoff_angstrom: float | None = None) -> RodMeasures:
    """Measure a rod; a cutoff decides which Ag a halide binds, without one the gap in their distances does.

    Raises
    ------
    InputError
        The molecule holds no rod, or the cutoff is not positive.
    """
    rod = _rod(molecule)
    if cutoff_angstrom is not None and not cutoff_angstrom > 0:
        raise InputError(f"cutoff_angstrom {cutoff_angstrom:g}: a positive distance is needed")
    xyz = molecule.geometry * ANGSTROM
    twist = twist_deg(molecule, rod) % 72.0 % 72.0  # once alone gives 72.0 for -1e-15
    silver = [i for i, symbol in enumerate(molecule.symbols) if symbol == "Ag"]
    belt, belt_bonds = _binding(molecule, rod.belt_halides, silver, cutoff_angstrom)
    terminal, terminal_bonds = _binding(molecule, rod.terminal_halides, silver, cutoff_angstrom)
    gold = list(rod.gold_rings[0] + rod.gold_rings[1])
    au_p = [distances(xyz, p, gold).min() for p in rod.phosphorus]
    arms = [xyz[centre] - xyz[rod.shared] for centre in rod.centres]
    straight = -np.dot(*arms) / np.prod([np.linalg.norm(arm) for arm in arms])
    return RodMeasures(
        twist_deg=twist,
        folded_twist_deg=min(twist, 72.0 - twist),
        belt_deg=_belt_deg(molecule, rod, twist),
        belt_modes=belt,
        terminal_modes=terminal,
        modes=f"{_spell(belt)} belt, {_spell(terminal, ' ')}",
        binding_cutoff_angstrom=cutoff_angstrom,
        belt_coordination=belt_coordination(molecule, rod.belt_halides, silver),
        mean_au_p_angstrom=_mean(au_p),
        mean_ag_belt_halide_angstrom=_mean(belt_bonds),
        mean_ag_terminal_halide_angstrom=_mean(terminal_bonds),
        mean_centre_shell_angstrom=(_shell(xyz, rod, 0), _shell(xyz, rod, 1)),
        centre_centre_angstrom=float(np.linalg.norm(xyz[rod.centres[0]] - xyz[rod.centres[1]])),
        bend_deg=float(np.degrees(np.arccos(np.clip(straight, -1.0, 1.0)))),
    )


def twist_coordinate(molecule: Molecule, near_deg: float | None = None) -> Torsion:
    """Write the twist as a coordinate that can be driven: the mean of five Ag - centre - centre' - Ag' dihedrals.

    Positive as a dihedral is (IUPAC, doi:10.1351/goldbook.T06406): looking from the first centre to the second, the far
    ring is turned clockwise. Which end comes first does not matter. Five pairings of the rings differ by 72 deg.

    Parameters
    ----------
    molecule
        Holds the rod; its atom order is what the coordinate refers to.
    near_deg
        Choose the pairing whose value is nearest to this; without it, the one with a value in (-1, 71].

    Raises
    ------
    InputError
        The molecule holds no rod.
    """
    rod = _rod(molecule)
    shift = _periods(twist_deg(molecule, rod), _TWIST_DEG if near_deg is None else near_deg, 72.0)
    first, second = rod.silver_rings
    c1, c2 = rod.centres
    quadruples = tuple((atom, c1, c2, second[(k + shift) % 5]) for k, atom in enumerate(first))
    return Torsion(kind="twist", quadruples=quadruples, period_deg=72.0)


def twist_target(molecule: Molecule, value_deg: float) -> AngularTarget:
    """Return the twist of a rod held at a value, degrees.

    Raises
    ------
    InputError
        The molecule holds no rod.
    """
    return AngularTarget(coordinate=twist_coordinate(molecule, value_deg), value_deg=value_deg)


def belt_coordinate(molecule: Molecule, near_deg: float | None = None) -> Belt:
    """Write the turn of the belt as a coordinate that can be driven: its mean azimuth less that of both silver rings.

    Positive is clockwise, looking from the first centre to the second. At 0 a halide lies over an Ag pair of E (twist
    0: 5 d + 1 q), at 6 two halides lie over an Ag of S (twist 36: 4 d + 2 t). Six halides against two five-fold rings:
    12 deg more is another numbering of the same structure. Of a `RodModel` it is twist_deg / 6 + belt_deg; what
    `measure_rod` calls belt_deg is this folded to [0, 6], less what it would be at belt 0.

    The metal's rings turn by half the twist each, in opposite senses, so twist and belt change independently. The
    mirror image and the other end change the belt's sign; the twist changes its own with the mirror image alone.

    Parameters
    ----------
    molecule
        Holds the rod and six belt halides; its atom order is what the coordinate refers to.
    near_deg
        Choose the numbering whose value is nearest to this; without it, the one with a value in (-1, 11].

    Raises
    ------
    InputError
        The molecule holds no rod, or its belt has not six halides.
    """
    rod = _rod(molecule)
    if len(rod.belt_halides) != 6:
        raise InputError(f"a rod with {len(rod.belt_halides)} halides in its belt has no belt angle: six are needed")
    start, end = rod.centres
    axis = molecule.geometry[start], molecule.geometry[end]
    belt, belt_deg = _numbered(molecule.geometry, rod.belt_halides, axis)
    (near, near_ring_deg), (far, far_ring_deg) = (_numbered(molecule.geometry, r, axis) for r in rod.silver_rings)
    # The rings' pairing follows from the twist alone: all pairs have about the same value.
    turn = 72.0 * _periods(far_ring_deg - near_ring_deg, _PAIRED_DEG, 72.0)
    value = belt_deg - (near_ring_deg + far_ring_deg + turn) / 2.0
    shift = 12.0 * _periods(value, _BELT_DEG if near_deg is None else near_deg, 12.0)
    pairs = {
        (atom, start, end, halide): (60.0 * j - 72.0 * k + own - shift + 180.0) % 360.0 - 180.0
        for ring, own in ((near, 0.0), (far, turn))
        for k, atom in enumerate(ring)
        for j, halide in enumerate(belt)
    }
    # In the order of the atoms: no other geometry with this numbering gives another coordinate.
    quadruples = tuple(sorted(pairs))
    return Belt(quadruples=quadruples, offsets_deg=tuple(map(pairs.__getitem__, quadruples)), period_deg=12.0)


def twist_deg(molecule: Molecule, rod: Rod) -> float:
    """Measure the mean dihedral, in degrees, where the k-th atoms of the two silver rings belong together.

    Any other pairing gives the same modulo 72.
    """
    first, second = (azimuths(molecule.geometry, ring, *_axis(molecule, rod)) for ring in rod.silver_rings)
    difference = np.degrees(second - first)
    middle = difference[0]
    return float(middle + ((difference - middle + 180.0) % 360.0 - 180.0).mean())


def folded_belt_deg(twist_deg: float, belt_deg: float) -> float:
    """Fold a model's belt angle to the one number that all its equivalent descriptions share, [-6, 6].

    Six halides against two five-fold rings repeat every 12 deg; turning the rod end for end, and the mirror image,
    change the sign of the belt's phase about the rings' mean. The result is the folded phase, [0, 6], less that of
    belt 0: continuous in both angles, 0 at belt 0, [0, 6] at twist 0 and [-6, 0] at twist 36.
    """
    return _fold(twist_deg / 6.0 + belt_deg) - _fold(twist_deg / 6.0)


def _periods(value_deg: float, wanted_deg: float, period_deg: float) -> int:
    """Count the periods to add so that a value comes nearest to a wish; of two as near, the larger value: +36 to 0."""
    return int(np.floor((wanted_deg - value_deg) / period_deg + 0.5 + 1e-9))


def _fold(phase_deg: float) -> float:
    return abs((phase_deg + 6.0) % 12.0 - 6.0)


def _belt_deg(molecule: Molecule, rod: Rod, twist: float) -> float | None:
    if len(rod.belt_halides) != 6:
        return None
    axis = _axis(molecule, rod)
    belt, *rings = (_numbered(molecule.geometry, ring, axis)[1] for ring in (rod.belt_halides, *rod.silver_rings))
    return _fold(belt - sum(rings) / 2.0) - _fold(twist / 6.0)


def _numbered(
    xyz: np.ndarray, ring: tuple[int, ...], axis: tuple[np.ndarray, np.ndarray]
) -> tuple[tuple[int, ...], float]:
    """Put the n atoms of a ring in order of azimuth; and the mean of azimuth less place, k 360/n, in degrees.

    Beginning with another atom, it differs by 360/n.
    """
    around = np.degrees(azimuths(xyz, ring, *axis))
    order = np.argsort(around)
    return tuple(ring[k] for k in order), float((around[order] - 360.0 / len(ring) * np.arange(len(ring))).mean())


def _rod(molecule: Molecule) -> Rod:
    rod = find_rod(molecule)
    if rod is None:
        raise InputError(
            f"{molecule.formula} holds no bi-icosahedral rod: Au13Ag12 in layers 1-5-1-5-1-5-1-5-1 is needed"
        )
    return rod


def _axis(molecule: Molecule, rod: Rod) -> tuple[np.ndarray, np.ndarray]:
    return molecule.geometry[rod.centres[0]], molecule.geometry[rod.centres[1]]


def _binding(
    molecule: Molecule, halides: tuple[int, ...], silver: list[int], cutoff: float | None
) -> tuple[dict[str, int], list[float]]:
    """Count binding modes, and list the lengths of all bonds, Angstrom."""
    xyz, bonds = molecule.geometry * ANGSTROM, []
    for halide in halides:
        near = np.sort(distances(xyz, halide, silver))
        count = bound_by_gap(near) if cutoff is None else int((near <= cutoff).sum())
        bonds.append(near[:count])
    modes = Counter(_MODES.get(len(lengths), f"{len(lengths)}-fold") for lengths in bonds)
    return dict(sorted(modes.items())), [float(length) for lengths in bonds for length in lengths]


def _spell(modes: dict[str, int], space: str = "") -> str:
    return "+".join(f"{count}{space}{mode}" for mode, count in modes.items()) or "0"


def _shell(xyz: np.ndarray, rod: Rod, end: int) -> float:
    return float(distances(xyz, rod.centres[end], list(rod.vertices(end))).mean())


def _mean(values: list[float]) -> float | None:
    return float(np.mean(values)) if values else None
