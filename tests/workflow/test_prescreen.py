"""The prescreen's judgement: what is dropped, why, and what goes on. Energies come from a table, not from xTB."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from qcdriver.errors import InputError
from qcdriver.models.coordinates import AngularTarget, Torsion
from qcdriver.models.level import Level, Model
from qcdriver.models.molecule import Molecule
from qcdriver.models.outcomes import Failure, Relaxed, Result
from qcdriver.models.records import TaskRecord
from qcdriver.models.verdicts import Code, Purpose
from qcdriver.report.sentences import sentence
from qcdriver.systems.au13ag12.model import RodModel, build_rod
from qcdriver.systems.base import Candidate
from qcdriver.units import ANGSTROM, KCAL_MOL
from qcdriver.workflow.base import follow
from qcdriver.workflow.prescreen.rounds import Passes, held_core, prescreen
from qcdriver.workflow.prescreen.settings import PrescreenSettings
from qcdriver.workflow.prescreen.stage import Prescreen

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

    def __init__(self, energies, after=None, free=None, error_type="ConvergenceError"):
        self.error_type = error_type
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
            outcome = Failure(error_type=self.error_type, message="500 steps were not enough")
        return TaskRecord(key=label, stage="prescreen", label=label, task=task, outcome=outcome, provenance=None)


def judged(candidates, energies, after=None, free=None, **settings):
    run = Table(energies, after, free)
    verdicts = follow(prescreen(candidates, Passes(PrescreenSettings(**settings), LEVEL, None)), run)
    return {verdict.label: verdict for verdict in verdicts}, run


def test_what_did_not_converge_is_dropped_with_the_reason():
    verdicts, _ = judged([candidate("A", 0, 90), candidate("A", 1, 120)], {"A#1": None})
    assert verdicts["A"].kept
    assert sentence(verdicts["A#1"]) == "not converged: 500 steps were not enough"


@pytest.mark.parametrize(("error_type", "code"), [("WorkerDied", Code.KILLED), ("ResourceError", Code.FAILED)])
def test_a_worker_that_was_killed_or_lacked_memory_did_not_fail_to_converge(error_type, code):
    run = Table({"A": None}, error_type=error_type)
    (verdict,) = follow(prescreen([candidate("A", 0, 90)], Passes(PrescreenSettings(), LEVEL, None)), run)
    assert (verdict.code, sentence(verdict)) == (code, "failed: 500 steps were not enough")


def test_a_verdict_names_its_isomer_and_the_last_pass_that_it_got_to():
    candidates = [candidate("A", 0, 60), candidate("A", 1, 90), candidate("B", 0, 150)]
    verdicts, _ = judged(candidates, {"A": 0.0, "A#1": 50.0, "B": None}, window_kcal_mol=10.0)
    assert {label: (each.isomer, each.purpose) for label, each in verdicts.items()} == {
        "A": ("A", Purpose.TIGHT),
        "A#1": ("A", Purpose.CHEAP),
        "B": ("B", Purpose.CHEAP),
    }


def test_what_fell_apart_is_dropped_with_the_reason():
    broken = peroxide(120).moved(peroxide(120).geometry + [[0, 0, 0], [4, 0, 0], [0, 0, 0], [4, 0, 0]])
    verdicts, run = judged([candidate("A", 0, 90), candidate("A", 1, 120)], {"A#1": -50}, {"A#1": broken})
    assert sentence(verdicts["A#1"]).startswith("fell apart: ")
    assert "A#1 GFN1-xTB tight" not in run.asked


def test_the_same_structure_and_its_mirror_image_are_one():
    verdicts, _ = judged(
        [candidate("A", 0, 90), candidate("A", 1, 90.5), candidate("B", 0, -90)], {"A#1": 0.01, "B": 0.02}
    )
    assert [label for label, verdict in verdicts.items() if verdict.kept] == ["A"]
    assert sentence(verdicts["A#1"]) == "the same structure as A"
    assert sentence(verdicts["B"]) == "the mirror image of A"


def test_equal_energies_of_different_structures_are_two():
    verdicts, _ = judged([candidate("A", 0, 60), candidate("B", 0, 150)], {})
    assert all(verdict.kept for verdict in verdicts.values())


def test_each_isomer_keeps_its_best_even_outside_the_window_and_the_lowest_comes_first():
    candidates = [candidate("A", 0, 60), candidate("A", 1, 90), candidate("B", 0, 150), candidate("B", 1, 179)]
    energies = {"A": 0.0, "A#1": 12.0, "B": 30.0, "B#1": 31.0}
    verdicts, _ = judged(candidates, energies, window_kcal_mol=10.0)
    assert [label for label, verdict in verdicts.items() if verdict.kept] == ["A", "B"]
    assert sentence(verdicts["A#1"]) == "12.0 kcal/mol above the lowest after the cheap pass"


def test_max_kept_prefers_another_isomer_to_another_start():
    candidates = [candidate("A", 0, 60), candidate("A", 1, 90), candidate("B", 0, 150)]
    verdicts, _ = judged(candidates, {"A": 0.0, "A#1": 1.0, "B": 5.0}, max_kept=2)
    assert [label for label, verdict in verdicts.items() if verdict.kept] == ["A", "B"]
    assert sentence(verdicts["A#1"]) == "beyond max_kept = 2"


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
    assert sentence(verdicts["A"]) == "turned from 90 to 120.0 deg: no longer A"
    assert verdicts["A#1"].kept


def test_an_isomer_that_is_no_minimum_goes_on_held_and_says_so():
    verdicts, run = judged([turned("A", 0, 90), turned("B", 0, 150)], {}, free={"A": peroxide(120)})
    assert verdicts["A"].kept
    assert verdicts["A"].key == "A GFN1-xTB tight, held"
    assert sentence(verdicts["A"]) == "held: set free it turned from 90 to 120.0 deg: no longer A"
    assert run.held["A GFN1-xTB tight, held"] == [90.0]
    assert sentence(verdicts["B"]) is None


def test_nothing_left_is_told_for_every_candidate():
    verdicts, _ = judged([candidate("A", 0, 90), candidate("B", 0, 120)], {"A": None, "B": None})
    assert {sentence(verdict) for verdict in verdicts.values()} == {"not converged: 500 steps were not enough"}
    assert not any(verdict.kept for verdict in verdicts.values())


def test_the_force_field_holds_metals_and_what_binds_them():
    rod = build_rod(RodModel(phosphine="PH3"))
    held = [rod.symbols[atom] for atom in held_core(rod)]
    assert sorted(set(held)) == ["Ag", "Au", "Cl", "P"]
    assert len(held) == 25 + 8 + 10
    run = Table({})
    follow(prescreen([Candidate("E", 0, rod)], Passes(PrescreenSettings(), LEVEL, FIELD)), run)
    assert run.asked[0] == "E GFN-FF"


def test_a_molecule_without_metal_is_not_held():
    assert held_core(peroxide(90)) == ()


def test_in_a_search_isomers_compete_and_only_the_best_go_on():
    candidates = [candidate("A", 0, 60), candidate("B", 0, 90), candidate("C", 0, 150)]
    energies = {"A": 0.0, "B": 5.0, "C": 50.0}
    verdicts, run = judged(candidates, energies, keep_each_isomer=False, window_kcal_mol=10.0, max_tight=2, max_kept=1)
    assert [label for label, verdict in verdicts.items() if verdict.kept] == ["A"]
    assert "C GFN1-xTB tight" not in run.asked
    assert sentence(verdicts["C"]) == "50.0 kcal/mol above the lowest after the cheap pass"
    assert sentence(verdicts["B"]) == "beyond max_kept = 1"


@pytest.mark.parametrize("hydrides", [0, 1])
def test_a_bare_cluster_has_nothing_to_settle_and_goes_on_without_the_force_field(hydrides):
    """The force field was asked for, with every atom frozen, and ended the run."""
    symbols = ("Au",) * 4 + ("H",) * 2 * hydrides
    places = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1], [1.9, 1.9, 1.9], [1.9, -1.9, -1.9]])
    bare = Molecule(symbols=symbols, geometry=places[: len(symbols)] * 1.0 / ANGSTROM)
    run = Table({})
    verdicts = follow(prescreen([Candidate("A", 0, bare)], Passes(PrescreenSettings(), LEVEL, FIELD)), run)
    assert run.asked == ["A GFN1-xTB cheap", "A GFN1-xTB tight"]
    assert verdicts[0].kept


def rods(energies: dict[str, tuple[float, float]], **settings: object):
    """Judge rods that were built as S and bent: label -> energy (kcal/mol), bend (deg)."""
    straight = build_rod(RodModel(twist_deg=36))
    upper = (straight.geometry[:, 2] > 0.1)[:, None]
    candidates, table = [], {}
    for start, (energy, bend_deg) in enumerate(energies.values()):
        turn = Rotation.from_euler("x", bend_deg, degrees=True).as_matrix()
        bent = straight.moved(np.where(upper, straight.geometry @ turn.T, straight.geometry))
        found = Candidate("S", start, bent)
        candidates.append(found)
        table[found.label] = energy
    return judged(candidates, table, **settings)


def test_a_bent_rod_does_not_stand_for_its_isomer_where_a_straight_one_is_there_and_is_kept():
    verdicts, run = rods({"S": (0.0, 18.0), "S#1": (12.0, 0.0), "S#2": (13.0, 1.0)}, max_tight=2, window_kcal_mol=10)
    assert [label for label in run.asked if label.endswith("tight")] == ["S GFN1-xTB tight", "S#1 GFN1-xTB tight"]
    assert [label for label, verdict in verdicts.items() if verdict.kept] == ["S", "S#1"]


def test_where_every_rod_is_bent_the_lowest_stands_for_the_isomer():
    verdicts, _ = rods({"S": (5.0, 18.0), "S#1": (0.0, 15.0)}, max_kept=1)
    assert [label for label, verdict in verdicts.items() if verdict.kept] == ["S#1"]


def test_what_counts_as_bent_is_for_the_input_to_say():
    verdicts, _ = rods({"S": (0.0, 18.0), "S#1": (12.0, 0.0)}, max_bend_deg=20, window_kcal_mol=10)
    assert [label for label, verdict in verdicts.items() if verdict.kept] == ["S"]


def test_every_family_goes_on_before_the_window_and_the_limits_cut():
    energies = {"S": (0.0, 0.0), "S#1": (1.0, 1.0), "S#2": (25.0, 18.0), "S#3": (26.0, 16.0)}
    strict = {"max_tight": 1, "max_kept": 1, "window_kcal_mol": 10}
    verdicts, _ = rods(energies, every_family=True, **strict)
    assert [label for label, verdict in verdicts.items() if verdict.kept] == ["S", "S#2"]
    verdicts, _ = rods(energies, **strict)
    assert [label for label, verdict in verdicts.items() if verdict.kept] == ["S"]


def refused(molecule: Molecule, **settings: object) -> str:
    """Return what is said of a molecule before anything is computed."""
    table = SimpleNamespace(table=lambda kind: PrescreenSettings(**settings))
    with pytest.raises(InputError) as refusal:
        Prescreen().check(table, [molecule])
    return str(refusal.value)


def test_a_bound_that_no_candidate_can_have_or_meet_is_refused_before_anything_is_computed():
    assert (
        refused(peroxide(90), max_bend_deg=5)
        == "[prescreen] max_bend_deg: H2O2 is no rod that could bend; leave it out"
    )
    rod = build_rod(RodModel(twist_deg=36))
    turn = Rotation.from_euler("x", 18, degrees=True).as_matrix()
    bent = rod.moved(np.where((rod.geometry[:, 2] > 0.1)[:, None], rod.geometry @ turn.T, rod.geometry))
    assert refused(bent, hold_metal=True).startswith("[prescreen] max_bend_deg: hold_metal = true keeps all candidates")
    free = SimpleNamespace(table=lambda kind: PrescreenSettings())
    Prescreen().check(free, [bent])
