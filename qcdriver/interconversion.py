"""Conformers -> the paths between them: from each to its mirror image, and to the next.

Which atom of the end an atom of the start becomes is what the best alignment says, for either hand of the end; so
a path moves every atom as little as it can, and no bond is made or broken that need not be.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from qcdriver.schema import Band, Failure, Level, Molecule, PathSearch, TaskRecord, Verdict
from qcdriver.stage import Job, Stage, alone
from qcdriver.structures.alignment import Alignment, align
from qcdriver.structures.bonds import broken, opened

ACHIRAL_ANGSTROM = 0.1
"""A conformer of which no atom lies farther than this from its place in the mirror image has no hand."""


@dataclass(frozen=True)
class Minimum:
    """A relaxed conformer and the key of its record."""

    label: str
    key: str
    molecule: Molecule


@dataclass(frozen=True)
class Route:
    """A path to find: `end` has its atoms in the order of `start`, and the hand that is nearer to it."""

    label: str
    start: Molecule
    end: Molecule
    parents: tuple[str, ...]


def interconversion(minima: Sequence[Minimum], level: Level, n_images: int, max_force: float, max_steps: int) -> Stage:
    """Find the paths between conformers.

    Parameters
    ----------
    minima
        Relaxed at `level`, the lowest first.
    n_images, max_force, max_steps
        As in `schema.PathSearch`.

    Returns
    -------
    A verdict on every path; the reason of a kept one says which bonds are open at its top.
    """
    routes = _routes(minima)
    records = yield [
        alone(
            Job(
                each.label,
                PathSearch(
                    molecule=each.start,
                    end=each.end,
                    level=level,
                    n_images=n_images,
                    max_force=max_force,
                    max_steps=max_steps,
                ),
                each.parents,
            )
        )
        for each in routes
    ]
    return [_verdict(route, record) for route, record in zip(routes, records, strict=True)]


def _routes(minima: Sequence[Minimum]) -> list[Route]:
    routes = []
    for each in minima:
        to_mirror = align(each.molecule, each.molecule, improper=True)
        if to_mirror.largest_angstrom > ACHIRAL_ANGSTROM:
            routes.append(_route(each, each, to_mirror))
    for one, other in itertools.pairwise(minima):
        ways = [align(one.molecule, other.molecule, improper) for improper in (False, True)]
        routes.append(_route(one, other, min(ways, key=lambda way: way.rmsd_angstrom)))
    return routes


def _route(one: Minimum, other: Minimum, way: Alignment) -> Route:
    geometry = other.molecule.geometry[way.order] * (-1.0 if way.improper else 1.0)
    return Route(
        label=f"{one.label} -> {'mirror image of ' if way.improper else ''}{other.label}",
        start=one.molecule,
        end=one.molecule.moved(geometry),
        parents=tuple(dict.fromkeys((one.key, other.key))),
    )


def _verdict(route: Route, record: TaskRecord) -> Verdict:
    outcome = record.outcome
    if isinstance(outcome, Band):
        top = outcome.images[outcome.highest]
        reason = broken(route.start, top) or opened(route.start, top)
        return Verdict(label=route.label, key=record.key, kept=True, reason=reason)
    reason = outcome.message if isinstance(outcome, Failure) else "no path"
    return Verdict(label=route.label, key=record.key, kept=False, reason=reason)
