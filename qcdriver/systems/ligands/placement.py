"""Arrange ten phosphines on a metal core with halides so that they do not clash.

All ten phosphines share one set of four angles (the turn about Au-P and three rotors), so an arrangement keeps the
core's five-fold axis. The two ends are related either by a two-fold axis (both of one hand) or by a reflection
followed by the twist (opposite hands). Four angles and one choice make the search short, and the arrangements still
differ where it matters: propeller hand, interlocking within a ring, and contact with the belt. Last, each phosphine is
turned by a degree or two of its own: a relaxation that starts with exact symmetry would keep it, and end on a saddle.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from qcdriver.models.base import ATOMIC_NUMBER
from qcdriver.systems.ligands.phosphines import Phosphine, rotation

HH_CONTACT_ANGSTROM = 1.9
"""Shortest allowed distance of two H atoms of different ligands."""
VDW_FRACTION = 0.75
"""Shortest allowed distance of two other atoms of different ligands, in sums of their van der Waals radii."""
_METAL_RADIUS_ANGSTROM = {"Au": 1.66, "Ag": 1.72, "Cu": 1.40}
"""Bondi's radii (doi:10.1021/j100785a001): crystallographic ones would forbid the C-H above every silver face."""
_MARGIN = 1.1
"""The search stops here, times the limit: pushed further, all draws slide into the same few roomiest arrangements."""
_COMFORT = 1.3
"""Contacts up to this times their limit, about the full van der Waals distance, count as crowding."""
_SPREAD_DEG = 40.0
_WOBBLE_DEG = 2.0


def contact_limits(first: tuple[str, ...], second: tuple[str, ...]) -> np.ndarray:
    """Return the shortest allowed distances between two ligands, or a ligand and a metal it is not bound to.

    Van der Waals radii are Alvarez's (doi:10.1039/c3dt50599e), nowhere smaller than Bondi's for these ligands.

    Returns
    -------
    numpy.ndarray
        (len(first), len(second)), Angstrom.
    """
    a, b = _vdw_radii(first), _vdw_radii(second)
    limits: np.ndarray = VDW_FRACTION * (a[:, None] + b[None, :])
    hydrogen = (np.array(first) == "H")[:, None] & (np.array(second) == "H")[None, :]
    limits[hydrogen] = HH_CONTACT_ANGSTROM
    return limits


@dataclass(frozen=True)
class Surroundings:
    """The core and halides that the phosphines must fit; Angstrom.

    Attributes
    ----------
    origin, frame
        Position of the first P, (3,), and its local axes as columns, x pointing away from its Au, (3, 3).
    own_metals
        Index in `symbols` of the Au of each of the ten phosphines: lower ring, then upper ring, each in order of
        azimuth.
    twist_deg
        Turn of the upper end against the lower one about z.
    symbols, positions
        Metal atoms and halides, (n,) and (n, 3).
    """

    origin: np.ndarray
    frame: np.ndarray
    own_metals: range
    twist_deg: float
    symbols: tuple[str, ...]
    positions: np.ndarray


@dataclass(frozen=True)
class Arrangement:
    """The result of the search.

    Attributes
    ----------
    positions
        Of the ten phosphines, (10, n, 3), Angstrom.
    clash_free
        Whether every contact keeps its limit.
    crowding
        Sum over the contacts nearer than comfortable; a smaller value means more room.
    """

    positions: np.ndarray
    clash_free: bool
    crowding: float


class Placement:
    """The search for one phosphine on one core."""

    def __init__(self, phosphine: Phosphine, around: Surroundings) -> None:
        self.phosphine = phosphine
        self.around = around
        atoms = phosphine.all_symbols
        self._images = {opposite: _operators(around.twist_deg, opposite) for opposite in (False, True)}
        self._between = np.tile(contact_limits(atoms, atoms), 9)
        core = contact_limits(around.symbols, atoms)
        metal = np.array([s in _METAL_RADIUS_ANGSTROM for s in around.symbols])
        self._metals = [np.flatnonzero(metal & (np.arange(len(metal)) != own)) for own in around.own_metals]
        self._metal_limits = [core[foreign] for foreign in self._metals]
        self._halides, self._halide_limits = around.positions[~metal], np.tile(core[~metal], 10)
        part = np.r_[0, np.repeat([1, 2, 3], len(phosphine.symbols))]
        self._rotors = np.nonzero((part[:, None] < part) & (part[:, None] > 0))
        self._rotor_limits = contact_limits(atoms, atoms)[self._rotors]

    def positions(self, turns_deg: np.ndarray, rotors_deg: np.ndarray, opposite: bool) -> np.ndarray:
        """Return the positions of all ten phosphines, (10, n, 3), Angstrom.

        Parameters
        ----------
        turns_deg
            Turn of each phosphine about its Au-P bond, (10,).
        rotors_deg
            Turns of the three substituents, the same for all phosphines, (3,).
        opposite
            Whether the upper end has the other hand.
        """
        local = self.phosphine.positions(0.0, rotors_deg)
        turned = np.array([local @ rotation("x", turn).T for turn in turns_deg])
        first = turned @ self.around.frame.T + self.around.origin
        placed: np.ndarray = np.einsum("kij,knj->kni", self._images[opposite], first)
        return placed

    def ratios(self, placed: np.ndarray, judged: range = range(1)) -> np.ndarray:
        """Return contacts as distance over limit (below 1: a clash) of the judged phosphines and of all with halides.

        While the arrangement keeps its five-fold axis, the first phosphine stands for all ten.
        """
        parts = [
            (_distances(self._halides, placed.reshape(-1, 3)) / self._halide_limits).ravel(),
            _distances(placed[0], placed[0])[self._rotors] / self._rotor_limits,
        ]
        for k in judged:
            others = np.concatenate([placed[:k], placed[k + 1 :]]).reshape(-1, 3)
            metals = self.around.positions[self._metals[k]]
            parts.append((_distances(placed[k], others) / self._between).ravel())
            parts.append((_distances(metals, placed[k]) / self._metal_limits[k]).ravel())
        return np.concatenate(parts)

    def search(self, rng: np.random.Generator) -> Arrangement:
        """Draw one arrangement at random and push its contacts apart."""
        from scipy.optimize import minimize

        opposite = bool(rng.integers(2))
        hand = rng.choice([-1.0, 1.0])
        turn = rng.uniform(0.0, 120.0)
        rotors = hand * (self.phosphine.staggered_deg + rng.uniform(-_SPREAD_DEG, _SPREAD_DEG, 3))
        wobble = rng.uniform(-_WOBBLE_DEG, _WOBBLE_DEG, 10)
        free = 4 if self.phosphine.has_rotors else 1
        start = np.r_[turn, rotors]

        def squeeze(angles: np.ndarray) -> float:
            full = np.r_[angles, start[free:]]
            return _crowding(self.ratios(self.positions(full[[0] * 10], full[1:], opposite)), _MARGIN)

        simplex = np.vstack([start[:free], start[:free] + 15.0 * np.eye(free)])
        options = {"initial_simplex": simplex, "maxfev": 150, "xatol": 1.0, "fatol": 1e-4}
        found = minimize(squeeze, start[:free], method="Nelder-Mead", options=options)
        angles = np.r_[found.x, start[free:]]
        placed = self.positions(angles[0] + wobble, angles[1:], opposite)
        ratios = self.ratios(placed, range(10))
        return Arrangement(positions=placed, clash_free=bool(ratios.min() >= 1.0), crowding=_crowding(ratios, _COMFORT))


def _crowding(ratios: np.ndarray, enough: float) -> float:
    return float((np.clip(enough - ratios, 0.0, None) ** 2).sum())


def _operators(twist_deg: float, opposite: bool) -> np.ndarray:
    """Return the orthogonal matrices that carry the first ligand (lower end) to all ten, (10, 3, 3)."""
    reflected = rotation("z", twist_deg) @ np.diag([1.0, 1.0, -1.0])
    turned_over = rotation("z", 72.0) @ rotation("x", 180.0)
    # Either way the first ligand lands on the first site of the upper ring, so all arrangements share one atom order.
    to_upper = reflected if opposite else turned_over
    around = [rotation("z", 72.0 * k) for k in range(5)]
    return np.array(around + [turn @ to_upper for turn in around])


def _distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    from scipy.spatial.distance import cdist

    distances: np.ndarray = cdist(a, b)
    return distances


def _vdw_radii(symbols: tuple[str, ...]) -> np.ndarray:
    from ase.data.vdw_alvarez import vdw_radii

    return np.array([_METAL_RADIUS_ANGSTROM.get(s, vdw_radii[ATOMIC_NUMBER[s]]) for s in symbols])
