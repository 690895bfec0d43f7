"""Single points of a run start from their neighbours' orbitals; those are gone when it is over, or kept where asked."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys

import numpy as np
import pytest

from qcdriver.engines import find
from qcdriver.execution.driver import finish_stage
from qcdriver.execution.local.runner import LocalRunner
from qcdriver.execution.progress import Display
from qcdriver.execution.slurm.campaign import campaign_key
from qcdriver.models.level import Model
from qcdriver.models.molecule import Molecule
from qcdriver.models.outcomes import Failure
from qcdriver.models.verdicts import Verdict
from qcdriver.models.verdicts import failure as found
from qcdriver.store import Records
from qcdriver.store.checkpoints import checkpoint_of, remove_checkpoints
from qcdriver.workflow.base import follow
from qcdriver.workflow.input import read_input
from qcdriver.workflow.open_run import open_run
from qcdriver.workflow.resources import Machine, StageResources
from qcdriver.workflow.single_points import Geometry, SinglePoints, single_points

WATER_XYZ = "3\n\nO 0 0 0\nH 0 0.76 0.59\nH 0 -0.76 0.59\n"
INPUT = """
title = "water"
[structure]
source = "xyz"
[structure.isomers."w.1"]
file = "water.xyz"
[prescreen]
preoptimize = "none"
[dft]
method = "pbe"
basis = "sto-3g"
device = "cpu"
"""


def peroxide(torsion_deg: float) -> Molecule:
    angle = np.radians(torsion_deg)
    hydrogens = [[1.8 * np.cos(angle), 1.8 * np.sin(angle), 1.7], [1.8, 0.0, -1.7]]
    return Molecule(symbols=("O", "O", "H", "H"), geometry=[[0, 0, 1.37], [0, 0, -1.37], *hydrogens])


def computed(folder, geometries):
    """Compute single points in one run; their records in order."""
    level = find("pyscf").level(Model(method="pbe", basis="def2-SVP"), {"grid_level": 1, "conv_tol": 1e-10})
    records = Records(folder)
    with Display() as display, LocalRunner(records, folder / "log", Machine(threads=1), None, display) as runner:
        runner.begin("dft", StageResources())
        verdicts = follow(single_points(geometries, level), runner)
    return [records.find(each.key) for each in verdicts]


def cycles(records) -> int:
    return sum(attempt.cycles for record in records for attempt in record.outcome.scf)


@pytest.fixture(scope="module")
def scan():
    return [Geometry(f"{value} deg", peroxide(value), "") for value in (80, 95, 110, 125)]


@pytest.fixture(scope="module")
def together(scan, tmp_path_factory):
    folder = tmp_path_factory.mktemp("together")
    return folder, computed(folder, scan)


def test_points_of_a_scan_start_from_their_neighbours_and_take_fewer_cycles_for_the_same_energies(
    scan, together, tmp_path
):
    _, records = together
    apart = [computed(tmp_path / each.label, [each])[0] for each in scan]
    assert cycles(records) < 0.9 * cycles(apart)
    energies = [[record.outcome.energy for record in each] for each in (records, apart)]
    assert energies[0] == pytest.approx(energies[1], abs=1e-8)
    assert [record.key for record in records] == [record.key for record in apart]


def test_the_record_says_whose_density_a_point_started_from(together):
    first, *others = together[1]
    assert first.outcome.scf[0].strategy == "DIIS"
    for before, record in zip(together[1], others, strict=False):
        assert record.outcome.scf[0].strategy.startswith(f"DIIS from the density of {before.key[:8]}, 0.")


def test_nothing_is_left_of_the_checkpoints_of_a_stage_that_is_over(together):
    folder, records = together
    keys = [record.key for record in records]
    assert sorted(path.stem for path in (folder / "checkpoints").iterdir()) == sorted(keys)
    other = checkpoint_of(folder, "of-another-stage")
    other.write_bytes(b"")
    remove_checkpoints(folder, keys)
    assert list((folder / "checkpoints").iterdir()) == [other]
    other.unlink()
    remove_checkpoints(folder, keys)
    assert not (folder / "checkpoints").exists()


def qcdriver(*words: object, cwd) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "qcdriver.cli", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd)


@pytest.fixture(scope="module")
def water(tmp_path_factory):
    """Two runs of water in one folder, the second of which keeps its orbitals."""
    folder = tmp_path_factory.mktemp("water")
    (folder / "water.xyz").write_text(WATER_XYZ)
    (folder / "plain.toml").write_text(INPUT)
    (folder / "kept.toml").write_text(INPUT + "keep_checkpoints = true\n")
    for name in ("plain", "kept"):
        run = qcdriver("run", f"{name}.toml", cwd=folder)
        assert run.returncode == 0, run.stderr
    return folder


def test_a_run_leaves_no_checkpoint_behind_unless_it_is_asked_to(water):
    assert not (water / "results" / "plain" / "checkpoints").exists()
    assert len(list((water / "results" / "kept" / "checkpoints").iterdir())) == 1


def test_a_mirror_image_does_not_start_from_the_orbitals_it_checks(water):
    """Its own SCF from a guess: in a run that keeps orbitals those of the conformer lie ready."""
    (water / "mirror.toml").write_text(INPUT + "keep_checkpoints = true\n[mirror]\n")
    run = qcdriver("run", "mirror.toml", cwd=water)
    assert run.returncode == 0, run.stderr
    (image,) = [
        each for each in Records(water / "results" / "mirror") if getattr(each, "label", "").startswith("mirror")
    ]
    assert [attempt.strategy for attempt in image.outcome.scf] == ["DIIS"]


def test_what_was_cut_short_keeps_its_orbitals_for_the_next_try(water, monkeypatch):
    path = water / "plain.toml"
    this = open_run(read_input(path), path, water / "results")
    (done,) = this.verdicts(SinglePoints)
    record = this.records.find(done.key)
    verdicts = [done]
    for kind in ("WorkerDied", "ConvergenceError"):
        failure = Failure(error_type=kind, message="no number")
        this.records.append(record.model_copy(update={"key": kind, "outcome": failure}))
        verdicts.append(Verdict(label=kind, key=kind, kept=False, **dict(found(failure))))

    def ended():
        return verdicts
        yield

    paths = [checkpoint_of(this.directory, each.key) for each in verdicts]
    paths[0].parent.mkdir()
    for each in paths:
        each.write_bytes(b"")
    monkeypatch.setattr(SinglePoints, "rounds", lambda *_: ended())
    finish_stage(this, SinglePoints(), lambda _lines: [])
    assert [each.exists() for each in paths] == [False, True, False]


def test_to_keep_orbitals_makes_no_other_stage_and_no_other_campaign(water):
    plain, kept = (read_input(water / f"{name}.toml") for name in ("plain", "kept"))
    this = open_run(plain, water / "plain.toml", water / "results", only_read=True)
    other = dataclasses.replace(this, input=kept)
    assert SinglePoints().key(other) == SinglePoints().key(this)
    assert campaign_key(other, []) == campaign_key(this, [])


def test_kept_orbitals_become_cube_files(water):
    run = qcdriver("records", "results/kept", "--export", "cube", cwd=water)
    assert run.returncode == 0, run.stderr
    assert run.stderr == ""
    files = [water / line for line in run.stdout.splitlines()]
    (key,) = {path.stem for path in (water / "results" / "kept" / "checkpoints").iterdir()}
    assert [path.name for path in files] == [f"w.1-{key[:8]}-homo.cube", f"w.1-{key[:8]}-lumo.cube"]
    lines = files[0].read_text().splitlines()
    steps = [[float(word) for word in lines[axis].split()[1:]] for axis in (3, 4, 5)]
    values = np.array(" ".join(lines[9:]).split(), dtype=float)
    assert (values**2).sum() * abs(np.linalg.det(steps)) == pytest.approx(1, abs=0.02)
    records = qcdriver("records", "results/kept", "--stage", "dft", "--export", "json", cwd=water).stdout
    atoms = np.array([line.split()[2:] for line in lines[6:9]], dtype=float)
    assert atoms == pytest.approx(np.array(json.loads(records)["task"]["molecule"]["geometry"]), abs=1e-5)


def test_kept_orbitals_become_a_molden_file(water):
    run = qcdriver("records", "results/kept", "--export", "molden", cwd=water)
    assert (run.returncode, run.stderr) == (0, "")
    (key,) = {path.stem for path in (water / "results" / "kept" / "checkpoints").iterdir()}
    assert run.stdout == f"results/kept/molden/w.1-{key[:8]}.molden\n"
    text = (water / run.stdout.strip()).read_text()
    assert text.startswith("[Molden Format]")
    assert text.count("Occup=") == 7


def test_where_no_orbitals_were_kept_one_line_says_how_to_keep_them(water):
    run = qcdriver("records", "results/plain", "--export", "cube", cwd=water)
    assert run.returncode == 2
    (line,) = run.stderr.strip().splitlines()
    assert "[dft] keep_checkpoints = true" in line
    assert not (water / "results" / "plain" / "cubes").exists()
