"""Molecules -> converged single points, each with its verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from qcdriver.schema import Failure, Level, Molecule, Result, SinglePoint, Verdict
from qcdriver.stage import Job, Stage, alone


@dataclass(frozen=True)
class Geometry:
    """A geometry that waits for its single point, and the key of the record it comes from.

    `reached`: where it lies on the scanned coordinates, if it does.
    """

    label: str
    molecule: Molecule
    key: str
    reached: tuple[float, ...] | None = None


def single_points(geometries: Sequence[Geometry], level: Level) -> Stage:
    """Compute every geometry at one level; a failed point has its reason in its verdict."""
    records = yield [
        alone(Job(each.label, SinglePoint(molecule=each.molecule, level=level, driver="energy"), (each.key,)))
        for each in geometries
    ]
    verdicts = []
    for each, record in zip(geometries, records, strict=True):
        outcome = record.outcome
        verdicts.append(
            Verdict(
                label=each.label,
                key=record.key,
                kept=isinstance(outcome, Result),
                reason=outcome.message if isinstance(outcome, Failure) else None,
                reached=each.reached,
            )
        )
    return verdicts
