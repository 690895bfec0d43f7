"""The wavefront on an analytic potential with two scanned coordinates and a hidden one that lags behind.

E(u, v, z) = A (u^2 - 1)^2 + B v^2 + H (z^2 - 1)^2 + C z u, in hartree, where u and v are scanned and z relaxes downhill
from wherever it is, as the belt of the rod does. Of the two sheets, z near +1 and near -1, the first is the lower for
u < 0, the second for u > 0, and each ends only where its own barrier vanishes: at |u| = 8 H / (3 sqrt(3) C) = 1.54.
"""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from qcdriver.models.coordinates import Distance
from qcdriver.models.level import Convergence, Level, Model
from qcdriver.models.molecule import Molecule
from qcdriver.models.outcomes import Relaxed, Result
from qcdriver.models.records import TaskRecord
from qcdriver.workflow.base import follow
from qcdriver.workflow.scan.grid import Grid, Operation
from qcdriver.workflow.scan.network import grid_network
from qcdriver.workflow.scan.rounds import RelaxationSettings, scan
from qcdriver.workflow.scan.wavefront import Seed

A, B, H, C = 0.010, 0.010, 0.010, 0.010
ZERO = 8.0
"""u, v and z are distances of pairs of atoms far from each other, less this (bohr)."""
APART = 60.0
U = tuple(ZERO + value for value in np.arange(-2.0, 2.01, 0.5))
V = tuple(ZERO + value for value in np.arange(-1.0, 1.01, 0.5))
GRID = Grid((U, V), (None, None), (True, True), (Operation((1, 1)),))
COORDINATES = (Distance(atoms=(0, 1)), Distance(atoms=(2, 3)))
HOW = RelaxationSettings(
    Level(engine="toy", engine_version="1", model=Model(method="two sheets")),
    Convergence(max_force=1e-4, energy_change=1e-6, max_steps=10),
)
IMPROVEMENT = 1e-4


def molecule(u: float, v: float, z: float) -> Molecule:
    pairs = [[[0, APART * k, 0], [ZERO + value, APART * k, 0]] for k, value in enumerate((u, v, z))]
    return Molecule(symbols=("He",) * 6, geometry=np.array(pairs).reshape(6, 3))


def energy(u: float, v: float, z: float) -> float:
    return A * (u**2 - 1) ** 2 + B * v**2 + H * (z**2 - 1) ** 2 + C * z * u


def downhill(u: float, z: float) -> float:
    """Follow the force on z to the first minimum."""
    for _ in range(200_000):
        force = -(4 * H * z * (z**2 - 1) + C * u)
        if abs(force) < 1e-9:
            return z
        z += 2.0 * force
    raise AssertionError("no minimum")


class Toy:
    """Answers relaxations, and counts them."""

    def __init__(self):
        self.labels: list[str] = []
        self.by_key: dict[str, TaskRecord] = {}

    def __call__(self, lines):
        return [self.answer(line) for line in lines]

    def answer(self, line):
        job = next(line)
        self.labels.append(job.label)
        xyz = job.task.molecule.geometry
        u, v = (target.value - ZERO for target in job.task.targets)
        z = downhill(u, np.linalg.norm(xyz[5] - xyz[4]) - ZERO)
        relaxed = Relaxed(
            molecule=molecule(u, v, z),
            result=Result(energy=energy(u, v, z)),
            energies=(0.0,),
            n_gradients=1,
            max_force=0.0,
            reached=tuple(target.value for target in job.task.targets),
            slopes=(4 * A * u * (u**2 - 1) + C * z, 2 * B * v),
        )
        record = TaskRecord(
            key=f"{job.label}#{len(self.labels)}",
            stage="scan",
            label=job.label,
            task=job.task,
            outcome=relaxed,
            provenance=None,
        )
        with pytest.raises(StopIteration) as end:
            line.send(record)
        self.by_key[record.key] = record
        return end.value.value


def scanned(run, ceiling=None):
    """Scan from one seed: the minimum on the left, on the sheet that is the lower there."""
    start = Seed("left", "key", molecule(-1.0, 0.0, 1.1), COORDINATES, (ZERO - 1.0, ZERO))
    return follow(scan([start], GRID, HOW, IMPROVEMENT, ceiling), run)


def kept(verdicts, run):
    return {
        GRID.nearest(verdict.reached): run.by_key[verdict.key].outcome.result.energy
        for verdict in verdicts
        if verdict.kept
    }


def truth(u: float, v: float) -> float:
    """Give the lowest energy over both sheets, by another minimiser."""
    found = [
        minimize_scalar(lambda z: energy(u, v, z), bounds=bounds, method="bounded") for bounds in ((-2, 0), (0, 2))
    ]
    return min(each.fun for each in found)


def test_from_one_seed_every_point_ends_on_the_lower_sheet():
    run = Toy()
    found = kept(scanned(run), run)
    assert sorted(found) == sorted(itertools.product(range(len(U)), range(len(V))))
    for (i, j), value in found.items():
        assert value == pytest.approx(truth(U[i] - ZERO, V[j] - ZERO), abs=IMPROVEMENT)


def test_without_proposals_back_the_near_half_of_the_far_side_would_lag_behind():
    """So that the test above tests something: driven from the left alone, z stays on its sheet as far as u = 1.5."""
    assert energy(1.0, 0.0, downhill(1.0, 1.1)) > truth(1.0, 0.0) + 10 * IMPROVEMENT
    assert downhill(2.0, 1.1) < 0


def test_minima_and_saddle_are_found_from_one_seed():
    """The minima are those of a continuous minimisation; between them the sheets cross at u = 0, v = 0."""
    run = Toy()
    network = grid_network(kept(scanned(run), run), GRID.around)
    right = minimize_scalar(lambda u: truth(u, 0.0), bounds=(0.2, 2.0), method="bounded").x
    expected = {GRID.nearest((ZERO + sign * right, ZERO)) for sign in (-1, 1)}
    assert {each.index for each in network.minima} == expected
    (saddle,) = network.passes
    assert GRID.values(saddle.index) == (ZERO, ZERO)


def test_a_ceiling_keeps_high_points_from_spreading():
    whole, low = Toy(), Toy()
    everything = scanned(whole)
    verdicts = scanned(low, ceiling=0.008)
    assert len(low.labels) < len(whole.labels)
    assert min(kept(verdicts, low).values()) == pytest.approx(min(kept(everything, whole).values()), abs=IMPROVEMENT)
