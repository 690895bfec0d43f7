"""What a search for stationary points starts from, how it searches, and how its calculations are labelled."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import Field

from qcdriver.models.base import Frozen
from qcdriver.models.level import Convergence, Level
from qcdriver.models.molecule import Molecule
from qcdriver.models.verdicts import Code
from qcdriver.workflow.threshold import Threshold

MINIMUM, SADDLE, VIBRATIONS = "minimum at ", "saddle at ", ", vibrations"
"""How the calculations of this stage are labelled; the place on the grid stands between."""
NO_FAILURE = frozenset({Code.DUPLICATE, Code.MIRROR_IMAGE, Code.NO_TOP})
"""Why a point is no stationary point of its own; any other code of a dropped point is a failure."""


class StationarySettings(Frozen):
    """`[stationary]`: the minima of the scan relaxed freely to `threshold`, the saddles between them, all verified.

    At the scan's level. Minima within `duplicate_kcal_mol` and `duplicate_angstrom` are one, also mirror images. A band
    of `images` climbs each pass of the grid until no force on it exceeds `max_force_ev_angstrom`; from its top the
    saddle is found to `threshold`. Wavenumbers from the Hessian of all atoms, or, `core_only`, of the metal, halides,
    hydrides and sulfur.
    """

    threshold: Threshold = Threshold(max_force_ev_angstrom=0.01, energy_change_ev=1e-4)
    images: int = Field(default=7, ge=3, le=99)
    max_force_ev_angstrom: float = Field(default=0.05, gt=0)
    max_steps: int = Field(default=500, gt=0)
    core_only: bool = False
    duplicate_kcal_mol: float = Field(default=0.1, ge=0)
    duplicate_angstrom: float = Field(default=0.1, gt=0)


@dataclass(frozen=True)
class GridPoint:
    """A point of the grid: its name, the key of its record, its structure, and its values in degrees or bohr."""

    place: str
    key: str
    molecule: Molecule
    values: tuple[float, ...]


@dataclass(frozen=True)
class PassRoute:
    """A pass of the grid: its name, the names of the minima it connects, and the points from the one to the other.

    With each point, whether the way leads over its mirror image; over either, where symmetry leaves that open.
    `values` of the pass, in degrees or bohr.
    """

    place: str
    between: tuple[str, str]
    points: tuple[tuple[GridPoint, tuple[bool, ...]], ...]
    values: tuple[float, ...]


@dataclass(frozen=True)
class Search:
    """How stationary points are found: level, relaxation of minima, bands, vibrations of which atoms, what is equal.

    `max_force`, `max_steps`, `n_images` as in `tasks.PathSearch`; `core_only`: the Hessian of the core alone;
    `metal_bonds_to_lose` as `broken` takes it.
    """

    level: Level
    convergence: Convergence
    n_images: int
    max_force: float
    max_steps: int
    core_only: bool
    duplicate: float
    duplicate_angstrom: float
    metal_bonds_to_lose: float | None = None
