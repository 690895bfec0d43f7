"""What a search for stationary points starts from, how it searches, and how its verdicts are worded."""

from __future__ import annotations

from dataclasses import dataclass

from qcdriver.schema import Convergence, Failure, Level, Molecule, TaskRecord

MINIMUM, SADDLE, VIBRATIONS = "minimum at ", "saddle at ", ", vibrations"
"""How the verdicts of this stage are labelled; the place on the grid stands between."""
NO_FAILURE = ("became the ", "the same as the ", "no top between ")
"""How the reason begins why a point was dropped that is none of its own; any other reason is a failure."""


@dataclass(frozen=True)
class GridPoint:
    """A point of the grid: its name, the key of its record, and its structure."""

    place: str
    key: str
    molecule: Molecule


@dataclass(frozen=True)
class Way:
    """A pass of the grid: its name, the names of the minima it connects, and the points from the one to the other.

    With each point, whether the way leads over its mirror image; over either, where symmetry leaves that open.
    """

    place: str
    between: tuple[str, str]
    points: tuple[tuple[GridPoint, tuple[bool, ...]], ...]


@dataclass(frozen=True)
class Search:
    """How stationary points are found: level, relaxation of minima, bands, vibrations of which atoms, what is equal.

    `max_force`, `max_steps`, `n_images` as in `schema.PathSearch`; `core_only`: the Hessian of the core alone.
    """

    level: Level
    convergence: Convergence
    n_images: int
    max_force: float
    max_steps: int
    core_only: bool
    duplicate: float
    duplicate_angstrom: float


def why(record: TaskRecord) -> str:
    """Say why a record has no number."""
    return f"not converged: {record.outcome.message}" if isinstance(record.outcome, Failure) else "no result"
