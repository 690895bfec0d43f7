"""The scan as a pure function: on a model with a lag, every grid point ends with the lower of the two branches."""

from __future__ import annotations

import numpy as np
import pytest

from qcdriver.models.coordinates import Torsion
from qcdriver.models.level import Convergence, Level, Model
from qcdriver.models.molecule import Molecule
from qcdriver.models.outcomes import Failure, Relaxed, Result
from qcdriver.models.records import TaskRecord
from qcdriver.models.verdicts import Code
from qcdriver.report.sentences import sentence
from qcdriver.workflow.base import follow
from qcdriver.workflow.scan.grid import Grid, Operation
from qcdriver.workflow.scan.rounds import REACHED_WITHIN, RelaxationSettings, scan
from qcdriver.workflow.scan.wavefront import Seed

LEVEL = Level(engine="model", engine_version="1", model=Model(method="two branches"))
CONVERGENCE = Convergence(max_force=1e-4, energy_change=1e-6, max_steps=10)
COORDINATE = Torsion(kind="dihedral", quadruples=((2, 0, 1, 3),))
VALUES = tuple(float(value) for value in range(0, 40, 6))
GRID = Grid((VALUES,), (360.0,), (False,), (Operation((1,)),))


def molecule(branch: float) -> Molecule:
    """Carry the branch of the model in the O-O distance, which nothing in this test changes."""
    turned = [[0, 0, 0], [branch, 0, 0], [-0.5, 1.7, 0], [branch + 0.5, 0, 1.7]]
    return Molecule(symbols=("O", "O", "H", "H"), geometry=turned)


def energy(branch: float, value: float) -> float:
    """Branch 2.5 has its minimum at 0, branch 2.9 at 36, 0.001 hartree lower; they cross in between."""
    return 0.01 * (value / 36) ** 2 if branch < 2.7 else 0.01 * ((value - 36) / 36) ** 2 - 0.001


def slope(branch: float, value: float) -> float:
    """Differentiate `energy` by the value."""
    return 0.02 * (value if branch < 2.7 else value - 36) / 36**2


class Model2:
    """Answers relaxations from the formula; a relaxation never leaves its branch, as the rod's belt does not."""

    def __init__(self, fails=(), misses=(), error_type="ConvergenceError"):
        self.labels, self.fails, self.misses, self.error_type = [], fails, misses, error_type

    def __call__(self, lines):
        return [self.answer(line) for line in lines]

    def answer(self, line):
        job = next(line)
        with pytest.raises(StopIteration) as end:
            line.send(self.record(job.label, job.task))
        return end.value.value

    def record(self, label, task):
        self.labels.append(label)
        target = task.targets[0].value_deg
        branch = float(np.linalg.norm(task.molecule.geometry[1] - task.molecule.geometry[0]))
        off = 2 * REACHED_WITHIN if target in self.misses else 0.0
        outcome = Relaxed(
            molecule=task.molecule,
            result=Result(energy=energy(branch, target)),
            energies=(0.0,),
            n_gradients=1,
            max_force=0.0,
            reached=(target + off,),
            slopes=(slope(branch, target),),
        )
        if target in self.fails:
            outcome = Failure(error_type=self.error_type, message="no")
        return TaskRecord(key=label, stage="scan", label=label, task=task, outcome=outcome, provenance=None)


def scanned(from_seeds, run, improvement=1e-6):
    return follow(scan(from_seeds, GRID, RelaxationSettings(LEVEL, CONVERGENCE), improvement), run)


def seeds(*which):
    values = {"E": (2.5, 0.0), "S": (2.9, 36.0)}
    return [
        Seed(name, f"key of {name}", molecule(values[name][0]), (COORDINATE,), (values[name][1],)) for name in which
    ]


def profile(verdicts):
    return {verdict.reached[0]: verdict.label for verdict in verdicts if verdict.kept}


def test_the_lower_branch_is_kept_at_every_point():
    run = Model2()
    kept = profile(scanned(seeds("E", "S"), run))
    assert sorted(kept) == list(VALUES)
    for value, label in kept.items():
        best = "E" if energy(2.5, value) < energy(2.9, value) else "S"
        assert f"from {best}" in label


def test_from_one_side_alone_the_profile_lags_behind():
    one_sided = scanned(seeds("E"), Model2())
    assert all("from E" in label for label in profile(one_sided).values())


def test_a_smooth_branch_costs_one_relaxation_a_point():
    run = Model2()
    scanned(seeds("E"), run)
    assert len(run.labels) == len(VALUES)


def test_a_beaten_branch_stops_spreading():
    run = Model2()
    scanned(seeds("E", "S"), run)
    assert len(run.labels) < 2 * len(VALUES)


def test_every_attempt_has_a_verdict_and_the_loser_says_by_how_much():
    run = Model2()
    verdicts = scanned(seeds("E", "S"), run)
    assert [verdict.label for verdict in verdicts] == run.labels
    lost = [verdict for verdict in verdicts if not verdict.kept]
    assert lost
    assert all("kcal/mol against the structure from" in sentence(verdict) for verdict in lost)


def test_an_unconverged_point_is_no_point_and_does_not_spread():
    verdicts = scanned(seeds("E"), Model2(fails=(12.0,)))
    assert sorted(profile(verdicts)) == [0.0, 6.0]
    assert [sentence(verdict) for verdict in verdicts if not verdict.kept] == ["not converged: no"]


@pytest.mark.parametrize(("error_type", "code"), [("WorkerDied", Code.KILLED), ("ResourceError", Code.FAILED)])
def test_a_worker_that_was_killed_or_lacked_memory_did_not_fail_to_converge(error_type, code):
    verdicts = scanned(seeds("E"), Model2(fails=(12.0,), error_type=error_type))
    (failed,) = [verdict for verdict in verdicts if not verdict.kept]
    assert (failed.code, sentence(failed)) == (code, "failed: no")


def test_a_point_that_missed_its_target_is_no_point():
    verdicts = scanned(seeds("E", "S"), Model2(misses=(18.0,)))
    assert 18.0 not in profile(verdicts)
    assert any("instead of 18" in (sentence(verdict) or "") for verdict in verdicts)


def test_what_is_lower_by_a_little_is_kept_though_it_spreads_no_further():
    generous = 0.0015  # hartree; S is 0.001 lower at its end
    verdicts = scanned(seeds("E", "S"), Model2(), generous)
    assert "from S" in profile(verdicts)[36.0]


def test_a_replay_asks_for_the_same_points_in_the_same_order():
    first, second = Model2(), Model2()
    for run in (first, second):
        scanned(seeds("E", "S"), run)
    assert first.labels == second.labels
