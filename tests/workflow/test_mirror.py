"""Mirror images have equal energies; where they do not, the run has failed."""

from __future__ import annotations

import numpy as np
import pytest

from qcdriver.models.level import Level, Model
from qcdriver.models.molecule import Molecule
from qcdriver.models.outcomes import Failure, Result
from qcdriver.models.records import TaskRecord
from qcdriver.report.sentences import sentence
from qcdriver.workflow.base import follow
from qcdriver.workflow.mirror import mirror

LEVEL = Level(engine="table", engine_version="1", model=Model(method="none"))
MOLECULE = Molecule(symbols=("O", "O", "H", "H"), geometry=[[0, 0, 0], [2.7, 0, 0], [-0.4, 1.8, 0], [3.1, 0, 1.8]])


def checked(outcome, energy=-1.0):
    def run(lines):
        (line,) = lines
        job = next(line)
        assert np.array_equal(job.task.molecule.geometry, -MOLECULE.geometry)
        assert job.parents == ("key of A",)
        record = TaskRecord(
            key="mirror", stage="mirror", label=job.label, task=job.task, outcome=outcome, provenance=None
        )
        with pytest.raises(StopIteration) as end:
            line.send(record)
        return [end.value.value]

    (verdict,) = follow(mirror("A", "key of A", MOLECULE, energy, LEVEL, 1e-6), run)
    return verdict


def test_equal_energies_pass():
    verdict = checked(Result(energy=-1.0 + 5e-7))
    assert verdict.kept
    assert sentence(verdict) == "+5.0e-07 hartree against A; 1e-06 are allowed"


def test_a_different_energy_does_not_pass():
    assert not checked(Result(energy=-1.0 - 2e-6)).kept


def test_no_energy_does_not_pass_and_says_why():
    verdict = checked(Failure(error_type="ConvergenceError", message="the SCF did not converge"))
    assert not verdict.kept
    assert sentence(verdict) == "the SCF did not converge"
