"""Minima of a scan's grid, and ways over its passes -> stationary points of the whole surface, each verified.

Minima are relaxed with every constraint off, duplicates and mirror images merged; a band climbs each pass between the
minima that its ends became. A minimum is one without an imaginary wavenumber, a saddle with exactly one. What is not
is dropped with its verdict; a pass whose ends became one minimum is still a path, from one numbering of its atoms to
another, as a methyl group turns on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from qcdriver.errors import InputError
from qcdriver.schema import (
    Band,
    Convergence,
    Failure,
    Frequencies,
    Level,
    Molecule,
    PathSearch,
    Relaxation,
    Relaxed,
    TaskRecord,
    Verdict,
    Vibrations,
)
from qcdriver.stage import Job, Stage, alone
from qcdriver.structures.alignment import align
from qcdriver.structures.bonds import broken
from qcdriver.structures.similarity import likeness
from qcdriver.structures.topology import find_topology

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


@dataclass(frozen=True)
class _Minimum:
    """What a minimum of the grid became: `relaxed`, in the same numbering, is the structure of `same_as` or its own."""

    point: GridPoint
    key: str
    relaxed: Molecule
    energy: float
    same_as: _Minimum | None = None
    mirrored: bool = False

    @property
    def itself(self) -> _Minimum:
        return self.same_as or self


@dataclass(frozen=True)
class _Saddle:
    way: Way
    key: str
    band: Band
    ends: frozenset[str]

    @property
    def top(self) -> Molecule:
        return self.band.images[self.band.highest]


def stationary(minima: Sequence[GridPoint], ways: Sequence[Way], search: Search) -> Stage:
    """Find the minima and the saddles between them.

    Returns
    -------
    A verdict on every minimum, every saddle, and the vibrations of each; a duplicate names what it is the same as. The
    parents of a saddle's record are the minima it connects.
    """
    records = yield [alone(_relaxation(each, search)) for each in minima]
    verdicts, found = _judged_minima(minima, records, search)
    routes: list[tuple[Way, Job]] = []
    for way in ways:
        job = _path(way, found, search)
        if isinstance(job, Verdict):
            verdicts.append(job)
        else:
            routes.append((way, job))
    records = yield [alone(job) for _, job in routes]
    dropped, saddles = _judged_paths([way for way, _ in routes], records, search)
    points = [(MINIMUM + each.point.place, each.key, each.relaxed, 0) for each in found.values() if not each.same_as]
    points += [(SADDLE + each.way.place, each.key, each.top, 1) for each in saddles]
    records = yield [alone(_vibrations(label, key, molecule, search)) for label, key, molecule, _ in points]
    for (label, key, _, wanted), record in zip(points, records, strict=True):
        verdicts += _verified(label, key, wanted, record)
    return [*verdicts, *dropped]


def core_atoms(molecule: Molecule) -> tuple[int, ...]:
    """List the metal atoms and what bridges them: halides, hydrides and sulfur.

    Raises
    ------
    InputError
        There is no metal.
    """
    topology = find_topology(molecule)
    if not topology.metals:
        raise InputError(f"core_only = true: {molecule.formula} has no metal core; leave it out")
    sulfur = (atom for atom in topology.donors if molecule.symbols[atom] == "S")
    return tuple(sorted({*topology.metals, *topology.wanderers, *sulfur}))


def _relaxation(point: GridPoint, search: Search) -> Job:
    task = Relaxation(molecule=point.molecule, level=search.level, convergence=search.convergence)
    return Job(MINIMUM + point.place, task, (point.key,))


def _judged_minima(
    minima: Sequence[GridPoint], records: Sequence[TaskRecord], search: Search
) -> tuple[list[Verdict], dict[str, _Minimum]]:
    """Merge what became one structure, the lowest first; give verdicts on the rest, and all that relaxed by place."""
    verdicts: list[Verdict] = []
    relaxed: list[_Minimum] = []
    for point, record in zip(minima, records, strict=True):
        if isinstance(record.outcome, Relaxed) and not (damage := broken(point.molecule, record.outcome.molecule)):
            relaxed.append(_Minimum(point, record.key, record.outcome.molecule, record.outcome.result.energy))
            continue
        reason = f"fell apart: {damage}" if isinstance(record.outcome, Relaxed) else _why(record)
        verdicts.append(Verdict(label=MINIMUM + point.place, key=record.key, kept=False, reason=reason))
    found: dict[str, _Minimum] = {}
    for each in sorted(relaxed, key=lambda minimum: minimum.energy):
        unlike = [other for other in found.values() if not other.same_as]
        twin = next((merged for other in unlike if (merged := _merged(each, other, search))), None)
        found[each.point.place] = twin or each
        if twin:
            reason = f"became the {'mirror image of' if twin.mirrored else 'same structure as'} the "
            reason += MINIMUM + twin.itself.point.place
            verdicts.append(Verdict(label=MINIMUM + each.point.place, key=each.key, kept=False, reason=reason))
    return verdicts, found


def _merged(each: _Minimum, lower: _Minimum, search: Search) -> _Minimum | None:
    if each.energy - lower.energy > search.duplicate:
        return None
    like = likeness(lower.relaxed, each.relaxed, search.duplicate_angstrom)
    return replace(each, same_as=lower, mirrored=like == "mirror image") if like else None


def _path(way: Way, found: dict[str, _Minimum], search: Search) -> Job | Verdict:
    """Lay the points of a way on one another, from minimum to minimum, in one numbering of atoms."""
    label = SADDLE + way.place
    for place in way.between:
        if place not in found:
            reason = f"no path: the {MINIMUM}{place}, where it would end, did not relax"
            return Verdict(label=label, key="", kept=False, reason=reason)
    minima = [found[place] for place in way.between]
    try:
        steps = _in_one_numbering(way)
        start, end = (_relaxed_end(*each) for each in zip(minima, (steps[0], steps[-1]), strict=True))
    except InputError as error:
        return Verdict(label=label, key="", kept=False, reason=f"no path: {error}")
    task = PathSearch(
        molecule=start,
        end=end,
        through=tuple(step.molecule for step in steps),
        level=search.level,
        n_images=search.n_images,
        max_force=search.max_force,
        max_steps=search.max_steps,
    )
    return Job(label, task, tuple(dict.fromkeys(minimum.itself.key for minimum in minima)))


@dataclass(frozen=True)
class _Step:
    """A point on a way, of one hand: `order` are its atoms in the numbering of the first."""

    molecule: Molecule
    mirrored: bool
    order: np.ndarray


def _in_one_numbering(way: Way) -> list[_Step]:
    """Lay the points of a way on one another, each in the order of atoms and of the hand that is nearest."""
    (first, hands), *others = way.points
    ways = []
    for mirrored in hands:
        molecule = first.molecule.mirrored() if mirrored else first.molecule
        steps = [_Step(molecule, mirrored, np.arange(len(molecule.symbols)))]
        far = 0.0
        for point, allowed in others:
            rmsd, step = min((_laid(steps[-1], point.molecule, each) for each in allowed), key=lambda laid: laid[0])
            steps.append(step)
            far += rmsd
        ways.append((far, steps))
    return min(ways, key=lambda each: each[0])[1]


def _laid(before: _Step, molecule: Molecule, mirrored: bool) -> tuple[float, _Step]:
    moved = molecule.mirrored() if mirrored else molecule
    way = align(before.molecule, moved)
    return way.rmsd_angstrom, _Step(moved.moved(moved.geometry[way.order]), mirrored, way.order)


def _relaxed_end(minimum: _Minimum, step: _Step) -> Molecule:
    """Give what a minimum of the grid became, in the numbering and of the hand that it has on the way."""
    own = minimum.relaxed.mirrored() if step.mirrored else minimum.relaxed
    if minimum.same_as:
        same = minimum.itself.relaxed
        if step.mirrored != minimum.mirrored:
            same = same.mirrored()
        own = own.moved(same.geometry[align(own, same).order])
    return own.moved(own.geometry[step.order])


def _judged_paths(
    ways: Sequence[Way], records: Sequence[TaskRecord], search: Search
) -> tuple[list[Verdict], list[_Saddle]]:
    """Keep the paths that climb over a top, and each top once."""
    verdicts: list[Verdict] = []
    saddles: list[_Saddle] = []
    for way, record in zip(ways, records, strict=True):
        reason = None
        if not isinstance(record.outcome, Band):
            reason = _why(record)
        elif record.outcome.highest in (0, len(record.outcome.images) - 1):
            reason = "no top between its ends: the path only descends"
        else:
            each = _Saddle(way, record.key, record.outcome, frozenset(record.parents))
            twin = next((other for other in saddles if _same_saddle(each, other, search)), None)
            if twin is None:
                saddles.append(each)
                continue
            reason = f"the same as the {SADDLE}{twin.way.place}"
        verdicts.append(Verdict(label=SADDLE + way.place, key=record.key, kept=False, reason=reason))
    return verdicts, saddles


def _same_saddle(each: _Saddle, other: _Saddle, search: Search) -> bool:
    apart = abs(max(each.band.energies) - max(other.band.energies))
    return (
        each.ends == other.ends
        and apart <= search.duplicate
        and likeness(each.top, other.top, search.duplicate_angstrom) is not None
    )


def _why(record: TaskRecord) -> str:
    return f"not converged: {record.outcome.message}" if isinstance(record.outcome, Failure) else "no result"


def _vibrations(label: str, key: str, molecule: Molecule, search: Search) -> Job:
    atoms = core_atoms(molecule) if search.core_only else ()
    return Job(label + VIBRATIONS, Vibrations(molecule=molecule, level=search.level, atoms=atoms), (key,))


def _verified(label: str, key: str, wanted: int, record: TaskRecord) -> list[Verdict]:
    """Judge a stationary point by its imaginary wavenumbers."""
    outcome = record.outcome
    if isinstance(outcome, Frequencies):
        below = [f"{-each:.0f}i" for each in outcome.wavenumbers_cm if each < 0]
        kept = outcome.n_imaginary == wanted
        small = below[outcome.n_imaginary :]
        note = f"{' and '.join(small)} 1/cm counted as noise" if small else None
        words = "a minimum has none" if wanted == 0 else "a saddle has exactly one"
        shown = f"{outcome.n_imaginary} imaginary wavenumbers ({', '.join(below)} 1/cm); {words}"
        reason = note if kept else shown
    else:
        kept, reason = False, f"not verified: {_why(record)}"
    return [
        Verdict(label=label, key=key, kept=kept, reason=None if kept else reason),
        Verdict(label=label + VIBRATIONS, key=record.key, kept=kept, reason=reason),
    ]
