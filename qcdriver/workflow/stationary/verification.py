"""A stationary point in, the verdict on it out: by the wavenumbers of all its atoms, or of a cluster's core."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from qcdriver.errors import InputError
from qcdriver.geometry.topology import find_topology
from qcdriver.models.molecule import Molecule
from qcdriver.models.outcomes import Frequencies
from qcdriver.models.records import TaskRecord
from qcdriver.models.tasks import Vibrations
from qcdriver.models.verdicts import Code, Curvature, Note, Purpose, Verdict, failure
from qcdriver.workflow.base import Job
from qcdriver.workflow.stationary.settings import VIBRATIONS, Search


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


def vibrations(label: str, key: str, molecule: Molecule, search: Search) -> Job:
    """Compute the wavenumbers of a stationary point, of the core alone if so asked."""
    atoms = core_atoms(molecule) if search.core_only else ()
    task = Vibrations(molecule=molecule, level=search.level, atoms=atoms)
    return Job(label + VIBRATIONS, task, Purpose.VIBRATIONS, (key,))


def verified(
    label: str,
    key: str,
    place: tuple[float, ...],
    wanted: Literal[0, 1],
    record: TaskRecord,
    pushed_off_cm: Sequence[float] = (),
) -> list[Verdict]:
    """Judge a stationary point by its imaginary wavenumbers.

    Parameters
    ----------
    wanted
        How many there have to be: none of a minimum, one of a saddle.
    record
        Of its vibrations.
    pushed_off_cm
        The imaginary wavenumbers (their absolute values) that it was pushed off before.

    Returns
    -------
    A verdict on the point, and one on its vibrations.
    """
    outcome, pushed = record.outcome, tuple(pushed_off_cm)
    kept, noise = False, tuple[float, ...]()
    if isinstance(outcome, Frequencies):
        below = tuple(wavenumber for wavenumber in outcome.wavenumbers_cm if wavenumber < 0)
        kept, noise = outcome.n_imaginary == wanted, below[outcome.n_imaginary :]
        found = Note(
            code=Code.WRONG_CURVATURE, facts=Curvature(wavenumbers_cm=below, wanted=wanted, pushed_off_cm=pushed)
        )
    else:
        found = Note(code=Code.NOT_VERIFIED, facts=failure(outcome).facts)
    if kept:
        found = Note(code=Code.KEPT)
    of_point = [Note(code=Code.PUSHED_OFF, facts=Curvature(pushed_off_cm=pushed))] if kept and pushed else []
    of_vibrations = [Note(code=Code.NOISE, facts=Curvature(wavenumbers_cm=noise))] if kept and noise else []
    return [
        Verdict(
            label=name,
            key=key_of_it,
            kept=kept,
            code=found.code,
            facts=found.facts,
            notes=tuple(notes),
            purpose=purpose,
            place=place,
        )
        for name, key_of_it, purpose, notes in (
            (label, key, Purpose.SADDLE if wanted else Purpose.MINIMUM, of_point),
            (label + VIBRATIONS, record.key, Purpose.VIBRATIONS, of_vibrations),
        )
    ]
