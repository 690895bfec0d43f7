"""What each step of a stepwise relaxation did to a conformer: the usual test of a level on a crystal structure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from qcdriver.geometry.bonds import metal_atoms
from qcdriver.geometry.superposition import superpose
from qcdriver.models.base import Frozen
from qcdriver.models.molecule import Molecule
from qcdriver.models.outcomes import Relaxed
from qcdriver.models.records import TaskRecord
from qcdriver.models.tasks import Relaxation
from qcdriver.models.verdicts import Purpose, Verdict
from qcdriver.units import ANGSTROM, KCAL_MOL
from qcdriver.workflow.base import RunView
from qcdriver.workflow.prescreen.rounds import heavy_atoms

_WORDS = {
    Purpose.SETTLE_HYDROGENS: "hydrogen atoms",
    Purpose.SETTLE_LIGANDS: "ligands, core held",
    Purpose.CHEAP: "all",
    Purpose.TIGHT: "all, tightly",
    Purpose.TIGHT_HELD: "all, tightly, held",
}


class RelaxationStep(Frozen):
    """One relaxation on the way from the start to a conformer.

    `relaxed`: what was free; `energy_change_kcal_mol` in this step; RMSD from the start, superposed, of the metal atoms
    (None where there are no three) and of all atoms but hydrogen, Angstrom.
    """

    conformer: str
    relaxed: str
    energy_change_kcal_mol: float
    core_rmsd_angstrom: float | None
    heavy_rmsd_angstrom: float


class StepwiseRelaxation(Frozen):
    """The steps of every conformer, in the order in which they were made."""

    steps: tuple[RelaxationStep, ...]


def stepwise(kept: Iterable[Verdict], run: RunView) -> StepwiseRelaxation:
    """Follow every kept conformer back to its start, and measure each step from there."""
    return StepwiseRelaxation(steps=tuple(step for verdict in kept for step in _steps(verdict, run)))


def _steps(verdict: Verdict, run: RunView) -> Iterable[RelaxationStep]:
    way = _way(verdict.key, run)
    assert isinstance(way[0].task, Relaxation)
    start = way[0].task.molecule
    for record in way:
        relaxed = record.outcome
        assert isinstance(relaxed, Relaxed)
        yield RelaxationStep(
            conformer=verdict.label,
            relaxed=_WORDS.get(record.purpose, "") if record.purpose else "",
            energy_change_kcal_mol=(relaxed.energies[-1] - relaxed.energies[0]) * KCAL_MOL,
            core_rmsd_angstrom=_rmsd(start, relaxed.molecule, metal_atoms(start)),
            heavy_rmsd_angstrom=_rmsd(start, relaxed.molecule, heavy_atoms(start)) or 0.0,
        )


def _way(key: str, run: RunView) -> list[TaskRecord]:
    """List the relaxations that led to a record, the first one first."""
    way: list[TaskRecord] = []
    record = run.record(key)
    while isinstance(record.task, Relaxation):
        way.insert(0, record)
        if not record.parents:
            break
        record = run.record(record.parents[0])
    return way


def _rmsd(start: Molecule, end: Molecule, atoms: Sequence[int]) -> float | None:
    if len(atoms) < 3:
        return None
    those = np.array(atoms)
    return superpose(start.geometry[those], end.geometry[those]).rmsd * ANGSTROM
