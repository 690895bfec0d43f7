"""Conformers -> the paths between them: from each to its mirror image, and to the next.

Which atom of the end an atom of the start becomes is what the best alignment says, for either hand of the end; so
a path moves every atom as little as it can, and no bond is made or broken that need not be.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import Field

from qcdriver import engines
from qcdriver.geometry.alignment import Alignment, align
from qcdriver.geometry.bonds import broken, opened
from qcdriver.models.base import Frozen
from qcdriver.models.level import Level
from qcdriver.models.molecule import Molecule
from qcdriver.models.outcomes import Band
from qcdriver.models.records import TaskRecord
from qcdriver.models.tasks import PathSearch
from qcdriver.models.verdicts import Code, Note, Purpose, Verdict, failure
from qcdriver.units import EV, EV_PER_ANGSTROM, KCAL_MOL
from qcdriver.workflow.base import Job, JobArray, Plan, Rounds, RunView, Stage, alone, kept_keys
from qcdriver.workflow.findings import Dropped, Findings, PathFound
from qcdriver.workflow.prescreen.levels import relaxation_level
from qcdriver.workflow.prescreen.settings import PrescreenSettings
from qcdriver.workflow.prescreen.stage import Prescreen, survivors

if TYPE_CHECKING:
    from pydantic import JsonValue

ACHIRAL_ANGSTROM = 0.1
"""A conformer of which no atom lies farther than this from its place in the mirror image has no hand."""


class InterconversionSettings(Frozen):
    """`[interconversion]`: paths from each conformer to its mirror image and to the next.

    A band of `images` between the ends, as the prescreen's `method` computes it, until no force on it exceeds
    `max_force_ev_angstrom`.
    """

    images: int = Field(default=7, ge=3, le=99)
    max_force_ev_angstrom: float = Field(default=0.05, gt=0)
    max_steps: int = Field(default=500, gt=0)


class Interconversion(Stage[InterconversionSettings]):
    """Paths between the conformers, and to their mirror images."""

    name = "interconversion"
    Settings = InterconversionSettings
    after = (Prescreen,)

    def starts_from(self, run: RunView) -> dict[str, JsonValue]:
        """Return the survivors."""
        return {"survivors": kept_keys(run.verdicts(Prescreen))}

    def plan(self, run: RunView) -> Plan:
        """Take the level that ranks; count the paths."""
        prescreen = run.table(PrescreenSettings)
        assert prescreen is not None
        level, sentence = relaxation_level(prescreen)
        return Plan(
            levels=(level,),
            sentence=sentence,
            calculations=_calculations(run, self.settings(run).images),
        )

    def job_arrays(self, run: RunView) -> tuple[JobArray, ...]:
        """Return one round: a job a path."""
        return (JobArray(width=_most_paths(run), work="job"),)

    def rounds(self, run: RunView, plan: Plan) -> Rounds:
        """Find the paths."""
        settings = self.settings(run)
        ends = [ConformerEnd(verdict.label, verdict.key, molecule) for verdict, molecule in survivors(run)]
        max_force = settings.max_force_ev_angstrom / EV_PER_ANGSTROM
        return interconversion(ends, plan.levels[0], settings.images, max_force, settings.max_steps)

    def findings(self, run: RunView) -> Findings | None:
        """Return the paths with their barriers."""
        verdicts = run.verdicts(Interconversion)
        if verdicts is None:
            return None
        return Findings(
            paths=tuple(found for verdict in verdicts if (found := _path_found(verdict, run.record(verdict.key)))),
            failed=tuple(
                Dropped(stage=self.name, label=verdict.label, verdict=verdict)
                for verdict in verdicts
                if not verdict.kept
            ),
        )


def _most_paths(run: RunView) -> int:
    """Count the paths at most: each conformer to its mirror image, and to the next."""
    prescreen = run.table(PrescreenSettings)
    assert prescreen is not None
    return 2 * prescreen.max_kept - 1


def _calculations(run: RunView, images: int) -> str:
    most = min(_most_paths(run), 2 * len(run.candidates) - 1)
    return f"{f'up to {most} paths' if most > 1 else '1 path'} of {images} images"


def _path_found(verdict: Verdict, record: TaskRecord) -> PathFound | None:
    band = record.outcome
    if not isinstance(band, Band):
        return None
    relative = [(energy - band.energies[0]) * KCAL_MOL for energy in band.energies]
    return PathFound(
        label=verdict.label,
        key=verdict.key,
        level=engines.title(record.level),
        barrier_kcal_mol=max(relative),
        reverse_barrier_kcal_mol=max(relative) - relative[-1],
        images_kcal_mol=tuple(relative),
        gap_at_top_ev=band.result.gap * EV if band.result.gap is not None else None,
        verdict=verdict,
    )


@dataclass(frozen=True)
class ConformerEnd:
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


def interconversion(
    minima: Sequence[ConformerEnd], level: Level, n_images: int, max_force: float, max_steps: int
) -> Rounds:
    """Find the paths between conformers.

    Parameters
    ----------
    minima
        Relaxed at `level`, the lowest first.
    n_images, max_force, max_steps
        As in `tasks.PathSearch`.

    Returns
    -------
    A verdict on every path; a note on a kept one says which bonds are broken or open at its top.
    """
    routes = _routes(minima)
    records = yield [
        alone(
            Job(
                route.label,
                PathSearch(
                    molecule=route.start,
                    end=route.end,
                    level=level,
                    n_images=n_images,
                    max_force=max_force,
                    max_steps=max_steps,
                ),
                Purpose.INTERCONVERSION,
                route.parents,
            )
        )
        for route in routes
    ]
    return [_verdict(route, record) for route, record in zip(routes, records, strict=True)]


def _routes(minima: Sequence[ConformerEnd]) -> list[Route]:
    routes = []
    for minimum in minima:
        to_mirror = align(minimum.molecule, minimum.molecule, improper=True)
        if to_mirror.largest_angstrom > ACHIRAL_ANGSTROM:
            routes.append(_route(minimum, minimum, to_mirror))
    for one, other in itertools.pairwise(minima):
        ways = [align(one.molecule, other.molecule, improper) for improper in (False, True)]
        routes.append(_route(one, other, min(ways, key=lambda way: way.rmsd_angstrom)))
    return routes


def _route(one: ConformerEnd, other: ConformerEnd, way: Alignment) -> Route:
    geometry = other.molecule.geometry[way.order] * (-1.0 if way.improper else 1.0)
    return Route(
        label=f"{one.label} -> {'mirror image of ' if way.improper else ''}{other.label}",
        start=one.molecule,
        end=one.molecule.moved(geometry),
        parents=tuple(dict.fromkeys((one.key, other.key))),
    )


def _verdict(route: Route, record: TaskRecord) -> Verdict:
    kept = isinstance(record.outcome, Band)
    found = Note(code=Code.KEPT) if kept else failure(record.outcome)
    return Verdict(
        label=route.label,
        key=record.key,
        kept=kept,
        code=found.code,
        facts=found.facts,
        notes=_notes(route, record.outcome) if isinstance(record.outcome, Band) else (),
        purpose=Purpose.INTERCONVERSION,
    )


def _notes(route: Route, band: Band) -> tuple[Note, ...]:
    """Say which bonds are broken at the top of a path, or else which are open."""
    top = band.images[band.highest]
    if bonds := broken(route.start, top):
        return (Note(code=Code.BONDS_BROKEN_AT_TOP, facts=bonds),)
    if bonds := opened(route.start, top):
        return (Note(code=Code.OPENED, facts=bonds),)
    return ()
