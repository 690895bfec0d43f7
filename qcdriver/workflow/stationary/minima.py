"""Minima of the grid in, what they become when every constraint is off: each structure once, whatever its hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from qcdriver.geometry.bonds import broken
from qcdriver.geometry.likeness import likeness
from qcdriver.models.molecule import Molecule
from qcdriver.models.outcomes import Relaxed
from qcdriver.models.records import TaskRecord
from qcdriver.models.tasks import Relaxation
from qcdriver.models.verdicts import Code, Note, Purpose, Twin, Verdict, failure
from qcdriver.workflow.base import Job
from qcdriver.workflow.stationary.settings import MINIMUM, GridPoint, Search


@dataclass(frozen=True)
class RelaxedMinimum:
    """What a minimum of the grid became: `relaxed`, in the same numbering, is the structure of `same_as` or its own."""

    point: GridPoint
    key: str
    relaxed: Molecule
    energy: float
    same_as: RelaxedMinimum | None = None
    mirrored: bool = False

    @property
    def itself(self) -> RelaxedMinimum:
        """The minimum whose structure this is."""
        return self.same_as or self


def relaxation(point: GridPoint, search: Search) -> Job:
    """Relax a minimum of the grid, nothing held."""
    task = Relaxation(molecule=point.molecule, level=search.level, convergence=search.convergence)
    return Job(MINIMUM + point.place, task, Purpose.MINIMUM, (point.key,))


def judged_minima(
    minima: Sequence[GridPoint], records: Sequence[TaskRecord], search: Search
) -> tuple[list[Verdict], list[RelaxedMinimum]]:
    """Give verdicts on what did not relax, or fell apart, and all the rest, the lowest first."""
    verdicts: list[Verdict] = []
    relaxed: list[RelaxedMinimum] = []
    for point, record in zip(minima, records, strict=True):
        if not isinstance(record.outcome, Relaxed):
            verdicts.append(_dropped(point, record.key, failure(record.outcome)))
        elif damage := broken(point.molecule, record.outcome.molecule, search.metal_bonds_to_lose):
            verdicts.append(_dropped(point, record.key, Note(code=Code.FELL_APART, facts=damage)))
        else:
            relaxed.append(RelaxedMinimum(point, record.key, record.outcome.molecule, record.outcome.result.energy))
    return verdicts, sorted(relaxed, key=lambda minimum: minimum.energy)


def merged(minima: Sequence[RelaxedMinimum], search: Search) -> dict[str, RelaxedMinimum]:
    """Merge what became one structure, the lowest first; give all by place."""
    found: dict[str, RelaxedMinimum] = {}
    for lowest in sorted(minima, key=lambda minimum: minimum.energy):
        unlike = [other for other in found.values() if not other.same_as]
        found[lowest.point.place] = next((twin for other in unlike if (twin := _merged(lowest, other, search))), lowest)
    return found


def followed(minima: dict[str, RelaxedMinimum], moved: dict[str, RelaxedMinimum]) -> dict[str, RelaxedMinimum]:
    """Let what was the same as a minimum follow where that one went; what went nowhere else is there as it was."""
    found = {}
    for place, minimum in minima.items():
        there = moved[minimum.itself.point.place]
        if minimum.same_as is None:
            found[place] = there
        else:
            found[place] = replace(minimum, same_as=there.itself, mirrored=minimum.mirrored != there.mirrored)
    return found


def duplicate(minimum: RelaxedMinimum) -> Verdict:
    """Drop what became the structure of another minimum."""
    twin = Twin(label=MINIMUM + minimum.itself.point.place, key=minimum.itself.key)
    code = Code.MIRROR_IMAGE if minimum.mirrored else Code.DUPLICATE
    return _dropped(minimum.point, minimum.key, Note(code=code, facts=twin))


def _dropped(point: GridPoint, key: str, why: Note) -> Verdict:
    return Verdict(
        label=MINIMUM + point.place,
        key=key,
        kept=False,
        code=why.code,
        facts=why.facts,
        purpose=Purpose.MINIMUM,
        place=point.values,
    )


def _merged(minimum: RelaxedMinimum, lower: RelaxedMinimum, search: Search) -> RelaxedMinimum | None:
    if minimum.energy - lower.energy > search.duplicate:
        return None
    like = likeness(lower.relaxed, minimum.relaxed, search.duplicate_angstrom)
    return replace(minimum, same_as=lower, mirrored=like == "mirror image") if like else None
