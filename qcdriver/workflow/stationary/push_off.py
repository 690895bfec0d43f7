"""A relaxed minimum in, one that its vibrations verify out: pushed off along an imaginary mode, and relaxed again.

A relaxation keeps the symmetry it starts with, and so may end on a saddle, from which every way down breaks it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from qcdriver.geometry.bonds import broken
from qcdriver.models.molecule import Molecule
from qcdriver.models.outcomes import Frequencies, Relaxed
from qcdriver.models.records import TaskRecord
from qcdriver.models.tasks import Relaxation
from qcdriver.models.verdicts import Purpose
from qcdriver.workflow.base import Job, Line
from qcdriver.workflow.stationary.minima import RelaxedMinimum
from qcdriver.workflow.stationary.settings import MINIMUM, Search
from qcdriver.workflow.stationary.verification import vibrations

PUSHES = (0.3, 0.6, 0.9)
"""How far the atom that moves most is displaced, bohr, push by push: far enough for a force to relax by, too little to
break a bond. What still is a saddle after these is a failure."""


@dataclass(frozen=True)
class VerifiedMinimum:
    """A minimum, the record of its vibrations, and the imaginary wavenumbers (1/cm) off which it was pushed."""

    minimum: RelaxedMinimum
    vibrations: TaskRecord
    pushed_off_cm: tuple[float, ...] = ()


def verify_minimum(minimum: RelaxedMinimum, search: Search) -> Line[VerifiedMinimum]:
    """Verify a minimum; while it is a saddle, push it off, every time farther.

    Each push goes on in the direction of the last, or to the other side where that led nowhere lower.
    """
    label = MINIMUM + minimum.point.place
    found = VerifiedMinimum(minimum, (yield vibrations(label, minimum.key, minimum.relaxed, search)))
    last = None
    for number, length in enumerate(PUSHES, start=1):
        frequencies = found.vibrations.outcome
        if not isinstance(frequencies, Frequencies) or not frequencies.n_imaginary:
            break
        mode = frequencies.mode if last is None or (frequencies.mode * last).sum() > 0 else -frequencies.mode
        task = Relaxation(
            molecule=_displaced(found.minimum, mode, length), level=search.level, convergence=search.convergence
        )
        pushed = f"{label}, push {number}"
        record = yield Job(pushed, task, Purpose.PUSH_OFF, (found.vibrations.key,))
        lower = _lower(found.minimum, record, search)
        last = mode if lower else -mode
        off = (*found.pushed_off_cm, -frequencies.wavenumbers_cm[0])
        if lower is None:
            found = replace(found, pushed_off_cm=off)
        else:
            found = VerifiedMinimum(lower, (yield vibrations(pushed, lower.key, lower.relaxed, search)), off)
    return found


def _displaced(minimum: RelaxedMinimum, mode: np.ndarray, length: float) -> Molecule:
    return minimum.relaxed.moved(minimum.relaxed.geometry + length / np.linalg.norm(mode, axis=1).max() * mode)


def _lower(minimum: RelaxedMinimum, record: TaskRecord, search: Search) -> RelaxedMinimum | None:
    """Give what a push led to, if that is whole and lower."""
    pushed = record.outcome
    if not isinstance(pushed, Relaxed):
        return None
    if broken(minimum.point.molecule, pushed.molecule, search.metal_bonds_to_lose):
        return None
    if pushed.result.energy >= minimum.energy:
        return None
    return replace(minimum, key=record.key, relaxed=pushed.molecule, energy=pushed.result.energy)
