"""CONTRIBUTING.md: its examples are installed as a package of somebody else's would be, and run."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

PAGE = (Path(__file__).parents[2] / "CONTRIBUTING.md").read_text()
MODULES = dict(re.findall(r"`(\w+)\.py`:\n\n```python\n(.*?)```", PAGE, re.DOTALL))
PROJECT, INPUT = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
EPSILON_KCAL_MOL = 3.8002e-4 * 627.5095


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """A folder as pip fills it, with the modules of the page and the entry points it declares; and the input."""
    folder = tmp_path_factory.mktemp("lab")
    for name, source in MODULES.items():
        (folder / f"{name}.py").write_text(source)
    metadata = folder / "argon-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: argon\nVersion: 1.0\n")
    groups = tomllib.loads(PROJECT)["project"]["entry-points"]
    lines = {group: [f"{name} = {place}" for name, place in entries.items()] for group, entries in groups.items()}
    text = "".join(f"[{group}]\n" + "\n".join(found) + "\n" for group, found in lines.items())
    (metadata / "entry_points.txt").write_text(text)
    (folder / "argon.toml").write_text(INPUT)
    return folder


def qcdriver(lab: Path, *words: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join(filter(None, (str(lab), os.environ.get("PYTHONPATH"))))
    return subprocess.run(
        [sys.executable, "-m", "qcdriver.cli", *words],
        capture_output=True,
        text=True,
        check=False,
        cwd=lab,
        env=os.environ | {"PYTHONPATH": path, "COLUMNS": "120"},
    )


@pytest.fixture(scope="module")
def done(lab):
    run = qcdriver(lab, "run", "argon.toml")
    assert run.returncode == 0, run.stderr
    return run


def test_engine_source_family_and_stage_of_the_page_run(lab, done):
    """Lennard-Jones: -3 epsilon for the triangle, whose sides are 2^(1/6) sigma; an atom of it costs 2 epsilon."""
    assert set(MODULES) == {"argon_engine", "argon_system", "evaporation", "tsv"}
    assert "Ar-Ar A" in done.stdout
    assert "evaporation" in done.stdout
    summary = json.loads((lab / "results" / "argon" / "summary.json").read_text())
    triangle = summary["conformers"][0]
    assert triangle["energy_hartree"] == pytest.approx(-3 * 3.8002e-4, abs=1e-8)
    assert triangle["measured"]["argon"]["shortest_angstrom"] == pytest.approx(2 ** (1 / 6) * 3.4, abs=1e-3)
    (first, *_) = summary["stages"]["evaporation"]["conformers"]
    assert first["cost_kcal_mol"] == pytest.approx(2 * EPSILON_KCAL_MOL, rel=1e-4)


def test_it_resumes_is_reported_and_is_exported(lab, done):
    again = qcdriver(lab, "run", "argon.toml")
    assert "nothing to compute" in again.stderr
    assert qcdriver(lab, "report", "argon.toml").stdout == done.stdout
    exported = qcdriver(lab, "records", "results/argon", "--export", "tsv").stdout.splitlines()
    energies = [float(line.partition("\t")[2]) for line in exported]
    assert min(energies) == pytest.approx(-3 * 3.8002e-4, abs=1e-8)
    unknown = qcdriver(lab, "records", "results/argon", "--export", "tvs")
    assert (unknown.returncode, unknown.stderr.count("\n")) == (2, 1)
    assert "there are json, csv, xyz, ase, qcschema, qcschema2, parquet, tsv, cube and molden" in unknown.stderr


def test_a_stage_of_a_plugin_is_planned_and_documented(lab):
    assert "evaporation: lennard-jones (argon) 1" in qcdriver(lab, "check", "argon.toml").stdout
    (lab / "typo.toml").write_text(INPUT.replace("atom = 2", "atm = 2"))
    assert "evaporation.atm: unknown key; did you mean atom?" in qcdriver(lab, "check", "typo.toml").stderr
