"""A campaign on a real Slurm gives what a run on one machine gives, whatever its folders are called."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest
from peroxide import DFT, INPUTS, PRESCREEN, SCAN, Campaign

pytestmark = pytest.mark.slurm

HOSTILE = 'it\'s a "$(touch pwned)" `touch pwned` %a%j; \\ #é\n& end'


@pytest.fixture(scope="module")
def both(slurm, tmp_path_factory):
    """Give the same input run on one machine, and submitted from a folder with a hostile name; both finished."""
    campaigns = []
    for name in ("plain", HOSTILE):
        folder = tmp_path_factory.mktemp("campaign") / name
        folder.mkdir()
        for each in ("hooh-gauche.xyz", "hooh-twisted.xyz"):
            shutil.copy(INPUTS / each, folder / each)
        path = folder / f"{'hooh' if name == 'plain' else HOSTILE.replace('/', '')}.toml"
        path.write_text((PRESCREEN + SCAN.format(step=30) + DFT).replace('"HOOH"', json.dumps(HOSTILE)))
        campaigns.append(Campaign(slurm, path))
    here, there = campaigns
    assert here.type("run", here.input, "--results", here.results).returncode == 0
    there.submit()
    assert slurm.drained()
    return here, there


def test_the_same_records_come_out(both):
    here, there = ({each["key"]: each for each in campaign.records()} for campaign in both)
    assert here.keys() == there.keys()
    for key, record in here.items():
        other = there[key]
        for name in ("stage", "label", "purpose"):
            assert record.get(name) == other.get(name)
        if "outcome" in record:
            assert record["parents"] == other["parents"]
            energies = [each["outcome"].get("result", each["outcome"])["energy"] for each in (record, other)]
            assert energies[0] == pytest.approx(energies[1], abs=1e-8)
        else:
            decided = [[(v["label"], v["key"], v["code"]) for v in each["verdicts"]] for each in (record, other)]
            assert decided[0] == decided[1]


def test_nothing_was_computed_twice(both):
    _, there = both
    keys = [each["key"] for each in there.records() if "task" in each]
    assert len(keys) == len(set(keys)) == 15


def test_a_hostile_name_is_only_a_name(both):
    _, there = both
    assert not list(there.input.parent.parent.rglob("pwned"))
    assert "\n" in str(there.run)
    assert len(list(there.run.glob("slurm/*/log/*.log"))) == 2 + 2 + 1 + 9


def test_the_report_is_the_same_and_the_summary_is_written(both):
    reports = []
    for campaign in both:
        done = campaign.type("report", campaign.input, "--results", campaign.results, "--json")
        assert done.returncode == 0, done.stderr
        reports.append(json.loads(done.stdout))
    assert alike(*reports)
    assert json.loads((both[1].run / "summary.json").read_text()) == reports[1]


def alike(one: object, other: object) -> bool:
    """Compare two reports; numbers to 1e-4, since a point's SCF starts from whichever neighbour was done first."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(alike(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(alike, one, other))
    if isinstance(one, float) and isinstance(other, float):
        return one == pytest.approx(other, abs=1e-4)
    return one == other


def test_status_counts_what_there_was_and_submit_has_nothing_to_send(both):
    _, there = both
    steps = there.steps()
    assert {name: (each["tasks"], each["done"]) for name, each in steps.items()} == {
        "prescreen.0": (2, 2),
        "prescreen.1": (2, 2),
        "scan.0": (1, 1),
        "dft.0": (6, 6),
    }
    assert there.submit() == []


def test_a_run_here_goes_on_from_what_slurm_did(both):
    _, there = both
    again = there.type("run", there.input, "--results", there.results)
    assert again.returncode == 0, again.stderr
    assert "nothing to compute; 15 were in the records already" in again.stderr


def test_what_a_run_here_did_is_not_sent(both, slurm, tmp_path):
    here, _ = both
    shutil.copytree(here.input.parent, tmp_path / "copy")
    copy = Campaign(slurm, tmp_path / "copy" / here.input.name)
    copy.input.write_text(copy.input.read_text().replace('basis = "sto-3g"', 'basis = "3-21g"'))
    slurm.hold()
    try:
        assert [line.split(":")[0] for line in copy.submit()] == ["dft.0"]
    finally:
        copy.type("cancel", copy.run)
        slurm.let_go()


def test_the_ready_job_scripts_run_an_input_in_one_job(slurm, tmp_path):
    jobs = Path(__file__).parents[3] / "jobs"
    for each in ("hooh-gauche.xyz", "hooh-twisted.xyz"):
        shutil.copy(INPUTS / each, tmp_path / each)
    (tmp_path / "hooh.toml").write_text(PRESCREEN)
    program = tmp_path / "qcdriver"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m qcdriver.cli "$@"\n')
    program.chmod(0o755)
    smaller = ["--cpus-per-task=1", "--mem=900M", f"--chdir={tmp_path}", f"--export=ALL,QCDRIVER={program}"]
    if "gpu" not in slurm.ask("sinfo", "-h", "-o", "%G"):
        smaller.append("--gres=none")
    scripts = sorted(jobs.glob("*.sbatch"))
    for script in scripts:
        slurm.ask("sbatch", *smaller, str(script), "hooh.toml", "--results", script.stem)
    assert slurm.drained()
    for script in scripts:
        assert (tmp_path / script.stem / "hooh" / "summary.json").exists(), script
