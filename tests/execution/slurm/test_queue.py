"""What Slurm's commands say is read as they say it; the words are those of Slurm 22.05."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest
from peroxide import INPUTS, PRESCREEN

from qcdriver.errors import EngineError, MissingError
from qcdriver.execution.slurm import queue


@pytest.fixture
def commands(tmp_path, monkeypatch):
    """Give a way to put a program in front of all others that says something and ends with a code."""
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    def say(program: str, out: str = "", err: str = "", code: int = 0) -> None:
        path = tmp_path / program
        (tmp_path / f"{program}.out").write_text(out)
        (tmp_path / f"{program}.err").write_text(err)
        path.write_text(f'#!/bin/sh\nenv > "$0.env"\ncat "$0.out"\ncat "$0.err" >&2\nexit {code}\n')
        path.chmod(0o755)

    say.folder = tmp_path
    return say


def test_only_the_tasks_of_this_run_are_listed(commands):
    commands(
        "squeue",
        "qcdriver:run1:camp:dft.0+1000|77|5|PENDING|Dependency\n"
        "qcdriver:run1:camp:dft.0+0|76|3|RUNNING|None\n"
        "qcdriver:run2:camp:dft.0+0|75|3|RUNNING|None\n"
        "somebody|else|N/A|RUNNING|None\n"
        "qcdriver:run1:camp:dft.0+0|76|N/A|RUNNING|None\n",
    )
    first, second = queue.living("run1")
    assert (first.step, first.index, first.job, first.waits, first.why) == ("dft.0", 1005, "77", True, "Dependency")
    assert (second.index, second.waits) == (3, False)


def test_accounting_tells_how_tasks_ended_and_a_site_without_it_tells_nothing(commands, monkeypatch):
    assert queue.accounted(["76"]) == {}
    commands("sacct", "76_3|TIMEOUT\n76_4|CANCELLED by 1000\n76_[5-9]|PENDING\n77|COMPLETED\n")
    assert queue.accounted(["76", "77"]) == {("76", 3): "TIMEOUT", ("76", 4): "CANCELLED"}
    commands("sacct", err="sacct: error: Slurm accounting storage is disabled\n", code=1)
    assert queue.accounted(["76"]) == {}


def test_the_sites_limit_is_read_from_its_configuration(commands):
    commands("scontrol", "Configuration data as of 2026-11-20\nMaxArraySize            = 4001\nMaxJobCount = 10000\n")
    assert queue.max_array_size() == 4001


def test_a_complaint_is_one_line_that_names_the_command(commands):
    commands("squeue", err="slurm_load_jobs error: Unable to contact slurm controller (connect failure)\n", code=1)
    with pytest.raises(EngineError, match=r"^squeue: slurm_load_jobs error: Unable to contact slurm controller"):
        queue.living("run1")


NOT_CONFIGURED = (
    "{0}: error: resolve_ctls_from_dns_srv: res_nsearch error: Unknown host\n"
    "{0}: error: fetch_config: DNS SRV lookup failed\n"
    "{0}: error: _establish_config_source: failed to fetch config\n"
    "{0}: fatal: Could not establish a configuration source\n"
)
"""What Slurm 22.05's client says without slurm.conf."""


def test_a_client_without_a_configuration_is_slurm_that_is_missing(commands):
    for program in ("squeue", "scontrol", "sbatch"):
        commands(program, err=NOT_CONFIGURED.format(program), code=1)
    for ask in (lambda: queue.living("run1"), queue.max_array_size):
        with pytest.raises(
            MissingError, match=r"no slurm\.conf, and SLURM_CONF names none; submit from where Slurm is"
        ):
            ask()


@pytest.mark.parametrize("words", [["submit", "hooh.toml"], ["submit", "hooh.toml", "--dry-run"]])
def test_a_dry_run_needs_no_configuration_and_says_so_in_one_line(commands, tmp_path, words):
    for program in ("squeue", "scontrol", "sbatch"):
        commands(program, err=NOT_CONFIGURED.format(program), code=1)
    for name in ("hooh-gauche.xyz", "hooh-twisted.xyz"):
        shutil.copy(INPUTS / name, tmp_path)
    (tmp_path / "hooh.toml").write_text(PRESCREEN)
    command = [sys.executable, "-m", "qcdriver", *words]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    said = [line for line in done.stderr.splitlines() if "no slurm.conf" in line]
    assert len(said) == 1
    if "--dry-run" in words:
        assert done.returncode == 0
        assert said[0].startswith("a dry run, as if nothing was in the queue: ")
        assert done.stdout.count("#!/bin/bash") == 2
    else:
        assert (done.returncode, done.stdout) == (3, "")
        assert said[0].startswith("qcdriver: Slurm's commands are on this machine")


def test_what_is_not_installed_is_said_so(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(MissingError, match="sbatch is not on this machine"):
        queue.living("run1")


def test_variables_of_the_shell_do_not_change_what_a_job_asks_for(commands, monkeypatch):
    monkeypatch.setenv("SBATCH_ARRAY_INX", "0-99")
    monkeypatch.setenv("SLURM_MEM_PER_CPU", "10")
    monkeypatch.setenv("SLURM_CONF", "/etc/slurm/slurm.conf")
    commands("squeue")
    queue.living("run1")
    said = (commands.folder / "squeue.env").read_text()
    assert "SBATCH_" not in said
    assert "SLURM_MEM_PER_CPU" not in said
    assert "SLURM_CONF=/etc/slurm/slurm.conf" in said
