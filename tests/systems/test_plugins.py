"""A lab's own source and family: one file and two entry points of another package, and every verb knows them."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

TOY = '''
"""Tetrahedral gold with phosphines: a source of models, and the family that measures them."""

from itertools import combinations
from typing import Literal

import numpy as np
from pydantic import Field

from qcdriver.models.base import Frozen
from qcdriver.models.molecule import Molecule
from qcdriver.models.tasks import Build
from qcdriver.systems.base import Candidate, Column, Family, Label, Source, Structure
from qcdriver.units import ANGSTROM


class GoldIsomer(Frozen):
    """Its Au-Au distance."""

    edge_angstrom: float = Field(default=2.7, gt=2.0)


class GoldStructure(Structure):
    """`[structure]` with source "gold"."""

    source: Literal["gold"]
    isomers: dict[Label, GoldIsomer] = Field(min_length=1)


class GoldSource(Source):
    """[Au4(PH3)4]2+, a tetrahedron."""

    name = "gold"
    Settings = GoldStructure

    def candidates(self, table, folder, starts, seed):
        """One model an isomer."""
        return [
            Candidate(label, 0, Build(source=self.name, settings=isomer.model_dump(), program_version="toy"))
            for label, isomer in table.isomers.items()
        ]

    def build(self, task):
        """Put a gold on every corner, its phosphine outwards."""
        corners = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]) / 3**0.5
        gold = corners * task.settings["edge_angstrom"] * (3 / 8) ** 0.5
        phosphorus = gold + 2.28 * corners
        hydrogen = []
        for out, at in zip(corners, phosphorus, strict=True):
            x = np.cross(out, [0, 0, 1]) / np.linalg.norm(np.cross(out, [0, 0, 1]))
            around = [np.cos(t) * x + np.sin(t) * np.cross(out, x) for t in np.radians([0, 120, 240])]
            hydrogen += [at + 0.7 * out + 1.24 * each for each in around]
        return Molecule(
            symbols=("Au",) * 4 + ("P",) * 4 + ("H",) * 12,
            geometry=np.concatenate([gold, phosphorus, hydrogen]) / ANGSTROM,
            molecular_charge=2,
        )


class GoldMeasures(Frozen):
    """What is measured."""

    edge_angstrom: float


class GoldFamily(Family):
    """Four gold atoms."""

    name = "gold"
    Measures = GoldMeasures
    comparison_rows = (Column("Au-Au, A", lambda gold: f"{gold.edge_angstrom:.3f}"),)
    conformer_columns = (Column("Au-Au A", lambda gold: f"{gold.edge_angstrom:.3f}"),)

    def recognise(self, molecule):
        """Find the gold atoms."""
        gold = [atom for atom, symbol in enumerate(molecule.symbols) if symbol == "Au"]
        return gold if len(gold) == 4 else None

    def site_names(self, found):
        """Call them corners."""
        return dict.fromkeys(found, "corner")

    def measures(self, molecule, found):
        """Average the edges."""
        edges = [np.linalg.norm(molecule.geometry[i] - molecule.geometry[j]) for i, j in combinations(found, 2)]
        return GoldMeasures(edge_angstrom=float(np.mean(edges)) * ANGSTROM)
'''
INPUT = """
title = "Tetragold"
[structure]
source = "gold"
[structure.isomers.short]
edge_angstrom = 2.6
[structure.isomers.long]
edge_angstrom = 2.8
[prescreen]
engine = "tblite"
preoptimize = "none"
[resources]
threads = 1
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A folder as pip fills it: the module, and the metadata that names its entry points."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "toygold.py").write_text(TOY)
    return register(
        folder, "[qcdriver.sources]\ngold = toygold:GoldSource\n[qcdriver.families]\ngold = toygold:GoldFamily\n"
    )


def register(folder, entry_points):
    metadata = folder / "toygold-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: toygold\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(entry_points)
    return folder


def qcdriver(installed, *words: object) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join(filter(None, (str(installed), os.environ.get("PYTHONPATH"))))
    return subprocess.run(
        [sys.executable, "-m", "qcdriver.cli", *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": path, "COLUMNS": "120"},
    )


@pytest.fixture(scope="module")
def done(installed, tmp_path_factory):
    folder = tmp_path_factory.mktemp("gold")
    (folder / "gold.toml").write_text(INPUT)
    run = qcdriver(installed, "run", folder / "gold.toml", "--results", folder)
    assert run.returncode == 0, run.stderr
    return folder, run


def test_its_models_are_built_and_compared_with_its_site_names_and_measures(installed, tmp_path):
    (tmp_path / "gold.toml").write_text(INPUT)
    built = qcdriver(installed, "build", tmp_path / "gold.toml", "-o", tmp_path)
    assert built.returncode == 0, built.stderr
    files = [tmp_path / "short.xyz", tmp_path / "long.xyz"]
    shown = qcdriver(installed, "compare", *files)
    assert shown.returncode == 0, shown.stderr
    (row,) = (line for line in shown.stdout.splitlines() if "Au-Au, A" in line)
    assert row.split() == ["Au-Au,", "A", "2.600", "2.800"]
    assert "corner - P" in shown.stdout
    compared = json.loads(qcdriver(installed, "compare", *files, "--json").stdout)
    assert [each["rod"] for each in compared["conformers"]] == [None, None]
    assert compared["conformers"][1]["gold"]["edge_angstrom"] == pytest.approx(2.8)


def test_its_run_has_a_column_and_its_measures_stand_under_the_name_of_the_family(done):
    folder, run = done
    assert "Au-Au A" in run.stdout
    (first, *_) = json.loads((folder / "gold" / "summary.json").read_text())["conformers"]
    assert 2.5 < first["measured"]["gold"]["edge_angstrom"] < 3.0
    assert first["measures"] is first["cu14"] is None


def test_the_report_from_its_records_says_the_same_and_nothing_is_computed_again(installed, done):
    folder, run = done
    report = qcdriver(installed, "report", folder / "gold.toml", "--results", folder)
    assert report.returncode == 0, report.stderr
    assert report.stdout == run.stdout
    again = qcdriver(installed, "run", folder / "gold.toml", "--results", folder)
    assert "nothing to compute" in again.stderr


def test_a_mistake_in_its_table_is_told_as_in_any_other(installed, tmp_path):
    path = tmp_path / "gold.toml"
    path.write_text(INPUT.replace("edge_angstrom = 2.6", "egde_angstrom = 2.6"))
    run = qcdriver(installed, "check", path)
    assert run.returncode == 2
    assert "structure.isomers.short.egde_angstrom: unknown key; did you mean edge_angstrom" in run.stderr
    path.write_text(INPUT.replace('"gold"', '"silver"'))
    assert (
        "structure.source = 'silver': there are au13ag12, cu14, xyz, cif, run, ensemble, ase, qcschema, gold"
        in qcdriver(installed, "check", path).stderr
    )


@pytest.mark.parametrize(
    ("entry_points", "code", "words"),
    [
        ("gold = nowhere:Source", 3, ["nowhere:Source", "toygold", "ModuleNotFoundError", "repair that package"]),
        ("gold = toybroken:Source", 3, ["ZeroDivisionError: division by zero"]),
        ("gold = json:dumps", 2, ["'json:dumps'", "is no Source of qcdriver"]),
        ("gold = qcdriver.systems.files:XyzSource", 2, ["the name 'xyz' is taken"]),
    ],
)
def test_a_broken_plugin_is_one_line_that_names_it(tmp_path, entry_points, code, words):
    (tmp_path / "toybroken.py").write_text("1 / 0\n")
    register(tmp_path, f"[qcdriver.sources]\n{entry_points}\n")
    (tmp_path / "gold.toml").write_text(INPUT)
    run = qcdriver(tmp_path, "check", tmp_path / "gold.toml")
    assert run.returncode == code
    assert len(run.stderr.splitlines()) == 1
    for word in ("qcdriver: plugin 'gold'", "qcdriver.sources", *words):
        assert word in run.stderr
