"""`[sensitivity]`: the conformers of [dft] at further levels, and which of their differences keep their sign."""

from __future__ import annotations

import pytest
from rich.console import Console

from qcdriver.errors import InputError
from qcdriver.execution.driver import run_input
from qcdriver.execution.progress import Display
from qcdriver.execution.slurm.steps import plan_steps
from qcdriver.models.outcomes import Result
from qcdriver.models.records import TaskRecord
from qcdriver.models.tasks import SinglePoint
from qcdriver.report.sentences import sensitivity_notes
from qcdriver.report.tables.overview import print_summary
from qcdriver.units import KCAL_MOL
from qcdriver.workflow.input import read_input
from qcdriver.workflow.open_run import open_run
from qcdriver.workflow.plan import plan_run
from qcdriver.workflow.sensitivity.findings import Answer, sensitivity
from qcdriver.workflow.sensitivity.stage import FurtherLevels

SYN = "5\n\nC 0 0.42 0\nO -1.03 -0.44 0\nO 1.16 0.11 0\nH -0.38 1.45 0\nH -0.64 -1.33 0\n"
ANTI = "5\n\nC 0 0.42 0\nO -1.03 -0.44 0\nO 1.16 0.11 0\nH -0.38 1.45 0\nH -1.88 0.03 0\n"
LEVELS = '{ method = "PBE0" }, { basis = "3-21G" }'
INPUT = f"""
title = "formic acid by level"
[structure]
source = "xyz"
[structure.isomers.syn]
file = "syn.xyz"
[structure.isomers.anti]
file = "anti.xyz"
[prescreen]
engine = "tblite"
preoptimize = "none"
[dft]
method = "pbe"
basis = "STO-3G"
device = "cpu"
keywords = {{ grid_level = 0 }}
[sensitivity]
levels = [{LEVELS}]
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("levels")
    (folder / "syn.xyz").write_text(SYN)
    (folder / "anti.xyz").write_text(ANTI)
    return folder


def opened(folder, text=INPUT):
    path = folder / "levels.toml"
    path.write_text(text)
    return open_run(read_input(path), path, folder / "results")


def computed(run):
    with Display() as display:
        return run_input(run, None, None, display)


@pytest.fixture(scope="module")
def done(folder):
    return computed(opened(folder))


def test_every_conformer_is_computed_at_every_level_beginning_with_the_orbitals_of_dft(folder, done):
    run = opened(folder)
    verdicts = run.verdicts(FurtherLevels)
    assert [verdict.origin for verdict in verdicts] == ["syn", "anti"] * 2
    for verdict in verdicts:
        record = run.record(verdict.key)
        assert isinstance(record.task, SinglePoint)
        assert "A away" in record.outcome.scf[0].strategy
    energies = {(each.origin, run.record(each.key).level.model.basis): run.record(each.key).result for each in verdicts}
    assert set(energies) == {(label, basis) for label in ("syn", "anti") for basis in ("STO-3G", "3-21G")}
    assert not (run.directory / "checkpoints").exists()


def test_the_table_has_a_row_a_level_and_says_which_differences_hold(folder, done):
    summary, _ = done
    found = summary.stages["sensitivity"]
    run = opened(folder)
    tasks = [record for record in run.records if isinstance(record, TaskRecord) and record.stage == "sensitivity"]
    small = [record for record in tasks if record.level.model.basis == "3-21G"]
    syn, anti = (
        next(each for each in small if each.label.startswith(label)).result.energy for label in ("syn", "anti")
    )
    assert found.levels[2].energies_kcal_mol == (0.0, pytest.approx((anti - syn) * KCAL_MOL))
    # s-trans formic acid lies 4 kcal/mol above s-cis (doi:10.1063/1.432963: 3.9).
    assert all(2 < level.energies_kcal_mol[1] < 8 for level in found.levels)
    console = Console(width=120)
    with console.capture() as printed:
        print_summary(summary, console)
    text = printed.get()
    assert "pbe/3-21G (pyscf)" in text
    assert "anti lies above syn at every level" in text


def test_a_finished_run_computes_nothing_and_another_level_computes_only_that(folder, done):
    again, tally = computed(opened(folder))
    assert (tally.computed, again) == (0, done[0])
    more = opened(folder, INPUT.replace(LEVELS, LEVELS + ', { method = "tpss" }'))
    _, tally = computed(more)
    assert tally.computed == 2
    opened(folder)


def test_slurm_has_a_task_for_each_conformer_and_level_and_check_names_the_levels(folder):
    run = opened(folder, INPUT.replace('engine = "tblite"', 'engine = "tblite"\nmax_kept = 3'))
    (step,) = [step for step in plan_steps(run) if step.stage == "sensitivity"]
    assert step.width == 6
    planned = next(stage for stage in plan_run(run).stages if stage.stage == "sensitivity")
    assert "PBE0/STO-3G" in planned.calculations
    assert "pbe/3-21G" in planned.calculations


@pytest.mark.parametrize(
    ("levels", "complaint"),
    [
        ("", "needs levels"),
        ("{}", "needs a method, a basis or keywords"),
        ('{ method = "PBE" }', "number 1, PBE/STO-3G .*, is there already"),
        (LEVELS + ', { method = "pbe0" }', "number 3, pbe0/STO-3G .*, is there already"),
        ('{ method = "pbee" }', "did you mean"),
        ('{ basis = "def3-SVP" }', "def3-SVP"),
    ],
)
def test_a_level_that_is_no_other_or_none_is_refused_before_anything_runs(folder, levels, complaint):
    with pytest.raises(InputError, match=complaint) as caught:
        plan_run(opened(folder, INPUT.replace(LEVELS, levels)))
    assert "sensitivity" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_without_dft_there_is_nothing_to_compare_with(folder):
    start = INPUT.index("[dft]")
    with pytest.raises(InputError, match=r"\[sensitivity\] needs \[dft\]"):
        opened(folder, INPUT[:start] + INPUT[INPUT.index("[sensitivity]") :])


def result(energy, gap=0.1):
    return Result(energy=energy, gap=gap, device="cpu")


def test_a_difference_is_undecided_where_its_sign_hangs_on_the_level():
    found = sensitivity(
        ["B", "A", "C"],
        [
            ("low", [result(-1.000), result(-1.001), result(-0.9)]),
            ("middle", [result(-2.002), result(-2.000), None]),
            ("high", [result(-3.001), None, result(-2.9)]),
        ],
    )
    assert found.conformers == ("A", "B", "C")
    assert [level.energies_kcal_mol[0] for level in found.levels] == [0.0, 0.0, None]
    below, above = found.levels[1].energies_kcal_mol[1], found.levels[0].energies_kcal_mol[1]
    assert (below, above) == (pytest.approx(-0.002 * KCAL_MOL), pytest.approx(0.001 * KCAL_MOL))
    # C has one level that also has the reference: no spread.
    (only,) = found.differences
    assert (only.conformer, only.answer, only.n_levels) == ("B", Answer.UNDECIDED, 2)
    assert sensitivity_notes(found) == [
        "B against A: undecided, the sign differs: -1.26 to 0.63 kcal/mol over 2 levels"
    ]
