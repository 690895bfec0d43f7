"""Turn eight phosphines and three thiolates on the core of a Cu14 cluster until nothing clashes.

The ligands that the C3 axis relates share their angles, those on the axis have one rotor angle for all three
substituents: the shell has the axis if the core has, and then the search looks at one ligand of each orbit only.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from qcdriver.systems.ligands.phosphines import Phosphine, rotation
from qcdriver.systems.ligands.placement import contact_limits
from qcdriver.systems.ligands.thiolates import Thiolate

_PHOSPHINE_ORBITS = ((0,), (1, 2, 3), (4,), (5, 6, 7))
_MARGIN = 1.1
"""The search stops here, times the limit, so that draws stay different."""
_COMFORT = 1.3
"""Contacts up to this times their limit, about the full van der Waals distance, count as crowding."""
_SPREAD_DEG = 40.0
_THIOLATE_LEAN_DEG = 30.0
"""How far the S-R bond may lean, each of two ways, from the direction away from its three Cu."""
_PHOSPHINE_LEAN_DEG = 8.0
"""How far a phosphine off the axis may lean about its P; without, PPh3 and S-iPr do not fit together."""


@dataclass(frozen=True)
class Core:
    """What the ligands must fit; Angstrom.

    Attributes
    ----------
    symbols, positions
        Cu and hydrides, (n,) and (n, 3).
    phosphorus, phosphorus_bonds
        Where each P is, and the unit vector away from its Cu, (8, 3); apex 1, base 1, apex 2, base 2.
    sulfur, sulfur_bonds
        The same for S and its R, (3, 3).
    """

    symbols: tuple[str, ...]
    positions: np.ndarray
    phosphorus: np.ndarray
    phosphorus_bonds: np.ndarray
    sulfur: np.ndarray
    sulfur_bonds: np.ndarray


@dataclass(frozen=True)
class Shell:
    """Where a search ended: atoms of the thiolates (3, m, 3) and phosphines (8, n, 3), Angstrom."""

    thiolates: np.ndarray
    phosphines: np.ndarray
    clash_free: bool
    crowding: float


class ShellSearch:
    """The search for one pair of ligands on one core."""

    def __init__(self, phosphine: Phosphine, thiolate: Thiolate, core: Core) -> None:
        self.phosphine, self.thiolate, self.core = phosphine, thiolate, core
        on_axis = np.isin(np.arange(8), (0, 4))
        self._phosphine_frames = [
            _frame(bond, np.eye(3)[0 if axial else 2])
            for bond, axial in zip(core.phosphorus_bonds, on_axis, strict=True)
        ]
        self._n_phosphine_angles = 16 if phosphine.has_rotors else 8
        self._thiolate_frames = [_frame(bond, np.eye(3)[2]) for bond in core.sulfur_bonds]
        p_symbols, s_symbols = phosphine.all_symbols, ("S", *thiolate.symbols)
        symbols = core.symbols + 3 * s_symbols + 8 * p_symbols
        # Ligand and part of each atom; part 0 (Cu, hydrides, P, S) is where it is and not judged.
        ligand = np.concatenate(
            [
                np.full(len(core.symbols), -1),
                np.repeat(np.arange(3), len(s_symbols)),
                np.repeat(np.arange(3, 11), len(p_symbols)),
            ]
        )
        p_parts = np.r_[0, np.repeat([1, 2, 3], len(phosphine.symbols))]
        part = np.concatenate(
            [
                np.zeros(len(core.symbols), int),
                np.tile(np.r_[0, np.ones(len(s_symbols) - 1, int)], 3),
                np.tile(p_parts, 8),
            ]
        )
        limits = contact_limits(symbols, symbols)
        same = ligand[:, None] == ligand
        limits[same & ((part[:, None] == part) | (part[:, None] == 0) | (part == 0))] = 0.0
        moves = part > 0
        self._judged = {
            False: np.flatnonzero(moves & np.isin(ligand, (0, 3, 4, 7, 8))),
            True: np.flatnonzero(moves),
        }
        self._pairs = {everyone: np.flatnonzero(limits[rows]) for everyone, rows in self._judged.items()}
        self._limits = {
            everyone: limits[rows].ravel()[self._pairs[everyone]] for everyone, rows in self._judged.items()
        }

    def search(self, rng: np.random.Generator, keeps_c3: bool, wobble: np.ndarray) -> Shell:
        """Draw one arrangement and push its contacts apart.

        `wobble` (11,), degrees: how far each thiolate and phosphine is turned on its own; none if the axis is kept.
        """
        from scipy.optimize import minimize

        start, lean = self._drawn(rng, keeps_c3)
        found = minimize(
            lambda angles: _crowding(self._ratios(*self._placed(angles, wobble), everyone=not keeps_c3), _MARGIN),
            start,
            method="L-BFGS-B",
            bounds=[(-limit, limit) if limit else (None, None) for limit in lean],
            options={"maxiter": 60, "eps": 0.1},
        )
        thiolates, phosphines = self._placed(found.x, wobble)
        ratios = self._ratios(thiolates, phosphines, everyone=True)
        return Shell(
            thiolates=thiolates,
            phosphines=phosphines,
            clash_free=bool(ratios.min() >= 1.0),
            crowding=_crowding(ratios, _COMFORT),
        )

    def _drawn(self, rng: np.random.Generator, keeps_c3: bool) -> tuple[np.ndarray, np.ndarray]:
        """Draw the angles and give how far each may go, 0 for round and round.

        Turn and two leans for the thiolates, each its own where the axis is broken (flipped ones need others), then for
        each orbit of phosphines turn, two leans, rotors. On the axis nothing leans.
        """
        thiolates = 1 if keeps_c3 else 3
        angles = thiolates * [rng.uniform(0.0, 360.0), 0.0, 0.0]
        limits = thiolates * [0.0, _THIOLATE_LEAN_DEG, _THIOLATE_LEAN_DEG]
        for orbit in _PHOSPHINE_ORBITS:
            axial = len(orbit) == 1
            angles += [rng.uniform(0.0, 120.0)] + [0.0, 0.0] * (not axial)
            limits += [0.0] + 2 * [_PHOSPHINE_LEAN_DEG] * (not axial)
            if self.phosphine.has_rotors:
                rotors = self.phosphine.staggered_deg + rng.uniform(-_SPREAD_DEG, _SPREAD_DEG, 1 if axial else 3)
                angles += list(rng.choice([-1.0, 1.0]) * rotors)
                limits += len(rotors) * [0.0]
        return np.array(angles), np.array(limits)

    def _placed(self, angles: np.ndarray, wobble: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Place all ligands: thiolates (3, m, 3), phosphines (8, n, 3)."""
        phosphine_angles = self._n_phosphine_angles
        own, left = angles[: len(angles) - phosphine_angles].reshape(-1, 3), list(angles[-phosphine_angles:])
        thiolates = []
        for k, frame in enumerate(self._thiolate_frames):
            turn, *lean = own[k % len(own)]
            turned = self.thiolate.positions(turn + wobble[k])
            thiolates.append(turned @ (frame @ _lean(*lean)).T + self.core.sulfur[k])
        phosphines = []
        for orbit in _PHOSPHINE_ORBITS:
            axial = len(orbit) == 1
            turn = left.pop(0)
            leaning = np.eye(3) if axial else _lean(left.pop(0), left.pop(0))
            rotors = np.zeros(3)
            if self.phosphine.has_rotors:
                rotors += [left.pop(0) for _ in range(1 if axial else 3)]
            local = self.phosphine.positions(0.0, rotors)
            for k in orbit:
                turned = local @ rotation("x", turn + wobble[3 + k]).T
                phosphines.append(turned @ (self._phosphine_frames[k] @ leaning).T + self.core.phosphorus[k])
        return np.array(thiolates), np.array(phosphines)

    def _ratios(self, thiolates: np.ndarray, phosphines: np.ndarray, everyone: bool) -> np.ndarray:
        """Return contacts as distance over limit, below 1 a clash."""
        from scipy.spatial.distance import cdist

        atoms = np.concatenate([self.core.positions, thiolates.reshape(-1, 3), phosphines.reshape(-1, 3)])
        distance = cdist(atoms[self._judged[everyone]], atoms).ravel()[self._pairs[everyone]]
        ratios: np.ndarray = distance / self._limits[everyone]
        return ratios


def _crowding(ratios: np.ndarray, enough: float) -> float:
    return float((np.clip(enough - ratios, 0.0, None) ** 2).sum())


def _lean(one_deg: float, other_deg: float) -> np.ndarray:
    leaning: np.ndarray = rotation("y", one_deg) @ rotation("z", other_deg)
    return leaning


def _frame(x: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Return local axes as columns: x along a bond, y towards a reference."""
    y = reference - (reference @ x) * x
    y /= np.linalg.norm(y)
    return np.column_stack([x, y, np.cross(x, y)])
