"""Relaxations at the level of `[dft]` -> what each gained and cost, and whether it ended in the family it began in."""

from __future__ import annotations

from collections.abc import Iterable

from qcdriver import engines
from qcdriver.geometry.superposition import superpose
from qcdriver.models.base import Frozen
from qcdriver.models.outcomes import Relaxed
from qcdriver.models.records import TaskRecord
from qcdriver.models.tasks import Relaxation
from qcdriver.models.verdicts import Verdict
from qcdriver.units import ANGSTROM, EV_PER_ANGSTROM, KCAL_MOL
from qcdriver.workflow.base import RunView
from qcdriver.workflow.conformers import family_of


class RefinedConformer(Frozen):
    """One relaxation that converged.

    Attributes
    ----------
    kept
        Whether it goes on; else the verdict of the stage says why not.
    gained_kcal_mol
        How far the energy fell.
    rmsd_angstrom
        Of all atoms from where it began.
    steps, gradients, scf_cycles
        Accepted steps; gradients, those of steps that were too long included; SCF cycles of all, None where the engine
        does not tell.
    max_force_ev_angstrom
        The largest component of a force at the end.
    began_with_hessian
        Whether it began with the Hessian that was meant for it; else with the model Hessian.
    began_as, ended_as, same_family
        The family of conformers before and after, None where nothing tells families apart.
    """

    conformer: str
    kept: bool
    gained_kcal_mol: float
    rmsd_angstrom: float
    steps: int
    gradients: int
    scf_cycles: int | None
    max_force_ev_angstrom: float
    began_with_hessian: bool
    began_as: str | None
    ended_as: str | None
    same_family: bool | None


class Refined(Frozen):
    """The conformers relaxed at the level of [dft]; `hessian`: the level of that they began with, None: the model's."""

    level: str
    hessian: str | None
    conformers: tuple[RefinedConformer, ...]


def refined(verdicts: Iterable[Verdict], run: RunView) -> Refined | None:
    """Tell of every relaxation that converged; None where none did."""
    done = [(verdict, run.record(verdict.key)) for verdict in verdicts]
    found = [(verdict, record) for verdict, record in done if isinstance(record.outcome, Relaxed)]
    if not found:
        return None
    task = found[0][1].task
    assert isinstance(task, Relaxation)
    return Refined(
        level=engines.title(task.level),
        hessian=engines.title(task.start_hessian) if task.start_hessian else None,
        conformers=tuple(_told(verdict, record, run) for verdict, record in found),
    )


def _told(verdict: Verdict, record: TaskRecord, run: RunView) -> RefinedConformer:
    relaxed, task = record.outcome, record.task
    assert isinstance(relaxed, Relaxed)
    assert isinstance(task, Relaxation)
    before = family_of(verdict.label, task.molecule, run)
    after = family_of(verdict.label, relaxed.molecule, run)
    return RefinedConformer(
        conformer=verdict.label,
        kept=verdict.kept,
        gained_kcal_mol=(relaxed.energies[0] - relaxed.energies[-1]) * KCAL_MOL,
        rmsd_angstrom=superpose(task.molecule.geometry, relaxed.molecule.geometry).rmsd * ANGSTROM,
        steps=len(relaxed.energies) - 1,
        gradients=relaxed.n_gradients,
        scf_cycles=relaxed.n_cycles,
        max_force_ev_angstrom=relaxed.max_force * EV_PER_ANGSTROM,
        began_with_hessian=relaxed.began_with_hessian,
        began_as=str(before) if before else None,
        ended_as=str(after) if after else None,
        same_family=before.words == after.words if before and after else None,
    )
