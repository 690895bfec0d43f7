"""Ways over the passes of the grid in, the saddles out that bands and searches from their tops find."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from qcdriver.errors import InputError
from qcdriver.geometry.alignment import align
from qcdriver.geometry.likeness import likeness
from qcdriver.geometry.superposition import distances_superposed, rotation_onto, superpose
from qcdriver.models.molecule import Molecule
from qcdriver.models.outcomes import Band, Relaxed
from qcdriver.models.records import TaskRecord
from qcdriver.models.tasks import PathSearch, SaddleSearch
from qcdriver.models.verdicts import Code, Error, Moved, Note, Purpose, Twin, Verdict, failure
from qcdriver.store.keys import GEOMETRY_DECIMALS
from qcdriver.units import ANGSTROM
from qcdriver.workflow.base import Job, Line
from qcdriver.workflow.stationary.minima import RelaxedMinimum
from qcdriver.workflow.stationary.settings import MINIMUM, SADDLE, PassRoute, Search

EQUAL_ANGSTROM = 1e-3
"""Two numberings of a symmetric structure that lay it as near, to this, are one."""
LEFT_ANGSTROM = 1.0
"""A saddle of which an atom lies farther than this from its place at the top of the path belongs to another path."""


@dataclass(frozen=True)
class Climb:
    """The records of a path, and of the search for the saddle from its top, if it has one between its ends."""

    path: TaskRecord
    saddle: TaskRecord | None = None


@dataclass(frozen=True)
class Saddle:
    """What a path led to: the key of its record, its structure and energy, and the keys of the minima it connects."""

    way: PassRoute
    key: str
    top: Molecule
    energy: float
    ends: frozenset[str]


def path_search(way: PassRoute, found: dict[str, RelaxedMinimum], search: Search) -> Job | Verdict:
    """Lay the points of a way on one another, from minimum to minimum, in one numbering of atoms.

    Parameters
    ----------
    found
        What the minima of the grid became, by their places.

    Returns
    -------
    The search for the path along them; or the verdict why there is none.
    """
    label = SADDLE + way.place
    for place in way.between:
        if place not in found:
            missing = Twin(label=MINIMUM + place, key="")
            return _dropped(way, "", Note(code=Code.NO_PATH, facts=missing))
    minima = [found[place] for place in way.between]
    try:
        steps = _in_one_numbering(way)
        start, end = (_relaxed_end(*pair) for pair in zip(minima, (steps[0], steps[-1]), strict=True))
    except InputError as error:
        return _dropped(way, "", Note(code=Code.NO_PATH, facts=Error(type=type(error).__name__, message=str(error))))
    task = PathSearch(
        molecule=start,
        end=end,
        through=tuple(step.molecule for step in steps),
        level=search.level,
        n_images=search.n_images,
        max_force=search.max_force,
        max_steps=search.max_steps,
    )
    return Job(label, task, Purpose.PATH, tuple(dict.fromkeys(minimum.itself.key for minimum in minima)))


def _dropped(way: PassRoute, key: str, why: Note) -> Verdict:
    return Verdict(
        label=SADDLE + way.place,
        key=key,
        kept=False,
        code=why.code,
        facts=why.facts,
        purpose=Purpose.SADDLE,
        place=way.values,
    )


@dataclass(frozen=True)
class _Step:
    """A point on a way, of one hand: `order` are its atoms in the numbering of the first."""

    molecule: Molecule
    mirrored: bool
    order: np.ndarray


def _in_one_numbering(way: PassRoute) -> list[_Step]:
    """Lay the points of a way on one another, each in the order of atoms and of the hand that is nearest."""
    (first, hands), *others = way.points
    ways = []
    for mirrored in hands:
        molecule = first.molecule.mirrored() if mirrored else first.molecule
        steps = [_Step(molecule, mirrored, np.arange(len(molecule.symbols)))]
        far = 0.0
        for point, allowed in others:
            rmsd, step = min(
                (_laid(steps[-1], point.molecule, molecule) for molecule in allowed), key=lambda laid: laid[0]
            )
            steps.append(step)
            far += rmsd
        ways.append((far, steps))
    return min(ways, key=lambda pair: pair[0])[1]


def _laid(before: _Step, molecule: Molecule, mirrored: bool) -> tuple[float, _Step]:
    """Lay a structure on the one before; its atoms keep their numbering where another brings it no nearer."""
    moved = molecule.mirrored() if mirrored else molecule
    way = align(before.molecule, moved)
    rmsd, order = way.rmsd_angstrom, way.order
    kept = superpose(before.molecule.geometry, moved.geometry[before.order])
    if kept.rmsd * ANGSTROM <= rmsd + EQUAL_ANGSTROM:
        order = before.order
    return rmsd, _Step(moved.moved(moved.geometry[order]), mirrored, order)


def _relaxed_end(minimum: RelaxedMinimum, step: _Step) -> Molecule:
    """Give what a minimum of the grid became, in the numbering and of the hand that it has on the way."""
    own = minimum.relaxed.mirrored() if step.mirrored else minimum.relaxed
    if minimum.same_as:
        same = minimum.itself.relaxed
        if step.mirrored != minimum.mirrored:
            same = same.mirrored()
        own = own.moved(same.geometry[align(own, same).order])
    return own.moved(own.geometry[step.order])


def climbed(job: Job, search: Search) -> Line[Climb]:
    """Find a path, and the saddle from its top."""
    path = yield job
    band = path.outcome
    if not isinstance(band, Band) or band.highest in (0, len(band.images) - 1):
        return Climb(path)
    top = band.images[band.highest]
    task = SaddleSearch(molecule=top, level=search.level, along=_along(band), convergence=search.convergence)
    return Climb(path, (yield Job(f"{job.label}, from the top of the path", task, Purpose.SADDLE, (path.key,))))


def _along(band: Band) -> np.ndarray:
    """Give the direction of a path at its top, between the images before and behind it laid on it."""
    before, top, behind = (image.geometry for image in band.images[band.highest - 1 : band.highest + 2])
    start, end = ((side - side.mean(axis=0)) @ rotation_onto(top, side).T for side in (before, behind))
    direction: np.ndarray = (end - start) / np.linalg.norm(end - start)
    # The key of the search holds it; its last digits are another machine's linear algebra.
    return direction.round(GEOMETRY_DECIMALS) + 0.0  # no -0.0


def judged_paths(
    ways: Sequence[PassRoute], climbs: Sequence[Climb], search: Search
) -> tuple[list[Verdict], list[Saddle]]:
    """Keep the saddles that were reached, and each once."""
    verdicts: list[Verdict] = []
    saddles: list[Saddle] = []
    for way, climb in zip(ways, climbs, strict=True):
        record = climb.saddle or climb.path
        if (far := _left(climb)) is not None:
            why = Note(code=Code.LEFT_PATH, facts=Moved(angstrom=far))
        elif isinstance(record.outcome, Relaxed):
            relaxed = record.outcome
            ends = frozenset(climb.path.parents)
            saddle = Saddle(way, record.key, relaxed.molecule, relaxed.result.energy, ends)
            twin = next((other for other in saddles if _same_saddle(saddle, other, search)), None)
            if twin is None:
                saddles.append(saddle)
                continue
            why = Note(code=Code.DUPLICATE, facts=Twin(label=SADDLE + twin.way.place, key=twin.key))
        elif isinstance(record.outcome, Band):
            why = Note(code=Code.NO_TOP)
        else:
            why = failure(record.outcome)
        verdicts.append(_dropped(way, record.key, why))
    return verdicts, saddles


def _left(climb: Climb) -> float | None:
    """Tell how far an atom moved from the top of the path, in Angstrom, where that was too far."""
    if climb.saddle is None or not isinstance(climb.saddle.outcome, Relaxed):
        return None
    assert climb.path.molecule is not None
    moved = distances_superposed(climb.path.molecule.geometry, climb.saddle.outcome.molecule.geometry)
    far = float(moved.max()) * ANGSTROM
    return far if far > LEFT_ANGSTROM else None


def _same_saddle(saddle: Saddle, other: Saddle, search: Search) -> bool:
    return (
        saddle.ends == other.ends
        and abs(saddle.energy - other.energy) <= search.duplicate
        and likeness(saddle.top, other.top, search.duplicate_angstrom) is not None
    )
