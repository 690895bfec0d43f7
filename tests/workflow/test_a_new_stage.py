"""A stage is one class: with its line in the registry it runs, resumes, and shows wherever stages show."""

from __future__ import annotations

import json
from typing import ClassVar

import pytest
from pydantic import Field
from rich.console import Console

from qcdriver.errors import InputError
from qcdriver.execution.driver import run_input
from qcdriver.execution.progress import Display
from qcdriver.execution.slurm import status
from qcdriver.execution.slurm.campaign import make_campaign
from qcdriver.execution.slurm.steps import plan_steps
from qcdriver.execution.slurm.submit import for_slurm
from qcdriver.models.base import Frozen
from qcdriver.models.outcomes import Result
from qcdriver.models.tasks import SinglePoint
from qcdriver.models.verdicts import Code, Note, Purpose, Verdict, failure
from qcdriver.report.findings_json import write_findings
from qcdriver.report.page.content import page_of
from qcdriver.report.tables.overview import print_summary
from qcdriver.workflow import registry
from qcdriver.workflow.base import Job, JobArray, Plan, Stage, alone, kept_keys
from qcdriver.workflow.findings import Dropped, Findings
from qcdriver.workflow.input import read_input
from qcdriver.workflow.open_run import open_run
from qcdriver.workflow.plan import plan_run
from qcdriver.workflow.prescreen.stage import Prescreen, survivors

WATER = "3\n\nO 0 0 0\nH 0 0.76 0.59\nH 0 -0.76 0.59\n"
INPUT = """
title = "water, swollen"
[structure]
source = "xyz"
[structure.isomers.water]
file = "water.xyz"
[prescreen]
engine = "tblite"
preoptimize = "none"
[swelling]
factor = 1.02
"""


class SwellingSettings(Frozen):
    """`[swelling]`: by what factor every conformer is blown up."""

    factor: float = Field(default=1.01, gt=1.0)


class Swollen(Frozen):
    """How much one conformer resists."""

    conformer: str
    rise_hartree: float


class SwellingFound(Frozen):
    """How much all conformers resist."""

    factor: float
    conformers: tuple[Swollen, ...]


class Swelling(Stage[SwellingSettings]):
    """The energy it costs to blow a conformer up."""

    name: ClassVar[str] = "swelling"
    Settings = SwellingSettings
    after = (Prescreen,)

    def starts_from(self, run):
        return {"survivors": kept_keys(run.verdicts(Prescreen))}

    def plan(self, run):
        level = run.plan(Prescreen).levels[0]
        return Plan(levels=(level,), sentence="swells", calculations="as many as conformers")

    def job_arrays(self, run):
        return (JobArray(width=4, work="job"),)

    def rounds(self, run, plan):
        found = survivors(run)
        factor = self.settings(run).factor
        records = yield [
            alone(
                Job(
                    f"{verdict.label} swollen",
                    SinglePoint(molecule=molecule.moved(factor * molecule.geometry), level=plan.levels[0]),
                    Purpose.SINGLE_POINT,
                    (verdict.key,),
                )
            )
            for verdict, molecule in found
        ]
        verdicts = []
        for (verdict, _), record in zip(found, records, strict=True):
            kept = isinstance(record.outcome, Result)
            note = Note(code=Code.KEPT) if kept else failure(record.outcome)
            verdicts.append(Verdict(label=verdict.label, key=record.key, kept=kept, code=note.code, facts=note.facts))
        return verdicts

    def findings(self, run):
        verdicts = run.verdicts(Swelling)
        if verdicts is None:
            return None
        before = {verdict.label: run.record(verdict.key).result.energy for verdict, _ in survivors(run)}
        rises = tuple(
            Swollen(
                conformer=verdict.label,
                rise_hartree=run.record(verdict.key).result.energy - before[verdict.label],
            )
            for verdict in verdicts
            if verdict.kept
        )
        failed = tuple(Dropped(stage=self.name, label=v.label, verdict=v) for v in verdicts if not v.kept)
        return Findings(own=SwellingFound(factor=self.settings(run).factor, conformers=rises), failed=failed)


@pytest.fixture
def opened(tmp_path, monkeypatch):
    monkeypatch.setattr(registry, "STAGES", (*registry.STAGES, Swelling()))
    (tmp_path / "water.xyz").write_text(WATER)
    path = tmp_path / "water.toml"
    path.write_text(INPUT)
    return lambda: open_run(read_input(path), path, tmp_path / "results")


def test_a_stage_runs_resumes_and_shows_in_summary_and_report(opened):
    with Display() as display:
        summary, tally = run_input(opened(), None, None, display)
    assert tally.computed == 3  # cheap, tight, and swollen
    (water,) = summary.stages["swelling"].conformers
    assert 0.0003 < water.rise_hartree < 0.001  # k/2 dr^2 of two bonds: 2 x 0.25 x 0.036^2 = 0.00065
    with Display() as display:
        again, tally = run_input(opened(), None, None, display)
    assert (tally.computed, again) == (0, summary)
    written = json.loads((opened().directory / "summary.json").read_text())
    assert written["stages"]["swelling"]["conformers"][0]["conformer"] == "water"
    console = Console(record=True, width=100)
    print_summary(write_findings(opened()), console)
    assert "rise hartree" in console.export_text()
    (table,) = (table for table in page_of(opened(), summary).own["swelling"] if table.rows[0][0] == "water")
    assert [column.heading for column in table.columns] == ["conformer", "rise hartree"]


def test_its_settings_are_a_table_of_the_input_and_part_of_its_key(opened, tmp_path):
    plain = opened()
    (tmp_path / "water.toml").write_text(INPUT.replace("1.02", "1.03"))
    assert Swelling().key(opened()) != Swelling().key(plain)
    (tmp_path / "water.toml").write_text(INPUT.replace("factor", "facter"))
    with pytest.raises(InputError, match=r"swelling.facter: unknown key; did you mean factor\?"):
        opened()
    (tmp_path / "water.toml").write_text(INPUT.partition("[swelling]")[0])
    assert [stage.name for stage in opened().stages] == ["prescreen"]


def test_it_is_planned_checked_and_sent_to_slurm_after_what_it_needs(opened, tmp_path):
    (tmp_path / "water.toml").write_text(INPUT + '[resources.swelling]\npartition = "long"\n')
    run, lines = for_slurm(opened())
    assert "warning: no time in [resources.prescreen] and [resources.swelling]: the site's default holds" in lines[-2]
    assert [stage.stage for stage in plan_run(run).stages] == ["prescreen", "swelling"]
    steps = {step.name: step for step in plan_steps(run)}
    last = steps["swelling.0"]
    assert (last.width, last.work, last.resources) == (4, "job", "swelling")
    assert set(last.after) == {name for name in steps if name != "swelling.0"}
    make_campaign(run, "12345678", list(steps.values()))
    found = status.status(run.directory)
    assert [state.step.name for state in found.steps] == list(steps)


def test_one_stage_alone_is_a_choice_of_the_command(opened):
    with Display() as display, pytest.raises(InputError, match=r"\[prescreen\] has not finished with this input"):
        run_input(opened(), None, "swelling", display)
    with (
        Display() as display,
        pytest.raises(InputError, match=r"--only x: the input has \[prescreen\] and \[swelling\]"),
    ):
        run_input(opened(), None, "x", display)
