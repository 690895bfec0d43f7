"""An engine that another package brings by one line is run, resumed, listed and refused as the built-in ones are."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
WATER = "3\n\nO 0 0 0\nH 0 0.8 0.6\nH 0 -0.8 0.6\n"
INPUT = """
title = "water by springs"
[structure]
source = "xyz"
[structure.isomers.w]
file = "water.xyz"
[prescreen]
engine = "toy"
method = "morse"
preoptimize = "none"
"""


@pytest.fixture
def command(tmp_path):
    """Run qcdriver where a package with an entry point is installed; gives exit code, standard output and error."""
    (tmp_path / "water.xyz").write_text(WATER)
    (tmp_path / "water.toml").write_text(INPUT)
    package = tmp_path / "site" / "toy-1.0.dist-info"
    package.mkdir(parents=True)
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: toy\nVersion: 1.0\n")

    def run(*words, entry="toy = toy_engine:ToyEngine"):
        (package / "entry_points.txt").write_text(f"[qcdriver.engines]\n{entry}\n")
        path = os.pathsep.join([str(package.parent), str(HERE), os.environ.get("PYTHONPATH", "")])
        done = subprocess.run(
            [sys.executable, "-m", "qcdriver.cli", *words],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": path},
            check=False,
        )
        return done.returncode, done.stdout, done.stderr

    return run


def test_an_engine_of_another_package_runs_and_resumes(command):
    code, out, err = command("run", "water.toml")
    assert (code, "morse (toy)" in out) == (0, True), err
    assert "morse with toy 1.0" in err
    again, _, err = command("run", "water.toml")
    assert (again, "nothing to compute" in err) == (0, True)
    listed = command("records", "results/water", "--export", "json")[1].splitlines()
    assert {json.loads(line)["task"]["level"]["engine"] for line in listed} == {"toy"}
    assert "toy: 1.0" in command("check", "water.toml")[1]


def test_an_engine_that_cannot_be_loaded_is_one_line(command):
    code, _, err = command("check", entry="broken = toy_engine:NoSuchClass")
    assert code == 3
    assert "'toy_engine:NoSuchClass' of package toy (qcdriver.engines) cannot be loaded (AttributeError" in err
    assert err.count("\n") == 1


def test_two_engines_of_one_name_are_refused(command):
    code, _, err = command("check", entry="xtb = qcdriver.engines.xtb:XtbEngine")
    assert (code, "the name 'xtb' is taken" in err, err.count("\n")) == (2, True, 1)


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ('engine = "tyo"', "prescreen.engine: no engine named 'tyo'; there are auto, xtb, tblite, pyscf, oniom, toy"),
        ('method = "mores"', "toy has no method 'mores'; did you mean 'morse'?"),
    ],
)
def test_a_misspelt_engine_or_method_is_answered_with_what_there_is(command, tmp_path, line, complaint):
    key = line.split(" = ")[0]
    text = "\n".join(line if old.startswith(f"{key} =") else old for old in INPUT.splitlines())
    (tmp_path / "water.toml").write_text(text)
    code, _, err = command("run", "water.toml")
    assert code == 2
    assert complaint in err
    assert err.count("\n") == 1
