"""Scans of small molecules with GFN1-xTB in this process: molecules, relaxations that are counted, whole scans."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from ase.build import molecule as ase_molecule

from qcdriver.engines import find
from qcdriver.models.coordinates import Coordinate, Torsion, held
from qcdriver.models.level import Convergence, Level, Model, Resources
from qcdriver.models.molecule import Molecule
from qcdriver.models.outcomes import Relaxed
from qcdriver.models.records import TaskRecord
from qcdriver.models.tasks import Relaxation
from qcdriver.models.verdicts import Verdict
from qcdriver.optimize.driving import driven
from qcdriver.optimize.relax import relax
from qcdriver.store import task_key
from qcdriver.units import ANGSTROM, KCAL_MOL
from qcdriver.workflow.base import Line, follow
from qcdriver.workflow.scan.landscape import Landscape, read_landscape
from qcdriver.workflow.scan.rounds import RelaxationSettings, scan
from qcdriver.workflow.scan.settings import ScanSettings
from qcdriver.workflow.scan.setup import scan_grid, seeds_of

TIGHT = Convergence(max_force=2e-5, energy_change=1e-7, max_steps=300)
"""Energies of one structure relaxed from two sides agree to 1e-6 hartree."""
ETHANE_TURN = Torsion(kind="dihedral", quadruples=((2, 0, 1, 5),))
PEROXIDE_TURN = Torsion(kind="dihedral", quadruples=((2, 0, 1, 3),))
GLYCOL_TURN = Torsion(kind="dihedral", quadruples=((2, 0, 1, 3),))

HYDRAZINE_TURN = Torsion(kind="dihedral", quadruples=((2, 0, 1, 4),))


def ethane() -> Molecule:
    """Staggered; C, C, three H on the first, three on the second."""
    return named("C2H6")


def peroxide() -> Molecule:
    """H2O2, twisted by 112 deg: O, O, H on the first, H on the second."""
    return turned_chain(("H", "O", "O", "H"), (0.97, 1.46, 0.97), (100.0, 100.0), (112.0,), (1, 2, 0, 3))


def trisulfane(first_deg: float, last_deg: float) -> Molecule:
    """H-S-S-S-H with its two torsions."""
    return turned_chain(
        ("H", "S", "S", "S", "H"), (1.35, 2.06, 2.06, 1.35), (97.0, 106.0, 97.0), (first_deg, last_deg), range(5)
    )


def glycol() -> Molecule:
    """Ethane-1,2-diol, gauche: C, C, O, O, and the H of each."""
    rows = [
        [0, 0, 0], [1.52, 0, 0], [-0.50, 1.32, 0], [2.02, -0.66, -1.14],
        [-0.37, -0.51, 0.89], [-0.37, -0.51, -0.89], [1.89, 1.02, 0], [1.89, -0.51, 0.89],
        [-1.46, 1.30, 0], [1.70, -1.57, -1.15],
    ]  # fmt: skip
    return Molecule(symbols=("C", "C", "O", "O", *"HHHHHH"), geometry=np.array(rows) / ANGSTROM)


def hydrazine() -> Molecule:
    """N, N, two H on the first, two on the second."""
    return named("N2H4")


def water() -> Molecule:
    """O, H, H."""
    return named("H2O")


def named(name: str) -> Molecule:
    """Give a molecule of ASE's G2 set."""
    atoms = ase_molecule(name)
    return Molecule(symbols=tuple(atoms.symbols), geometry=atoms.positions / ANGSTROM)


def turned_chain(
    symbols: Sequence[str],
    bonds_angstrom: Sequence[float],
    angles_deg: Sequence[float],
    torsions_deg: Sequence[float],
    order: Sequence[int],
) -> Molecule:
    """Build a chain from its internal coordinates; `order` of its atoms in the molecule."""
    places = [np.zeros(3), np.array([bonds_angstrom[0], 0.0, 0.0])]
    for number, (bond, angle) in enumerate(zip(bonds_angstrom[1:], np.radians(angles_deg), strict=True)):
        back = places[-2] - places[-1]
        back /= np.linalg.norm(back)
        before = places[-3] - places[-2] if number else np.array([0.0, 1.0, 0.0])
        aside = before - (before @ back) * back
        aside /= np.linalg.norm(aside)
        turn = np.radians(torsions_deg[number - 1]) if number else 0.0
        aside = np.cos(turn) * aside - np.sin(turn) * np.cross(back, aside)
        places.append(places[-1] + bond * (np.cos(angle) * back + np.sin(angle) * aside))
    return Molecule(symbols=tuple(symbols[k] for k in order), geometry=np.array([places[k] for k in order]) / ANGSTROM)


def gfn1() -> Level:
    """Give the level, or skip the test."""
    engine = find("tblite")
    if lack := engine.missing():
        pytest.skip(lack)
    return engine.level(Model(method="GFN1-xTB"))


def relaxed(molecule: Molecule, targets: Sequence[tuple[Coordinate, float]] = ()) -> Relaxed:
    """Relax tightly, with coordinates driven to values and held there."""
    there = [held(coordinate, value) for coordinate, value in targets]
    level = gfn1()
    calculation = find(level.engine).prepare(molecule, level, Resources(), lambda line: None)
    return relax(driven(molecule, there), calculation, TIGHT, targets=there)


class Here:
    """Answers the relaxations of a scan in this process, and keeps them as records are kept."""

    def __init__(self) -> None:
        self.records: dict[str, TaskRecord] = {}

    def __call__(self, lines: Sequence[Line[Any]]) -> list[Any]:
        return [self._answer(line) for line in lines]

    def _answer(self, line: Line[Any]) -> Any:
        job = next(line)
        task, key = job.task, task_key(job.task)
        assert isinstance(task, Relaxation)
        if key not in self.records:
            calculation = find(task.level.engine).prepare(task.molecule, task.level, Resources(), lambda line: None)
            outcome = relax(task.molecule, calculation, task.convergence, task.frozen_atoms, task.targets)
            self.records[key] = TaskRecord(
                key=key,
                stage="scan",
                label=job.label,
                task=task,
                outcome=outcome,
                provenance=None,
                parents=job.parents,
            )
        try:
            line.send(self.records[key])
        except StopIteration as end:
            return end.value
        raise AssertionError("a scan asks for one relaxation a line")

    def find(self, key: str) -> TaskRecord | None:
        """Find a record, as `Records` does."""
        return self.records.get(key)

    @property
    def relaxations(self) -> list[TaskRecord]:
        """List what was computed, in order."""
        return list(self.records.values())


def scanned(settings: ScanSettings, *molecules: Molecule) -> tuple[Landscape, list[Verdict], Here]:
    """Scan from some conformers."""
    grid, here = scan_grid(settings, molecules[0]), Here()
    seeds = [
        seed
        for number, molecule in enumerate(molecules)
        for seed in seeds_of(settings, grid, f"seed{number}", f"key{number}", molecule)
    ]
    improvement = settings.improvement_kcal_mol / KCAL_MOL
    verdicts = follow(scan(seeds, grid, RelaxationSettings(gfn1(), TIGHT), improvement), here)
    return read_landscape(grid, verdicts, here), verdicts, here


def torsion_settings(torsion: Torsion, start: float, stop: float, step: float, **kept: Any) -> ScanSettings:
    """Scan one dihedral."""
    atoms = torsion.quadruples[0]
    coordinate = {"kind": "dihedral", "atoms": atoms, "start_deg": start, "stop_deg": stop, "step_deg": step}
    return ScanSettings.model_validate({"coordinate": [coordinate], **kept})


def energies(landscape: Landscape) -> dict[tuple[float, ...], float]:
    """Give the energies, hartree, by value in degrees, or bohr, of the computed points."""
    return {landscape.grid.values(index): point.energy for index, point in sorted(landscape.points.items())}
