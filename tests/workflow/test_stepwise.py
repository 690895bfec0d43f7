"""`preoptimize = "stepwise"`: hydrogen atoms, then ligands around the held core, then all; each step is reported."""

from __future__ import annotations

import numpy as np
import pytest

import qcdriver as qd
from qcdriver.models.tasks import Relaxation
from qcdriver.models.verdicts import Purpose

METHYLPHOSPHINE_GOLD_CHLORIDE = """9
charge=0 multiplicity=1
Au 0.00 0.00 0.00
Cl 0.00 0.10 -2.30
P 0.10 0.00 2.25
C 1.80 0.00 2.95
H -0.60 1.15 2.80
H -0.60 -1.15 2.80
H 1.75 0.05 4.05
H 2.35 0.90 2.60
H 2.35 -0.90 2.60
"""
INPUT = """
title = "stepwise"
[structure]
source = "xyz"
[structure.isomers.a]
file = "a.xyz"
[prescreen]
method = "GFN1-xTB"
preoptimize = "stepwise"
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stepwise")
    (folder / "a.xyz").write_text(METHYLPHOSPHINE_GOLD_CHLORIDE)
    (folder / "a.toml").write_text(INPUT)
    found = qd.run(folder / "a.toml", results=folder / "results", workers=1)
    return found, qd.open_results(folder / "results" / "a")


def test_what_is_held_does_not_move_at_all(run):
    _, results = run
    moved = {}
    for record in results.records(stage="prescreen"):
        if isinstance(record.task, Relaxation):
            shift = np.abs(record.outcome.molecule.geometry - record.task.molecule.geometry).max(axis=1)
            moved[record.purpose] = set(np.flatnonzero(shift))
    assert moved[Purpose.SETTLE_HYDROGENS] == {4, 5, 6, 7, 8}
    assert moved[Purpose.SETTLE_LIGANDS] == {3, 4, 5, 6, 7, 8}  # Au, Cl and P are the core
    assert moved[Purpose.CHEAP] == set(range(9))


def test_each_step_says_how_far_the_start_is_left_and_what_it_gained(run):
    found, _ = run
    steps = found.summary.stages["prescreen"].steps
    assert [step.relaxed for step in steps] == ["hydrogen atoms", "ligands, core held", "all", "all, tightly"]
    assert steps[0].heavy_rmsd_angstrom < 1e-6
    assert steps[0].energy_change_kcal_mol < -0.1
    assert steps[-1].heavy_rmsd_angstrom > 0.01
    assert all(step.core_rmsd_angstrom is None for step in steps)  # one metal atom
