"""The prescreen's judgement: what is dropped, why, and what goes on. Energies come from a table, not from xTB."""

from __future__ import annotations

import numpy as np

from qcdriver.candidates import Candidate
from qcdriver.config.settings import PrescreenSettings
from qcdriver.prescreen import held_core, prescreen
from qcdriver.schema import AngularTarget, Failure, Level, Model, Molecule, Relaxed, Result, TaskRecord, Torsion
from qcdriver.stage import follow
from qcdriver.structures.au13ag12 import RodModel, build_rod
from qcdriver.units import KCAL_MOL

LEVEL = Level(engine="table", engine_version="1", model=Model(method="GFN1-xTB"))
FIELD = Level(engine="table", engine_version="1", model=Model(method="GFN-FF"))
SYMBOLS = ("O", "O", "H", "H")


def peroxide(torsion_deg: float) -> Molecule:
    """Give H2O2 with a torsion, bohr."""
    turn = np.radians(torsion_deg)
    far = [2.75 + 0.4, 1.8 * np.cos(turn), 1.8 * np.sin(turn)]
    return Molecule(symbols=SYMBOLS, geometry=[[0, 0, 0], [2.75, 0, 0], [-0.4, 1.8, 0], far])


def candidate(isomer: str, start: int, torsion_deg: float) -> Candidate:
    return Candidate(isomer, start, peroxide(torsion_deg))


def driven(line, record_of):
    """Drive a line to its end."""
    try:
        job = next(line)
        while True:
            job = line.send(record_of(job))
    except StopIteration as end:
        return end.value


class Table:
    """Answers a relaxation with the energy (kcal/mol) its label has in the table; the geometry stays."""

    def __init__(self, energies, after=None, free=None):
        self.energies, self.after, self.free = energies, after or {}, free or {}
        self.asked, self.held = [], {}

    def __call__(self, lines):
        return [driven(line, lambda job: self.record(job.label, job.task)) for line in lines]

    def record(self, label, task):
        self.asked.append(label)
        self.held[label] = [target.value_deg for target in task.targets]
        name = label.split()[0]
        energy = self.energies.get(name, 0.0)
        outcome = Relaxed(
            molecule=(self.after if task.targets or not self.free else self.free).get(name, task.molecule),
            result=Result(energy=(energy or 0.0) / KCAL_MOL),
            energies=(0.0,),
            n_gradients=1,
            max_force=0.0,
        )
        if energy is None:
            outcome = Failure(error_type="ConvergenceError", message="500 steps were not enough")
        return TaskRecord(key=label, stage="prescreen", label=label, task=task, outcome=outcome, provenance=None)


def judged(candidates, energies, after=None, free=None, **settings):
    run = Table(energies, after, free)
    verdicts = follow(prescreen(candidates, PrescreenSettings(**settings), LEVEL, None), run)
    return {verdict.label: verdict for verdict in verdicts}, run


def test_what_did_not_converge_is_dropped_with_the_reason():
    verdicts, _ = judged([candidate("A", 0, 90), candidate("A", 1, 120)], {"A#1": None})
    assert verdicts["A"].kept
    assert verdicts["A#1"].reason == "not converged: 500 steps were not enough"


def test_what_fell_apart_is_dropped_with_the_reason():
    broken = peroxide(120).moved(peroxide(120).geometry + [[0, 0, 0], [4, 0, 0], [0, 0, 0], [4, 0, 0]])
    verdicts, run = judged([candidate("A", 0, 90), candidate("A", 1, 120)], {"A#1": -50}, {"A#1": broken})
    assert verdicts["A#1"].reason.startswith("fell apart: ")
    assert "A#1 GFN1-xTB tight" not in run.asked


def test_the_same_structure_and_its_mirror_image_are_one():
    verdicts, _ = judged(
        [candidate("A", 0, 90), candidate("A", 1, 90.5), candidate("B", 0, -90)], {"A#1": 0.01, "B": 0.02}
    )
    assert [label for label, verdict in verdicts.items() if verdict.kept] == ["A"]
    assert verdicts["A#1"].reason == "the same structure as A"
    assert verdicts["B"].reason == "the mirror image of A"


def test_equal_energies_of_different_structures_are_two():
    verdicts, _ = judged([candidate("A", 0, 60), candidate("B", 0, 150)], {})
    assert all(verdict.kept for verdict in verdicts.values())


def test_each_isomer_keeps_its_best_even_outside_the_window_and_the_lowest_comes_first():
    candidates = [candidate("A", 0, 60), candidate("A", 1, 90), candidate("B", 0, 150), candidate("B", 1, 179)]
    energies = {"A": 0.0, "A#1": 12.0, "B": 30.0, "B#1": 31.0}
    verdicts, _ = judged(candidates, energies, window_kcal_mol=10.0)
    assert [label for label, verdict in verdicts.items() if verdict.kept] == ["A", "B"]
    assert verdicts["A#1"].reason == "12.0 kcal/mol above the lowest after the cheap pass"


def test_max_kept_prefers_another_isomer_to_another_start():
    candidates = [candidate("A", 0, 60), candidate("A", 1, 90), candidate("B", 0, 150)]
    verdicts, _ = judged(candidates, {"A": 0.0, "A#1": 1.0, "B": 5.0}, max_kept=2)
    assert [label for label, verdict in verdicts.items() if verdict.kept] == ["A", "B"]
    assert verdicts["A#1"].reason == "beyond max_kept = 2"


def test_only_the_best_of_an_isomer_get_the_tight_pass():
    candidates = [candidate("A", start, 60 + 30 * start) for start in range(4)]
    _, run = judged(candidates, {"A": 3.0, "A#1": 1.0, "A#2": 2.0, "A#3": 0.0}, max_tight=2)
    assert [label for label in run.asked if label.endswith("tight")] == ["A#1 GFN1-xTB tight", "A#3 GFN1-xTB tight"]


def turned(isomer: str, start: int, asked: float) -> Candidate:
    """Give a candidate whose torsion makes it the isomer."""
    coordinate = Torsion(kind="dihedral", quadruples=((2, 0, 1, 3),))
    return Candidate(isomer, start, peroxide(asked), AngularTarget(coordinate=coordinate, value_deg=asked))


def test_the_cheap_pass_holds_the_isomers_coordinate_and_the_tight_one_sets_it_free():
    _, run = judged([turned("A", 0, 90)], {})
    assert run.held == {"A GFN1-xTB cheap": [90.0], "A GFN1-xTB tight": []}


def test_a_start_that_turns_into_something_else_is_dropped_while_another_stays():
    verdicts, _ = judged([turned("A", 0, 90), turned("A", 1, 90)], {"A": -1}, free={"A": peroxide(120)})
    assert verdicts["A"].reason == "turned from 90 to 120.0 deg: no longer A"
    assert verdicts["A#1"].kept


def test_an_isomer_that_is_no_minimum_goes_on_held_and_says_so():
    verdicts, run = judged([turned("A", 0, 90), turned("B", 0, 150)], {}, free={"A": peroxide(120)})
    assert verdicts["A"].kept
    assert verdicts["A"].key == "A GFN1-xTB tight, held"
    assert verdicts["A"].reason == "held: set free it turned from 90 to 120.0 deg: no longer A"
    assert run.held["A GFN1-xTB tight, held"] == [90.0]
    assert verdicts["B"].reason is None


def test_nothing_left_is_told_for_every_candidate():
    verdicts, _ = judged([candidate("A", 0, 90), candidate("B", 0, 120)], {"A": None, "B": None})
    assert {verdict.reason for verdict in verdicts.values()} == {"not converged: 500 steps were not enough"}
    assert not any(verdict.kept for verdict in verdicts.values())


def test_the_force_field_holds_metals_and_what_binds_them():
    rod = build_rod(RodModel(phosphine="PH3"))
    held = [rod.symbols[atom] for atom in held_core(rod)]
    assert sorted(set(held)) == ["Ag", "Au", "Cl", "P"]
    assert len(held) == 25 + 8 + 10
    run = Table({})
    follow(prescreen([Candidate("E", 0, rod)], PrescreenSettings(), LEVEL, FIELD), run)
    assert run.asked[0] == "E GFN-FF"


def test_a_molecule_without_metal_is_not_held():
    assert held_core(peroxide(90)) == ()


def test_in_a_search_isomers_compete_and_only_the_best_go_on():
    candidates = [candidate("A", 0, 60), candidate("B", 0, 90), candidate("C", 0, 150)]
    energies = {"A": 0.0, "B": 5.0, "C": 50.0}
    verdicts, run = judged(candidates, energies, keep_each_isomer=False, window_kcal_mol=10.0, max_tight=2, max_kept=1)
    assert [label for label, verdict in verdicts.items() if verdict.kept] == ["A"]
    assert "C GFN1-xTB tight" not in run.asked
    assert verdicts["C"].reason == "50.0 kcal/mol above the lowest after the cheap pass"
    assert verdicts["B"].reason == "beyond max_kept = 1"
