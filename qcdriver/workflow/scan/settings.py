"""`[scan]` of an input: the one or two coordinates that are driven over a grid, and how."""

from __future__ import annotations

import math
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from qcdriver import units
from qcdriver.models.base import Frozen
from qcdriver.systems.registry import families
from qcdriver.workflow.threshold import Threshold

MAX_POINTS = 10_000
_N_ATOMS = {"distance": 2, "angle": 3, "dihedral": 4}
_OWN_KINDS = ("twist", "dihedral", "angle", "distance", "combination")
"""The kinds that count atoms; a cluster family may have others."""
_ON_GRID = 1e-6


class ScanTerm(Frozen):
    """A term of a combination: its weight, and two atoms of a distance, three of an angle or four of a dihedral."""

    weight: float
    atoms: tuple[int, ...]

    @model_validator(mode="after")
    def _known(self) -> ScanTerm:
        if len(self.atoms) not in _N_ATOMS.values():
            raise ValueError(f"atoms = {list(self.atoms)}: two, three or four atoms belong here")
        _refuse_same(self.atoms)
        return self


class ScanCoordinate(Frozen):
    """`[[scan.coordinate]]`: what is driven, and over which values, in degrees or, of a length, in Angstrom.

    "distance", "angle" and "dihedral" need their `atoms`, counted from 0. The coordinates of a cluster family ("twist"
    and "belt" of a rod) are found in the structure; a twist of anything else takes the atoms of two `rings`, in the
    order in which they pair up, and the `axis` of two atoms. "combination" is a weighted sum of `terms` of one unit.
    After `period_deg` a dihedral, or a twist of `rings`, leads to the same structure again, as after 120 deg for a
    methyl group; a coordinate of a family has its own.
    """

    kind: str
    atoms: tuple[int, ...] | None = None
    rings: tuple[tuple[int, ...], tuple[int, ...]] | None = None
    axis: tuple[int, int] | None = None
    terms: tuple[ScanTerm, ...] | None = None
    start_deg: float | None = None
    stop_deg: float | None = None
    step_deg: float | None = Field(default=None, gt=0)
    start_angstrom: float | None = None
    stop_angstrom: float | None = None
    step_angstrom: float | None = Field(default=None, gt=0)
    period_deg: float | None = Field(default=None, gt=0)

    @field_validator("kind")
    @classmethod
    def _known_kind(cls, kind: str) -> str:
        of_families = (name for family in families().values() for name in family.coordinates)
        *others, last = map(repr, dict.fromkeys((*of_families, *_OWN_KINDS)))
        if repr(kind) not in (*others, last):
            words = {"known": f"{', '.join(others)} or {last}"}
            raise PydanticCustomError("unknown_kind", "input should be {known}", words)
        return kind

    @model_validator(mode="after")
    def _consistent(self) -> ScanCoordinate:
        self._refuse_atoms()
        self._refuse_grid()
        self._refuse_period()
        return self

    def _refuse_atoms(self) -> None:
        wanted = _N_ATOMS.get(self.kind)
        if wanted is None and self.atoms is not None:
            raise ValueError(f'kind = "{self.kind}" takes no atoms')
        if wanted is not None and (self.atoms is None or len(self.atoms) != wanted):
            raise ValueError(f'kind = "{self.kind}" takes atoms = [...] with {wanted} atoms, counted from 0')
        _refuse_same(self.atoms or ())
        if (self.kind == "combination") != (self.terms is not None) or self.terms == ():
            raise ValueError('kind = "combination" takes terms = [{ weight = ..., atoms = [...] }, ...]; no other does')
        if self.terms and len({len(term.atoms) for term in self.terms}) > 1:
            raise ValueError("the terms of a combination are all distances, all angles or all dihedrals")
        if (self.rings is None) != (self.axis is None) or (self.rings and self.kind != "twist"):
            raise ValueError('kind = "twist" takes both rings = [[...], [...]] and axis = [a, b], or none of them')
        if self.rings and self.axis:
            first, last = self.rings
            if not first or len(first) != len(last):
                raise ValueError("rings: both need as many atoms, one or more")
            _refuse_overlap((*first, *last, *self.axis))

    def _refuse_grid(self) -> None:
        unit, other = ("angstrom", "deg") if self.is_length else ("deg", "angstrom")
        values = [getattr(self, f"{name}_{unit}") for name in ("start", "stop", "step")]
        if None in values or any(getattr(self, f"{name}_{other}") is not None for name in ("start", "stop", "step")):
            raise ValueError(f'kind = "{self.kind}" takes start_{unit}, stop_{unit} and step_{unit}')
        start, stop, step = values
        if stop <= start:
            raise ValueError(f"stop_{unit} must lie above start_{unit}")
        if start + step == start or stop - step == stop:
            raise ValueError(f"step_{unit} is too small against start_{unit} and stop_{unit}")
        if step > stop - start:
            raise ValueError(f"step_{unit} must not exceed stop_{unit} - start_{unit}")
        if self.kind in ("distance", "angle") and (start <= 0 or (self.kind == "angle" and stop >= 180)):
            raise ValueError("a distance is positive, an angle between 0 and 180 deg")
        if (stop - start) / step >= MAX_POINTS:
            raise ValueError(f"{MAX_POINTS} points or more; step_{unit} is too small")

    def _refuse_period(self) -> None:
        period, step = self.period_deg, self.step_deg
        if period is None:
            return
        if step is None or (self.kind != "dihedral" and self.rings is None):
            raise ValueError(f'period_deg: kind = "{self.kind}" takes none; a dihedral does, and a twist of rings')
        if not _is_multiple(360.0, period):
            raise ValueError(f"period_deg = {period:g}: a whole turn is no multiple of it")
        if not _is_multiple(period, step):
            raise ValueError(f"period_deg = {period:g} is no multiple of step_deg = {step:g}: its images miss the grid")
        if self.rings and not _is_multiple(period, turn := 360.0 / len(self.rings[0])):
            raise ValueError(f"period_deg = {period:g} is no multiple of {turn:g}, after which the rings pair up again")

    @property
    def what(self) -> tuple[object, ...]:
        """What is driven, whatever the values; the same for atoms counted from either end."""
        atoms = self.atoms and min(self.atoms, self.atoms[::-1])
        return self.kind, atoms, self.rings, self.axis, self.terms

    @property
    def of_family(self) -> bool:
        """Whether a cluster family finds it in the structure; all others count atoms."""
        return not (self.atoms or self.terms or self.rings)

    @property
    def is_length(self) -> bool:
        """Whether its values are Angstrom, not degrees."""
        atoms = self.terms[0].atoms if self.terms else self.atoms or ()
        return len(atoms) == 2

    @property
    def changes_hand(self) -> bool:
        """Whether its value changes its sign in the mirror image; for one that counts atoms."""
        return self.kind in ("twist", "dihedral") or any(len(term.atoms) == 4 for term in self.terms or ())

    @property
    def shown_grid(self) -> tuple[float, ...]:
        """The values to visit in degrees or Angstrom, rising, the end included when a step falls on it."""
        unit = "angstrom" if self.is_length else "deg"
        start, stop, step = (float(getattr(self, f"{name}_{unit}")) for name in ("start", "stop", "step"))
        return tuple(start + index * step for index in range(int((stop - start) / step + 1e-9) + 1))

    @property
    def grid(self) -> tuple[float, ...]:
        """The same in degrees or bohr."""
        return tuple(value / units.ANGSTROM for value in self.shown_grid) if self.is_length else self.shown_grid


Place = float | tuple[float, ...]


class ScanSettings(Frozen):
    """`[scan]`: one or two coordinates driven over a grid, all else relaxed.

    `relax`: by the prescreen's method, or as `[dft]` says. The lowest structure is kept at each point; it spreads to
    its neighbours when it is new, or lower by `improvement_kcal_mol`, unless it lies more than `ceiling_kcal_mol` above
    the lowest. What symmetry makes equal is computed once: the images that the family of a cluster knows; of another
    molecule its mirror image if `mirror` says that it is the same molecule. `dft_points`, of those within
    `dft_within_kcal_mol` of the lowest: "top", "stationary" (minima and passes of the grid), "all", "none", or values
    in degrees or Angstrom.
    """

    coordinate: tuple[ScanCoordinate, ...]
    relax: Literal["xtb", "dft"] = "xtb"
    mirror: bool = False
    threshold: Threshold = Threshold(max_force_ev_angstrom=0.03, energy_change_ev=3e-4)
    improvement_kcal_mol: float = Field(default=0.2, gt=0)
    ceiling_kcal_mol: float | None = Field(default=None, gt=0)
    dft_points: Literal["top", "stationary", "all", "none"] | Annotated[tuple[Place, ...], Field(min_length=1)] = Field(
        default="top",
        json_schema_extra={"belongs": '"top", "stationary", "all", "none" or a list of values in degrees or Angstrom'},
    )
    dft_within_kcal_mol: float | None = Field(default=None, gt=0)

    @model_validator(mode="after")
    def _consistent(self) -> ScanSettings:
        kinds = [coordinate.kind for coordinate in self.coordinate]
        if len(kinds) not in (1, 2):
            raise ValueError(f"coordinate: one makes a profile, two make a map; here are {len(kinds)}")
        if len(set(kinds)) < len(kinds) and any(coordinate.of_family for coordinate in self.coordinate):
            raise ValueError(f"coordinate: {kinds[0]} twice; two different coordinates span a map")
        if len(kinds) == 2 and self.coordinate[0].what == self.coordinate[1].what:
            raise ValueError("coordinate: both are the same; two different coordinates span a map")
        if math.prod(len(coordinate.shown_grid) for coordinate in self.coordinate) > MAX_POINTS:
            raise ValueError(f"coordinate: more than {MAX_POINTS} points; a step is too small")
        grids = [coordinate.shown_grid for coordinate in self.coordinate]
        for place in self.places or ():
            on_grid = len(place) == len(self.coordinate) and all(
                _visits(grid, value) for grid, value in zip(grids, place, strict=True)
            )
            if not on_grid:
                raise ValueError(f"dft_points: {', '.join(f'{value:g}' for value in place)} is not on the grid")
        return self

    @property
    def places(self) -> tuple[tuple[float, ...], ...] | None:
        """The points chosen for DFT by their values, degrees or Angstrom; None if they are chosen by a word."""
        if isinstance(self.dft_points, str):
            return None
        return tuple(place if isinstance(place, tuple) else (place,) for place in self.dft_points)

    @property
    def counts_atoms(self) -> bool:
        """Whether a coordinate names its atoms by number."""
        return not all(coordinate.of_family for coordinate in self.coordinate)

    @property
    def n_points(self) -> int:
        """How many points the grid has."""
        return math.prod(len(coordinate.shown_grid) for coordinate in self.coordinate)


def _visits(grid: tuple[float, ...], value: float) -> bool:
    """Say whether a value is one of an even, rising grid."""
    steps = (value - grid[0]) / (grid[1] - grid[0]) if len(grid) > 1 else 0.0
    return -0.5 < steps < len(grid) - 0.5 and abs(value - grid[round(steps)]) < _ON_GRID


def _is_multiple(value: float, of: float) -> bool:
    return abs(math.remainder(value, of)) < _ON_GRID * of


def _refuse_overlap(atoms: tuple[int, ...]) -> None:
    for atom in atoms:
        if atoms.count(atom) > 1:
            raise ValueError(f"rings and axis overlap: atom {atom} is there more than once")
    _refuse_same(atoms)


def _refuse_same(atoms: tuple[int, ...]) -> None:
    if len(set(atoms)) != len(atoms) or min(atoms, default=0) < 0:
        raise ValueError(f"{list(atoms)} is not {len(atoms)} different atoms counted from 0")
