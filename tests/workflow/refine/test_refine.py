"""`[refine]`: the conformers of [dft] relaxed at its level, what later stages then compute, and what is left out."""

from __future__ import annotations

import numpy as np
import pytest
from rich.console import Console

from qcdriver.errors import ConvergenceError, InputError
from qcdriver.execution.driver import run_input
from qcdriver.execution.progress import Display
from qcdriver.execution.slurm.steps import plan_steps
from qcdriver.models.outcomes import Relaxed
from qcdriver.models.tasks import Relaxation
from qcdriver.models.verdicts import Code
from qcdriver.report.sentences import sentence
from qcdriver.report.tables.overview import print_summary
from qcdriver.workflow.input import read_input
from qcdriver.workflow.open_run import open_run
from qcdriver.workflow.plan import plan_run
from qcdriver.workflow.prescreen.stage import Prescreen
from qcdriver.workflow.refine.stage import Refinement
from qcdriver.workflow.sensitivity.stage import FurtherLevels
from qcdriver.workflow.single_points import SinglePoints
from qcdriver.workflow.spectrum.stage import ExcitedSinglets

SYN = "5\n\nC 0 0.42 0\nO -1.03 -0.44 0\nO 1.16 0.11 0\nH -0.38 1.45 0\nH -0.64 -1.33 0\n"
ANTI = "5\n\nC 0 0.42 0\nO -1.03 -0.44 0\nO 1.16 0.11 0\nH -0.38 1.45 0\nH -1.88 0.03 0\n"
STRETCHED = "5\n\nC 0 0.42 0\nO -1.03 -0.49 0\nO 1.30 0.11 0\nH -0.38 1.45 0\nH -0.64 -1.43 0\n"
"""Syn with its C=O bond 0.14 A longer."""
TWISTED = "5\n\nC 0 0.42 0\nO -1.03 -0.44 0\nO 1.16 0.11 0\nH -0.38 1.45 0\nH -1.25 -0.8 0.9\n"
LOOSE = "{ max_force_ev_angstrom = 0.05, energy_change_ev = 1e-3 }"
INPUT = f"""
title = "formic acid, refined"
[structure]
source = "xyz"
[structure.isomers.syn]
file = "syn.xyz"
[structure.isomers.anti]
file = "anti.xyz"
[prescreen]
engine = "tblite"
preoptimize = "none"
[refine]
threshold = {LOOSE}
[dft]
method = "PBE"
basis = "STO-3G"
device = "cpu"
keywords = {{ grid_level = 1 }}
[sensitivity]
levels = [{{ method = "PBE0" }}]
[spectrum]
states = 1
isomers = ["syn"]
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("refine")
    for name, text in (("syn", SYN), ("anti", ANTI), ("stretched", STRETCHED), ("twisted", TWISTED)):
        (folder / f"{name}.xyz").write_text(text)
    return folder


def opened(folder, text=INPUT, name="refined"):
    path = folder / f"{name}.toml"
    path.write_text(text)
    return open_run(read_input(path), path, folder / "results")


def computed(run):
    with Display() as display:
        return run_input(run, None, None, display)


@pytest.fixture(scope="module")
def done(folder):
    return computed(opened(folder))


def printed(summary):
    console = Console(width=120)
    with console.capture() as text:
        print_summary(summary, console)
    return text.get()


def test_what_follows_is_computed_at_the_refined_geometries(folder, done):
    run = opened(folder)
    refined = {verdict.label: run.record(verdict.key) for verdict in run.verdicts(Refinement)}
    assert set(refined) == {"syn", "anti"}
    for label, record in refined.items():
        assert isinstance(record.task, Relaxation)
        assert not record.task.frozen_atoms
        assert record.level == run.plan(SinglePoints).levels[0]
        assert record.task.start_hessian == run.plan(Prescreen).levels[0]
        assert record.outcome.began_with_hessian
        assert not np.allclose(record.molecule.geometry, record.task.molecule.geometry, atol=1e-3)
        single = next(run.record(each.key) for each in run.verdicts(SinglePoints) if each.label == label)
        assert single.task.molecule == record.molecule
        assert single.parents == (record.key,)
        # The last density of the relaxation is the first one here, so that hardly a cycle is left.
        assert "0.00 A away" in single.result.scf[0].strategy
        assert single.result.n_cycles <= 3
        assert single.result.energy == pytest.approx(record.outcome.result.energy, abs=1e-6)
    further = [run.record(each.key).task.molecule for each in run.verdicts(FurtherLevels)]
    assert {str(molecule) for molecule in further} == {str(record.molecule) for record in refined.values()}
    (excited,) = [run.record(each.key) for each in run.verdicts(ExcitedSinglets)]
    assert excited.task.molecule == refined["syn"].molecule
    assert not (run.directory / "checkpoints").exists()


def test_the_table_says_what_each_relaxation_gained_and_cost(folder, done):
    summary, _ = done
    run = opened(folder)
    found = {each.conformer: each for each in summary.stages["refine"].conformers}
    for verdict in run.verdicts(Refinement):
        outcome, row = run.record(verdict.key).outcome, found[verdict.label]
        assert row.gained_kcal_mol == pytest.approx((outcome.energies[0] - outcome.energies[-1]) * 627.5095, abs=1e-3)
        assert row.gained_kcal_mol > 1
        assert 0.01 < row.rmsd_angstrom < 0.3
        assert (row.gradients, row.scf_cycles) == (outcome.n_gradients, outcome.n_cycles)
        assert row.scf_cycles > row.gradients > row.steps > 1
        assert row.kept
    text = " ".join(printed(summary).split())
    assert "Relaxed freely, PBE/STO-3G (pyscf), begun with the Hessian of GFN1-xTB (tblite)" in text
    assert "Conformers, PBE/STO-3G (pyscf), geometries relaxed at this level" in text


def test_a_finished_run_computes_nothing_and_another_threshold_relaxes_again(folder, done):
    again, tally = computed(opened(folder))
    assert (tally.computed, again) == (0, done[0])
    without = INPUT[: INPUT.index("[sensitivity]")]
    tight = opened(folder, without.replace(LOOSE, LOOSE.replace("0.05", "0.049") + "\nisomers = ['syn']"))
    _, tally = computed(tight)
    # The structure is the same, so that its single point is found.
    assert tally.computed == 1
    assert [verdict.label for verdict in tight.verdicts(SinglePoints)] == ["syn"]


def roughly_prescreened(other):
    """Give the input of syn and another start, of which the prescreen takes one step each."""
    text = INPUT[: INPUT.index("[sensitivity]")].replace("anti", other)
    rough = "max_force_ev_angstrom = 90, energy_change_ev = 90"
    kept = f"cheap = {{ {rough} }}\ntight = {{ {rough} }}\nduplicate_angstrom = 0.02\nwindow_kcal_mol = 100"
    return text.replace('preoptimize = "none"', f'preoptimize = "none"\n{kept}')


def test_conformers_that_become_one_structure_are_told_and_one_goes_on(folder):
    text = roughly_prescreened("stretched")
    run = opened(folder, text, "merged")
    summary, _ = computed(run)
    first, second = run.verdicts(Refinement)
    assert (first.kept, second.kept, second.code) == (True, False, Code.DUPLICATE)
    assert sentence(second) == f"became the same structure as {first.label}"
    assert [verdict.label for verdict in run.verdicts(SinglePoints)] == [first.label]
    assert f"{second.label} (left out)" in printed(summary)
    assert f"refine {second.label}: became the same structure as {first.label}" in printed(summary)


def test_a_conformer_that_does_not_converge_is_a_failure_and_not_compared(folder):
    # Syn takes 4 steps, the other 8.
    text = roughly_prescreened("twisted").replace(LOOSE, LOOSE.replace(" }", ", max_steps = 5 }"))
    run = opened(folder, text, "late")
    summary, _ = computed(run)
    (failed,) = summary.failed
    assert (failed.stage, failed.label) == ("refine", "twisted")
    assert sentence(failed.verdict).startswith("not converged: relaxation: not converged in 5 steps")
    assert [verdict.label for verdict in run.verdicts(SinglePoints)] == ["syn"]
    # Both have an energy at the prescreen's level alone, so that level ranks them.
    assert summary.ranking.level.startswith("GFN1-xTB")
    # The orbitals of what did not converge help nobody.
    assert not (run.directory / "checkpoints").exists()


def test_a_run_ends_where_none_converges_and_says_which_setting_helps(folder):
    text = INPUT.replace(LOOSE, LOOSE.replace(" }", ", max_steps = 1 }"))
    with pytest.raises(ConvergenceError, match=r"no candidate survived the refine .*refine\.threshold says"):
        computed(opened(folder, text, "none"))


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        (INPUT[INPUT.index("[dft]") :], "", r"\[refine\] needs \[dft\]"),
        (f"threshold = {LOOSE}", 'isomers = ["sin"]', "refine.isomers: 'sin' is no isomer; there are syn, anti"),
        ("grid_level = 1", "grid_level = 0", r"\[refine\] forces need grid_level = 1"),
        (LOOSE, "{ max_force_ev_angstrom = 0.05 }", r"refine\.threshold\.energy_change_ev"),
    ],
)
def test_what_cannot_be_refined_is_refused_in_one_line(folder, old, new, complaint):
    with pytest.raises(InputError, match=complaint) as caught:
        plan_run(opened(folder, INPUT.replace(old, new), "wrong"))
    assert "\n" not in str(caught.value)


def test_slurm_has_a_task_a_conformer_before_those_of_dft_and_check_counts_them(folder):
    run = opened(folder, INPUT.replace("[refine]", "[refine]\nper_isomer = 1\nstart_hessian = false"), "queued")
    assert len(run.plan(Refinement).levels) == 1
    steps = {step.stage: step for step in plan_steps(run)}
    assert steps["refine"].width == 2
    assert steps["refine"].resources == "refine"
    assert set(steps["dft"].after) >= {"refine.0"}
    planned = next(stage for stage in plan_run(run).stages if stage.stage == "refine")
    assert planned.calculations == "up to 2 relaxations of up to 500 steps"


def test_a_relaxation_says_how_many_cycles_it_took_and_old_records_stay_as_they_were(folder, done):
    run = opened(folder)
    outcome = run.record(run.verdicts(Refinement)[0].key).outcome
    assert outcome.model_dump(mode="json")["n_cycles"] == outcome.n_cycles
    assert "resumed_after" not in outcome.model_dump(mode="json")
    new = ("n_cycles", "began_with_hessian")
    old = {name: value for name, value in outcome.model_dump(mode="json").items() if name not in new}
    assert Relaxed.model_validate(old).model_dump(mode="json") == old
