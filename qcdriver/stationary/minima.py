"""Minima of the grid in, what they become when every constraint is off: each structure once, whatever its hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from qcdriver.schema import Molecule, Relaxation, Relaxed, TaskRecord, Verdict
from qcdriver.stage import Job
from qcdriver.stationary.search import MINIMUM, GridPoint, Search, why
from qcdriver.structures.bonds import broken
from qcdriver.structures.similarity import likeness


@dataclass(frozen=True)
class Minimum:
    """What a minimum of the grid became: `relaxed`, in the same numbering, is the structure of `same_as` or its own."""

    point: GridPoint
    key: str
    relaxed: Molecule
    energy: float
    same_as: Minimum | None = None
    mirrored: bool = False

    @property
    def itself(self) -> Minimum:
        """The minimum whose structure this is."""
        return self.same_as or self


def relaxation(point: GridPoint, search: Search) -> Job:
    """Relax a minimum of the grid, nothing held."""
    task = Relaxation(molecule=point.molecule, level=search.level, convergence=search.convergence)
    return Job(MINIMUM + point.place, task, (point.key,))


def judged_minima(
    minima: Sequence[GridPoint], records: Sequence[TaskRecord], search: Search
) -> tuple[list[Verdict], dict[str, Minimum]]:
    """Merge what became one structure, the lowest first; give verdicts on the rest, and all that relaxed by place."""
    verdicts: list[Verdict] = []
    relaxed: list[Minimum] = []
    for point, record in zip(minima, records, strict=True):
        if isinstance(record.outcome, Relaxed) and not (damage := broken(point.molecule, record.outcome.molecule)):
            relaxed.append(Minimum(point, record.key, record.outcome.molecule, record.outcome.result.energy))
            continue
        reason = f"fell apart: {damage}" if isinstance(record.outcome, Relaxed) else why(record)
        verdicts.append(Verdict(label=MINIMUM + point.place, key=record.key, kept=False, reason=reason))
    found: dict[str, Minimum] = {}
    for each in sorted(relaxed, key=lambda minimum: minimum.energy):
        unlike = [other for other in found.values() if not other.same_as]
        twin = next((merged for other in unlike if (merged := _merged(each, other, search))), None)
        found[each.point.place] = twin or each
        if twin:
            reason = f"became the {'mirror image of' if twin.mirrored else 'same structure as'} the "
            reason += MINIMUM + twin.itself.point.place
            verdicts.append(Verdict(label=MINIMUM + each.point.place, key=each.key, kept=False, reason=reason))
    return verdicts, found


def _merged(each: Minimum, lower: Minimum, search: Search) -> Minimum | None:
    if each.energy - lower.energy > search.duplicate:
        return None
    like = likeness(lower.relaxed, each.relaxed, search.duplicate_angstrom)
    return replace(each, same_as=lower, mirrored=like == "mirror image") if like else None
