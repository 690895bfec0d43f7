"""Submitting: nothing twice, whatever kills it or runs beside it; an edited input is noticed."""

from __future__ import annotations

import random
import shutil
import subprocess
import time
from collections import Counter

import pytest
from peroxide import DFT, PRESCREEN, SCAN

pytestmark = pytest.mark.slurm

WHOLE = PRESCREEN + SCAN.format(step=30) + DFT
TASKS = Counter({"prescreen.0": 2, "prescreen.1": 2, "scan.0": 1, "dft.0": 1 + 5 + 3})


def queued(campaign) -> Counter[str]:
    """Count the tasks of each step, none of which may be there twice."""
    tasks = [(step, index) for step, index, _ in campaign.queue()]
    assert len(tasks) == len(set(tasks))
    return Counter(step for step, _ in tasks)


def test_a_submit_killed_at_any_instant_sends_nothing_twice(campaign, held):
    those = campaign(WHOLE)
    chance = random.Random(7)
    command = those.command("submit", those.input, "--results", those.results)
    for _ in range(12):
        attempt = subprocess.Popen(command, env=held.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(chance.uniform(0.3, 1.2))
        attempt.kill()
        attempt.wait()
        if chance.random() < 0.5:
            held.ask("scancel", "--me")  # so that the next attempt has something to send
            held.drained()
    those.submit()
    assert queued(those) == TASKS
    assert those.submit() == []


def test_what_slurm_was_just_told_by_a_killed_submit_is_not_told_again(campaign, held, tmp_path, monkeypatch):
    those = campaign(PRESCREEN)
    slow, real = tmp_path / "slow", shutil.which("sbatch", path=held.environment["PATH"])
    slow.mkdir()
    (slow / "sbatch").write_text(
        f'#!/bin/sh\nmkdir {slow}/at-work 2>/dev/null && first=yes && sleep 5\n{real} "$@"\ncode=$?\n'
        f'[ -z "$first" ] || touch {slow}/through\nexit $code\n'
    )
    (slow / "sbatch").chmod(0o755)
    monkeypatch.setitem(held.environment, "PATH", f"{slow}:{held.environment['PATH']}")
    command = those.command("submit", those.input, "--results", those.results)
    attempt = subprocess.Popen(command, env=held.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not (slow / "at-work").exists():
        time.sleep(0.01)
    attempt.kill()  # sbatch lives on, and gets through
    attempt.wait()
    those.submit()
    while not (slow / "through").exists():
        time.sleep(0.01)
    assert queued(those) == Counter({"prescreen.0": 2, "prescreen.1": 2})


def test_two_submits_at_once_send_everything_once(campaign, held):
    those = campaign(WHOLE)
    command = those.command("submit", those.input, "--results", those.results)
    both = [subprocess.Popen(command, env=held.environment, stdout=subprocess.PIPE, text=True) for _ in "12"]
    said = sorted(len(each.communicate()[0].splitlines()) for each in both)
    assert said == [0, 4]
    assert queued(those) == TASKS


def test_what_asks_for_other_resources_is_the_same_campaign(campaign, held):
    those = campaign(WHOLE)
    those.submit()
    those.input.write_text(WHOLE.replace('"HOOH"', '"another title"') + "[resources.dft]\ncpus = 2\n")
    assert those.submit() == []
    assert queued(those) == TASKS


def test_an_input_edited_while_its_tasks_wait_is_refused_and_they_go_on_as_they_were(campaign, held):
    those = campaign(PRESCREEN)
    those.submit()
    those.input.write_text(PRESCREEN.replace("GFN1-xTB", "GFN2-xTB"))
    (those.input.parent / "hooh-gauche.xyz").unlink()  # its geometry was submitted with it
    those.input.with_name("hooh-gauche.xyz").write_bytes(those.input.with_name("hooh-twisted.xyz").read_bytes())
    refused = those.type("submit", those.input, "--results", those.results)
    assert refused.returncode == 2
    assert "4 task(s) of this input as it was before are in the queue; qcdriver cancel" in refused.stderr
    held.let_go()
    assert held.drained()
    methods = {record["task"]["level"]["model"]["method"] for record in those.records() if "task" in record}
    assert methods == {"GFN1-xTB"}
    assert len(those.computed("prescreen")) == 4
    assert [line.split(":")[0] for line in those.submit()] == ["prescreen.0", "prescreen.1"]


def test_what_waits_waits_also_for_what_is_sent_again(campaign, held):
    those = campaign(PRESCREEN)
    those.submit()
    later = those.job("prescreen.1")
    held.ask("scancel", f"{those.job('prescreen.0')}_1")
    (again,) = those.submit()
    assert again.startswith("prescreen.0: 1 task: job ")
    assert queued(those) == Counter({"prescreen.0": 2, "prescreen.1": 2})
    depends = held.ask("squeue", "-h", "-j", later, "-o", "%E")
    assert those.job("prescreen.0") in depends


def test_arrays_are_split_at_the_sites_limit(campaign, held):
    those = campaign(
        'title = "many"\n[structure]\nsource = "au13ag12"\n[structure.isomers.E]\ntwist_deg = 0\n'
        "[structure.isomers.S]\ntwist_deg = 36\n[structure.isomers.T]\ntwist_deg = 18\n[prescreen]\nstarts = 700\n"
    )
    said = those.submit()
    assert [line.split(":")[1].strip() for line in said] == [
        "1001 tasks",
        "1001 tasks",
        "98 tasks",
        "up to 6 tasks",
        "up to 3 tasks",
    ]
    assert queued(those) == Counter({"prescreen.0": 2100, "prescreen.1": 6, "prescreen.2": 3})


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('basis = "sto-3g"', 'basis = "sto-3gg"', "sto-3gg"),
        ('basis = "sto-3g"', 'basis = "sto-3g"\ndevice = "gpu"', "needs gpus = 1 or more in [resources.dft]"),
    ],
)
def test_what_could_not_work_is_refused_before_anything_is_sent(campaign, held, old, new, words):
    those = campaign(WHOLE.replace(old, new))
    refused = those.type("submit", those.input, "--results", those.results)
    assert refused.returncode == 2
    assert words in refused.stderr
    assert len(refused.stderr.splitlines()) == 1
    assert not those.queue()


def test_without_slurm_it_says_where_to_go(campaign, monkeypatch):
    those = campaign(PRESCREEN)
    monkeypatch.setitem(those.slurm.environment, "PATH", "/nowhere")
    refused = those.type("submit", those.input, "--results", those.results)
    assert refused.returncode == 3
    assert "sbatch is not on this machine" in refused.stderr
    rehearsed = those.type("submit", those.input, "--results", those.results, "--dry-run")
    assert rehearsed.returncode == 0
    assert rehearsed.stdout.count("#!/bin/bash") == 2


def test_a_refusal_by_slurm_is_one_line_and_the_rest_can_be_sent(campaign, held):
    those = campaign(PRESCREEN + '[resources.prescreen]\npartition = "nowhere"\n')
    refused = those.type("submit", those.input, "--results", those.results)
    assert refused.returncode == 1
    assert "sbatch: Batch job submission failed: Invalid partition name specified" in refused.stderr
    assert "Traceback" not in refused.stderr
    those.input.write_text(PRESCREEN)
    assert len(those.submit()) == 2
