"""Which paths are looked for: to the mirror image where there is one, to the next conformer by the nearer hand."""

from __future__ import annotations

import numpy as np

from qcdriver.models.level import Level, Model
from qcdriver.models.molecule import Molecule
from qcdriver.models.outcomes import Band, Failure, Result
from qcdriver.models.records import TaskRecord
from qcdriver.models.tasks import PathSearch
from qcdriver.report.sentences import sentence
from qcdriver.workflow.base import follow
from qcdriver.workflow.interconversion import ConformerEnd, interconversion

LEVEL = Level(engine="table", engine_version="1", model=Model(method="none"))


def disulfane(torsion_deg: float, atoms=(0, 1, 2, 3)) -> Molecule:
    turn = np.radians(torsion_deg)
    geometry = np.array([[0, 0, 0], [3.9, 0, 0], [-0.3, 2.5, 0], [4.2, 2.5 * np.cos(turn), 2.5 * np.sin(turn)]])
    return Molecule(symbols=tuple(np.array(list("SSHH"))[list(atoms)]), geometry=geometry[list(atoms)])


def paths(*minima, outcome=None):
    asked: list[PathSearch] = []

    def run(lines):
        returned = []
        for line in lines:
            job = next(line)
            asked.append(job.task)
            found = outcome or Band(
                images=(job.task.molecule, job.task.end),
                energies=(0.0, 0.1),
                result=Result(energy=0.1),
                n_gradients=1,
                max_force=0.0,
            )
            record = TaskRecord(
                key=job.label, stage="interconversion", label=job.label, task=job.task, outcome=found, provenance=None
            )
            try:
                line.send(record)
            except StopIteration as end:
                returned.append(end.value)
        return returned

    those = [ConformerEnd(label, f"key of {label}", molecule) for label, molecule in minima]
    return follow(interconversion(those, LEVEL, 5, 1e-3, 10), run), asked


def torsion_deg(molecule: Molecule) -> float:
    from ase import Atoms

    s = [i for i, symbol in enumerate(molecule.symbols) if symbol == "S"]
    near = [
        min(
            (i for i, symbol in enumerate(molecule.symbols) if symbol == "H"),
            key=lambda i: np.linalg.norm(molecule.geometry[i] - molecule.geometry[j]),
        )
        for j in s
    ]
    angle = Atoms(molecule.symbols, molecule.geometry).get_dihedral(near[0], s[0], s[1], near[1])
    return (angle + 180) % 360 - 180


def test_a_chiral_conformer_gets_a_path_to_its_mirror_image():
    verdicts, (asked,) = paths(("A", disulfane(90)))
    assert [verdict.label for verdict in verdicts] == ["A -> mirror image of A"]
    assert torsion_deg(asked.molecule) == -torsion_deg(asked.end)


def test_an_achiral_conformer_gets_none():
    assert paths(("A", disulfane(180))) == ([], [])


def test_the_next_conformer_is_reached_by_the_nearer_hand_whatever_its_atom_order():
    verdicts, asked = paths(("A", disulfane(90)), ("B", disulfane(-70, atoms=(3, 1, 0, 2))))
    labels = ["A -> mirror image of A", "B -> mirror image of B", "A -> mirror image of B"]
    assert [verdict.label for verdict in verdicts] == labels
    assert asked[2].end.symbols == asked[2].molecule.symbols
    assert round(torsion_deg(asked[2].end)) == 70


def test_a_path_that_was_not_found_is_told_with_its_reason():
    failure = Failure(error_type="ConvergenceError", message="path: not converged")
    verdicts, _ = paths(("A", disulfane(90)), outcome=failure)
    assert not verdicts[0].kept
    assert sentence(verdicts[0]) == "path: not converged"
