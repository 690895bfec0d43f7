"""Print what qcdriver's scan and TorsionDrive find for torsions, and how many gradients each needs.

    pip install torsiondrive        # brings geomeTRIC; qcdriver needs neither
    python tests/benchmarks/torsion.py [--step DEG] [--lower KCAL_MOL]

Both only propose; one relaxation answers both (`relaxation.relax` from a start that `driven` brought there, GFN1-xTB by
tblite, one thread), from one conformer, round the whole circle, and the same counts as lower. qcdriver is told nothing
of the mirror image, as TorsionDrive (doi:10.1063/5.0009232) knows none; what that spares is a column of its own. "lag":
how far the points of a drive once round, each from the last, lie above the profile at most.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
from collections.abc import Sequence
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from torsiondrive.td_api import collect_lowest_energies, create_initial_state, next_jobs_from_state, update_state

from qcdriver.engines import find
from qcdriver.geometry.coordinates import measured
from qcdriver.models.coordinates import Torsion, held
from qcdriver.models.level import Convergence, Model, Resources
from qcdriver.models.molecule import Molecule
from qcdriver.models.outcomes import Relaxed
from qcdriver.models.records import TaskRecord
from qcdriver.models.tasks import Relaxation
from qcdriver.optimize.driving import driven
from qcdriver.optimize.relax import relax
from qcdriver.units import ANGSTROM, KCAL_MOL
from qcdriver.workflow.base import Line, follow
from qcdriver.workflow.scan.rounds import RelaxationSettings, scan
from qcdriver.workflow.scan.settings import ScanSettings
from qcdriver.workflow.scan.setup import scan_grid, seeds_of

Torsions = tuple[Torsion, ...]
Profile = dict[tuple[int, ...], float]
"""Energies in hartree by place in degrees, each above -180, at most 180."""

LEVEL = find("tblite").level(Model(method="GFN1-xTB"))
CONVERGENCE = Convergence(max_force=2e-5, energy_change=1e-7, max_steps=500)
MOLECULES = {
    "ethane": (
        ((2, 0, 1, 5),),
        """C 0 0 0.76, C 0 0 -0.76, H 0 1.02 1.16, H -0.88 -0.51 1.16, H 0.88 -0.51 1.16, H 0 -1.02 -1.16,
        H -0.88 0.51 -1.16, H 0.88 0.51 -1.16""",
    ),
    "hydrogen peroxide": (
        ((2, 0, 1, 3),),
        "O 0 0.73 -0.05, O 0 -0.73 -0.05, H 0.78 0.90 0.50, H -0.78 -0.90 0.50",
    ),
    "glycol": (
        ((2, 0, 1, 3),),
        """C 0 0 0, C 1.52 0 0, O -0.50 1.32 0, O 2.02 -0.66 -1.14, H -0.37 -0.51 0.89, H -0.37 -0.51 -0.89,
        H 1.89 1.02 0, H 1.89 -0.51 0.89, H -1.46 1.30 0, H 1.70 -1.57 -1.15""",
    ),
    "trisulfane": (
        ((3, 1, 0, 2), (1, 0, 2, 4)),
        "S 0 0 0.70, S 0 1.65 -0.54, S 0 -1.65 -0.54, H 1.34 1.69 -0.70, H -1.34 -1.69 -0.70",
    ),
}


class Relaxations:
    """Relaxes, and counts."""

    def __init__(self) -> None:
        self.number, self.gradients = 0, 0

    def relaxed(self, molecule: Molecule, torsions: Torsions, values: Sequence[float]) -> Relaxed:
        """Relax with torsions driven to values, degrees, and held there."""
        targets = tuple(held(torsion, value) for torsion, value in zip(torsions, values, strict=True))
        there = driven(molecule, targets)
        return self.answer(Relaxation(molecule=there, level=LEVEL, convergence=CONVERGENCE, targets=targets))

    def answer(self, task: Relaxation) -> Relaxed:
        """Compute a task."""
        calculation = find(LEVEL.engine).prepare(task.molecule, task.level, Resources(), lambda line: None)
        found = relax(task.molecule, calculation, task.convergence, targets=task.targets)
        self.number, self.gradients = self.number + 1, self.gradients + found.n_gradients
        return found

    def __call__(self, lines: Sequence[Line[Any]]) -> list[Any]:
        """Run a round of a scan."""
        return [self._ended(line) for line in lines]

    def _ended(self, line: Line[Any]) -> Any:
        job = next(line)
        assert isinstance(job.task, Relaxation)
        key, outcome = f"{self.number}", self.answer(job.task)
        record = TaskRecord(key=key, stage="scan", label=job.label, task=job.task, outcome=outcome, provenance=None)
        try:
            line.send(record)
        except StopIteration as end:
            return end.value
        raise AssertionError("a scan asks for one relaxation a line")


def start(torsions: Torsions, text: str) -> Molecule:
    """Give the conformer from which all begin."""
    rows = [line.split() for line in text.split(",")]
    geometry = np.array([row[1:] for row in rows], dtype=float) / ANGSTROM
    return Relaxations().relaxed(Molecule(symbols=tuple(row[0] for row in rows), geometry=geometry), (), ()).molecule


def by_qcdriver(
    molecule: Molecule, torsions: Torsions, step: int, lower: float, run: Relaxations, mirror: bool = False
) -> Profile:
    """Give what qcdriver keeps."""
    axis = {"kind": "dihedral", "start_deg": step - 180, "stop_deg": 180, "step_deg": step}
    coordinates = [axis | {"atoms": torsion.quadruples[0]} for torsion in torsions]
    settings = ScanSettings.model_validate({"mirror": mirror, "coordinate": coordinates})
    grid = scan_grid(settings, molecule)
    energies: dict[str, float] = {}

    def remembered(lines: Sequence[Line[Any]]) -> list[Any]:
        records = run(lines)
        energies.update({each.key: each.outcome.result.energy for each in records})
        return records

    seeds = seeds_of(settings, grid, "start", "key", molecule)
    verdicts = follow(scan(seeds, grid, RelaxationSettings(LEVEL, CONVERGENCE), lower), remembered)
    computed = {grid.nearest(each.reached): energies[each.key] for each in verdicts if each.kept and each.reached}
    return {tuple(map(round, grid.values(index))): computed[grid.home(index)[0]] for index in grid}


def by_torsiondrive(molecule: Molecule, torsions: Torsions, step: int, lower: float, run: Relaxations) -> Profile:
    """Give what TorsionDrive keeps."""
    state = create_initial_state(
        dihedrals=[list(torsion.quadruples[0]) for torsion in torsions],
        grid_spacing=[step] * len(torsions),
        elements=list(molecule.symbols),
        init_coords=[molecule.geometry.ravel().tolist()],
        energy_decrease_thresh=lower,
    )
    while True:
        with contextlib.redirect_stdout(io.StringIO()):
            jobs = next_jobs_from_state(state)
        if not jobs:
            lowest: Profile = collect_lowest_energies(state)
            return lowest
        done = {}
        for place, flats in jobs.items():
            values = [float(word) for word in place.split(",")]
            found = [run.relaxed(molecule.moved(np.reshape(flat, (-1, 3))), torsions, values) for flat in flats]
            ends = [(each.molecule.geometry.ravel().tolist(), each.result.energy) for each in found]
            done[place] = [(flat, *end) for flat, end in zip(flats, ends, strict=True)]
        update_state(state, done)


def from_one_side(molecule: Molecule, torsions: Torsions, step: int, run: Relaxations) -> Profile:
    """Drive one torsion once round, each point from the last."""
    energies: Profile = {}
    first = round(measured(torsions[0], molecule.geometry) / step)
    for value in range(first * step, first * step + 360, step):
        found = run.relaxed(molecule, torsions, [value])
        molecule = found.molecule
        energies[180 - (180 - value) % 360,] = found.result.energy
    return energies


def main() -> None:
    """Compare, molecule by molecule."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--step", type=int, default=15, help="degrees, a divisor of 360; twice that for two torsions")
    parser.add_argument("--lower", type=float, default=0.2, help="kcal/mol that count as lower")
    given = parser.parse_args()
    lower = given.lower / KCAL_MOL
    print("relaxations / gradients; largest difference of the two profiles in hartree; lag in kcal/mol")
    print(f"{'':18}{'qcdriver':>12}{'TorsionDrive':>14}{'difference':>12}{'with mirror':>13}{'one side':>11}{'lag':>6}")
    for name, (quadruples, text) in MOLECULES.items():
        torsions = tuple(Torsion(kind="dihedral", quadruples=(each,)) for each in quadruples)
        molecule, step = start(torsions, text), given.step * len(torsions)
        runs = [Relaxations() for _ in range(4)]
        ours = by_qcdriver(molecule, torsions, step, lower, runs[0])
        theirs = by_torsiondrive(molecule, torsions, step, lower, runs[1])
        by_qcdriver(molecule, torsions, step, lower, runs[2], mirror=True)
        assert ours.keys() == theirs.keys()
        off = max(abs(ours[place] - theirs[place]) for place in ours)
        cost = [f"{run.number}/{run.gradients}" for run in runs]
        line = f"{name:18}{cost[0]:>12}{cost[1]:>14}{off:>12.0e}{cost[2]:>13}"
        if len(torsions) == 1:
            lagging = from_one_side(molecule, torsions, step, runs[3])
            lag = max(lagging[place] - ours[place] for place in ours) * KCAL_MOL
            line += f"{f'{runs[3].number}/{runs[3].gradients}':>11}{lag:6.1f}"
        print(line, flush=True)


if __name__ == "__main__":
    main()
