"""Build a model of [Cu14H10(PR3)8(SR)3]+ from two ligands, a hydride placement, a hand and two amplitudes."""

from __future__ import annotations

import numpy as np
from pydantic import Field

from qcdriver.errors import InputError
from qcdriver.models.base import Frozen
from qcdriver.models.molecule import Molecule
from qcdriver.systems.cu14.atoms import Handedness, ThiolateSite, find_cu14
from qcdriver.systems.cu14.distortion import Distortion, drawn, undistorted
from qcdriver.systems.cu14.draws import drawn_hydrides
from qcdriver.systems.cu14.placements import N_HYDRIDES, hydride_positions, sites_of
from qcdriver.systems.cu14.shell import Core, Shell, ShellSearch
from qcdriver.systems.cu14.skeleton import skeleton
from qcdriver.systems.ligands.phosphines import PHOSPHINES, PhosphineName
from qcdriver.systems.ligands.thiolates import THIOLATES, ThiolateName
from qcdriver.units import ANGSTROM

DEFAULT_HYDRIDES = "O_E1_ER_EL"
"""The middle and all grooves that the S leave.

Of the 37 placements (21 with S at E2, 16 at ER), relaxed with PH3 and SH by GFN1-xTB, nine kept their bonds and the
cube. All nine have S at E2, and all ended here.
"""
DRAWN = "drawn"
"""Hydrides wherever they can bind, another placement for each start."""
SKEW_DEG: dict[ThiolateSite, float] = {"E2": 20.0, "ER": 8.0}
"""Of a model that asks for none, and what starts are drawn around."""
_CORE_SYMBOLS = ("Cu",) * 14 + ("H",) * N_HYDRIDES
_OTHER_WAY_ROUND = [0, 1, 3, 2, 4, 6, 5, 7, 9, 8]
_DRAWS = 40
_CANONICAL_DRAWS = 4
_DRAWS_PER_DISTORTION = 4


class Cu14Model(Frozen):
    """What a model of the cluster is made of.

    Attributes
    ----------
    phosphine, thiolate
        The ligands' names.
    hydrides
        Which sites are filled, as `placements` names them; "drawn": places drawn for each start (`draws`).
    thiolate_site
        Which cube edges the S bridge: "E2", those of one corner (as in the crystals), or "ER", three between the bases.
    handedness
        "left" is the mirror image of "right", atom by atom.
    shift_angstrom
        Of the six edge centres of tetrahedron 1 round the C3 axis. In a right-handed cluster, seen from apex 1, those
        of the base go counter-clockwise and those of the sides clockwise, as they do on relaxation (GFN1-xTB: 0.24
        and 0.25).
    skew_deg
        Turn of the S3 triangle counter-clockwise; None: what makes three Cu-S of about one length, `SKEW_DEG`. With 0
        in both amplitudes the core, its S at "E2", is achiral.
    """

    phosphine: PhosphineName = "PH3"
    thiolate: ThiolateName = "SH"
    hydrides: str = DEFAULT_HYDRIDES
    thiolate_site: ThiolateSite = "E2"
    handedness: Handedness = "right"
    shift_angstrom: float = Field(default=0.0, ge=-1.0, le=1.0)
    skew_deg: float | None = Field(default=None, ge=0.0, le=30.0)


def build_cu14(model: Cu14Model, start: int = 0, seed: int = 0) -> Molecule:
    """Build a Cu14 cluster, free of clashes between its ligands.

    Parameters
    ----------
    model
        What to build.
    start
        0 is the model as asked for, with exact C3 symmetry and the roomiest of a few ligand arrangements. 1, 2, ...
        are distortions (`distortion`) with other arrangements; every third breaks the symmetry. Their amplitudes are
        drawn to either hand, and `handedness` mirrors the whole. With `hydrides` drawn, every start is another
        placement on the model as asked for.
    seed
        With `start`, fixes the distortion and the arrangement; start 0 does not depend on it.

    Returns
    -------
    Molecule
        Charge +1, singlet, apex 1 up along z, in the order Cu14 (as `skeleton` has them), hydrides, thiolates,
        phosphines.

    Raises
    ------
    InputError
        The placement has no such sites, no arrangement without clashes was found, or `start` or `seed` is negative.
    """
    if start < 0 or seed < 0:
        raise InputError(f"start {start}, seed {seed}: both count from 0")
    if model.hydrides != DRAWN:
        sites_of(model.hydrides, model.thiolate_site)
    rng = np.random.default_rng([seed, start] if start or model.hydrides == DRAWN else [0, 0])
    core, shell = _clash_free(model, rng, start)
    positions = np.concatenate([core.positions, shell.thiolates.reshape(-1, 3), shell.phosphines.reshape(-1, 3)])
    mirror = np.array([1.0, -1.0 if model.handedness == "left" else 1.0, 1.0])
    return Molecule(
        symbols=cu14_symbols(model),
        geometry=positions * mirror / ANGSTROM,
        molecular_charge=1,
        molecular_multiplicity=1,
    )


def cu14_symbols(model: Cu14Model) -> tuple[str, ...]:
    """List the elements of a model in the order of its atoms."""
    ligands = 3 * ("S", *THIOLATES[model.thiolate].symbols) + 8 * PHOSPHINES[model.phosphine].all_symbols
    return _CORE_SYMBOLS + ligands


def _clash_free(model: Cu14Model, rng: np.random.Generator, start: int) -> tuple[Core, Shell]:
    """Find the first clash-free draw, for start 0 the roomiest of several on the one core."""
    found: list[tuple[Core, Shell]] = []
    for draw in range(_DRAWS):
        if draw % _DRAWS_PER_DISTORTION == 0:
            distortion = _distortion(model, rng, start, size=(1.0 - draw / _DRAWS) ** 2)
            core = _core(model, distortion, rng)
            search = ShellSearch(PHOSPHINES[model.phosphine], THIOLATES[model.thiolate], core)
        shell = search.search(rng, distortion.keeps_c3, distortion.wobble_deg)
        if shell.clash_free:
            found.append((core, shell))
        if found and (start or draw + 1 >= _CANONICAL_DRAWS):
            return min(found, key=lambda pair: pair[1].crowding)
    raise InputError(
        f"{model.phosphine} and {model.thiolate} on Cu14 with hydrides {model.hydrides}: no placement without clashes "
        f"in {_DRAWS} draws; another start or seed, or other amplitudes, may have one"
    )


def _distortion(model: Cu14Model, rng: np.random.Generator, start: int, size: float) -> Distortion:
    usual = SKEW_DEG[model.thiolate_site]
    if start and model.hydrides != DRAWN:
        return drawn(rng, start, usual, size)
    skew = usual if model.skew_deg is None else model.skew_deg
    return undistorted(-model.shift_angstrom, model.shift_angstrom, skew)


def _core(model: Cu14Model, distortion: Distortion, rng: np.random.Generator) -> Core:
    """Lay out metal, P, S and hydrides of the right-handed cluster, and where the ligands point."""
    bare = skeleton(distortion.side_shift, distortion.base_shift, distortion.skew_deg, model.thiolate_site)
    copper = bare.copper + distortion.copper
    phosphorus = bare.phosphorus + distortion.copper[:8]
    sulfur = bare.sulfur + distortion.sulfur
    if model.hydrides == DRAWN:
        hydrides = drawn_hydrides(copper, np.concatenate([sulfur, phosphorus]), rng)
    else:
        hydrides = _hydrides_in_sites(copper, sulfur, model.hydrides)
    return Core(
        symbols=_CORE_SYMBOLS,
        positions=np.concatenate([copper, hydrides + distortion.hydrides]),
        phosphorus=phosphorus,
        phosphorus_bonds=_unit(phosphorus - copper[:8]),
        sulfur=sulfur,
        sulfur_bonds=np.array([_away(s, copper, flip) for s, flip in zip(sulfur, distortion.flipped, strict=True)]),
    )


def _hydrides_in_sites(copper: np.ndarray, sulfur: np.ndarray, label: str) -> np.ndarray:
    heavy = Molecule(
        symbols=("Cu",) * 14 + ("S",) * 3,
        geometry=np.concatenate([copper, sulfur]) / ANGSTROM,
    )
    cluster = find_cu14(heavy)
    hydrides = hydride_positions(heavy, cluster, label) * ANGSTROM
    # Three of an orbit follow each other as everywhere in the model.
    return hydrides[_OTHER_WAY_ROUND] if cluster.handedness == "left" else hydrides


def _away(sulfur: np.ndarray, copper: np.ndarray, flipped: bool) -> np.ndarray:
    """Point from a mu3-S away from its three nearest Cu; flipped, to the other side of the two it bridges."""
    nearest = copper[np.argsort(np.linalg.norm(copper - sulfur, axis=1))[:3]]
    bonds = _unit(nearest - sulfur)
    away = _unit(-bonds.sum(axis=0))
    if not flipped:
        return away
    normal = _unit(np.cross(bonds[0], bonds[1]))
    mirrored: np.ndarray = away - 2 * (away @ normal) * normal
    return mirrored


def _unit(vectors: np.ndarray) -> np.ndarray:
    scaled: np.ndarray = vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)
    return scaled
