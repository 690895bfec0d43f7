"""Build the bi-icosahedral rod [Au13Ag12(PR3)10X8]+ from a phosphine, a halide and two angles.

Two Au7Ag6 icosahedra share one Au vertex; along the rod the layers are apical Ag | Au5 | Au | Ag5 | shared Au | Ag5 |
Au | Au5 | apical Ag. Each Au5 atom carries a phosphine, each apex a halide, and six halides make a belt between the
two Ag5 rings. What is known of the cluster: doi:10.1038/s41467-020-19789-4.

Two angles describe a model. `twist_deg` turns one icosahedron against the other: 0 eclipsed (E, D5h metal core), 36
staggered (S, D5d), period 72. `belt_deg` turns the six evenly spaced halides against the metal. Seen from the mean
azimuth of the two Ag5 rings, the belt of E (one halide over an Ag pair: 5 d + 1 q) sits at phase 0 and that of S (two
halides over an Ag: 4 d + 2 t) at phase 6, where 12 deg is the period of six against five. So belt 0 means phase
twist/6: the belt follows the rotor with two thirds of the twist, and at 72 it is E's again.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import Field

from qcdriver.errors import InputError
from qcdriver.models.base import Frozen
from qcdriver.models.molecule import Molecule
from qcdriver.systems.ligands.phosphines import PHOSPHINES, PhosphineName
from qcdriver.systems.ligands.placement import Arrangement, Placement, Surroundings
from qcdriver.units import ANGSTROM

Halide = Literal["Cl", "Br"]

CIRCUMRADIUS_ANGSTROM = 2.80
"""Centre to vertex; the crystal's shells have 2.7-2.9."""
AU_P_ANGSTROM = 2.30
"""Crystals of such clusters: 2.27-2.32."""
TERMINAL_ANGSTROM: dict[Halide, float] = {"Cl": 2.40, "Br": 2.52}
"""Apical Ag to its halide."""
BELT_ANGSTROM: dict[Halide, float] = {"Cl": 2.60, "Br": 2.72}
"""Ag to a belt halide at rest."""
_BELT_RANGE = 2.0  # 1/Angstrom; with 2.60 it leaves no Ag-Cl distance between 2.65 and 3.3 Angstrom
_STARTS_PER_SEED = 97
_DRAWS = 40
_CANONICAL_DRAWS = 12


class RodModel(Frozen):
    """What a model of the rod is made of; degrees as the module's docstring defines them."""

    phosphine: PhosphineName = "PH3"
    halide: Halide = "Cl"
    twist_deg: float = Field(default=0.0, allow_inf_nan=False)
    belt_deg: float = Field(default=0.0, allow_inf_nan=False)


def build_rod(model: RodModel, start: int = 0, seed: int = 0) -> Molecule:
    """Build a rod, free of clashes between its ligands.

    Parameters
    ----------
    model
        What to build.
    start
        0 is the canonical placement: the belt where the model says, and the roomiest of a fixed list of ligand
        arrangements. 1, 2, ... are other ligand arrangements, drawn, with the belt at other phases, evenly spread.
    seed
        With `start`, fixes the arrangement and the belt; start 0 does not depend on it.

    Returns
    -------
    Molecule
        Charge +1, singlet, rod along z, in the order Au13, Ag12, belt halides, terminal halides, phosphines.

    Raises
    ------
    InputError
        No arrangement without clashes was found, or `start` or `seed` is negative.
    """
    if start < 0 or seed < 0:
        raise InputError(f"start {start}, seed {seed}: both count from 0")
    rng = np.random.default_rng([seed, start] if start else [0, 0])
    belt = model.belt_deg + (_other_belt_deg(model, start + _STARTS_PER_SEED * seed) if start else 0.0)
    symbols, core = _core(model, belt)
    phosphine = PHOSPHINES[model.phosphine]
    placement = Placement(phosphine, _first_site(model.twist_deg, symbols, core))
    placed = _arrange(placement, rng, start)
    if placed is None:
        raise InputError(
            f"{model.phosphine} and {model.halide} on a rod with twist {model.twist_deg:g} deg, belt {belt:g} deg: "
            f"no placement without clashes in {_DRAWS} draws; another start, seed or belt may have one"
        )
    geometry = np.concatenate([core, placed.reshape(-1, 3)]) / ANGSTROM
    return Molecule(
        symbols=rod_symbols(model),
        geometry=geometry,
        molecular_charge=1,
        molecular_multiplicity=1,
    )


def rod_symbols(model: RodModel) -> tuple[str, ...]:
    """List the elements of a model in the order of its atoms."""
    return _core_symbols(model) + 10 * PHOSPHINES[model.phosphine].all_symbols


def _core_symbols(model: RodModel) -> tuple[str, ...]:
    return ("Au",) * 13 + ("Ag",) * 12 + (model.halide,) * 8


def _other_belt_deg(model: RodModel, index: int) -> float:
    """Turn from the model's belt to another; successive ones are spread evenly over all phases that differ.

    Those are the 6 deg between a halide over and one between metals: the metal's symmetry makes the rest from them.
    """
    phase = (model.twist_deg / 6.0 + model.belt_deg) % 12.0
    folded = min(phase, 12.0 - phase)
    # Steps of the golden section never come near an earlier place.
    return (folded + 6.0 * index * (5**0.5 - 1) / 2) % 6.0 - phase


def _arrange(placement: Placement, rng: np.random.Generator, start: int) -> np.ndarray | None:
    """Phosphine positions, (10, n, 3) in Angstrom: the first clash-free draw, for start 0 the roomiest of several."""
    roomiest: Arrangement | None = None
    for draw in range(_DRAWS):
        found = placement.search(rng)
        if found.clash_free and (roomiest is None or found.crowding < roomiest.crowding):
            roomiest = found
        if roomiest and (start > 0 or draw + 1 >= _CANONICAL_DRAWS):
            break
    return roomiest.positions if roomiest else None


def _core(model: RodModel, belt_deg: float) -> tuple[tuple[str, ...], np.ndarray]:
    """Metal atoms and halides, Angstrom; lower end first, its Ag5 at azimuth -twist/2."""
    radius = CIRCUMRADIUS_ANGSTROM
    ring, near, far = 2 * radius / 5**0.5, radius * (1 - 5**-0.5), radius * (1 + 5**-0.5)
    ends = ((-1.0, -model.twist_deg / 2), (1.0, model.twist_deg / 2))
    centres = np.array([[0.0, 0.0, side * radius] for side, _ in ends])
    apices = 2 * centres
    silver = np.concatenate([_ring(5, ring, side * near, azimuth) for side, azimuth in ends])
    gold = np.concatenate([_ring(5, ring, side * far, azimuth + 36.0) for side, azimuth in ends])
    length = BELT_ANGSTROM[model.halide]
    belt = np.array([_belt_site(silver, model.twist_deg / 6 + belt_deg + 60.0 * k, length) for k in range(6)])
    terminal = apices * (1 + TERMINAL_ANGSTROM[model.halide] / (2 * radius))
    return _core_symbols(model), np.concatenate([np.zeros((1, 3)), centres, gold, silver, apices, belt, terminal])


def _ring(count: int, radius: float, height: float, azimuth_deg: float) -> np.ndarray:
    around = np.radians(azimuth_deg + 360.0 / count * np.arange(count))
    return np.column_stack([radius * np.cos(around), radius * np.sin(around), np.full(count, height)])


def _belt_site(silver: np.ndarray, azimuth_deg: float, length: float) -> np.ndarray:
    """Where a belt halide rests at a given azimuth: height and distance from the axis free, Morse-bound to each Ag."""
    from scipy.optimize import minimize

    x, y = np.cos(np.radians(azimuth_deg)), np.sin(np.radians(azimuth_deg))

    def site(free: np.ndarray) -> np.ndarray:
        return np.array([free[0] * x, free[0] * y, free[1]])

    def energy(free: np.ndarray) -> float:
        stretch = np.linalg.norm(silver - site(free), axis=1) - length
        return float(((1.0 - np.exp(-_BELT_RANGE * stretch)) ** 2 - 1.0).sum())

    return site(minimize(energy, np.array([4.4, 0.0]), method="BFGS").x)


def _first_site(twist_deg: float, symbols: tuple[str, ...], core: np.ndarray) -> Surroundings:
    """Seat the first phosphine: on the first Au5 atom, along the line from the centre of its icosahedron."""
    sites = range(3, 13)
    first = core[sites[0]]
    outward = first - core[1]
    x = outward / np.linalg.norm(outward)
    # The local xy plane holds the rod, so that turn 0 points the first substituent along it.
    y = np.array([0.0, 0.0, 1.0]) - x[2] * x
    y /= np.linalg.norm(y)
    return Surroundings(
        origin=first + AU_P_ANGSTROM * x,
        frame=np.column_stack([x, y, np.cross(x, y)]),
        own_metals=sites,
        twist_deg=twist_deg,
        symbols=symbols,
        positions=core,
    )
