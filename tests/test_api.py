"""The program from Python: typed findings, one calculation alone, models, records; nothing is computed twice."""

from __future__ import annotations

import ast
import base64
import inspect
import re
import shutil
import subprocess
import sys
import typing
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms

import qcdriver as qd
from qcdriver.errors import ConvergenceError, InputError, MissingError, QcdriverError
from qcdriver.geometry.coordinates import measured
from qcdriver.systems.au13ag12.measures import measure_rod
from qcdriver.units import ANGSTROM
from qcdriver.workflow.findings import Conformer, Profile

INPUTS = Path(__file__).parents[1] / "inputs"
TORSION = (2, 0, 1, 3)
TABLES = {
    "structure": {"source": "xyz", "isomers": {"gauche": {"file": "hooh-gauche.xyz"}}},
    "prescreen": {"engine": "tblite", "preoptimize": "none"},
    "scan": {
        "dft_points": "none",
        "mirror": True,
        "coordinate": [{"kind": "dihedral", "atoms": list(TORSION), "start_deg": 60, "stop_deg": 180, "step_deg": 60}],
    },
}
TOML = """
title = "Peroxide, HOOH"
[structure]
source = "xyz"
[structure.isomers.gauche]
file = "hooh-gauche.xyz"
[prescreen]
engine = "tblite"
preoptimize = "none"
[scan]
dft_points = "none"
mirror = true
[[scan.coordinate]]
kind = "dihedral"
atoms = [2, 0, 1, 3]
start_deg = 60
stop_deg = 180
step_deg = 60
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("peroxide")
    shutil.copy(INPUTS / "hooh-gauche.xyz", folder)
    (folder / "hooh.toml").write_text(TOML)
    return folder


@pytest.fixture(scope="module")
def done(folder):
    return qd.run(folder / "hooh.toml", results=folder / "results", workers=1)


@pytest.fixture(scope="module")
def level():
    return qd.level("GFN1-xTB", engine="tblite")


def n_lines(run: qd.RunResult) -> int:
    return len((run.directory / "records.jsonl").read_text().splitlines())


def test_a_run_gives_typed_findings(done, folder):
    assert done.directory == folder / "results" / "hooh"
    assert done.tally.computed > 4
    (conformer,), (profile,) = done.conformers, done.profiles
    assert isinstance(conformer, Conformer)
    assert conformer.level == "GFN1-xTB (tblite)"
    assert conformer.energy_hartree == pytest.approx(-10.3569, abs=1e-3)  # results/kept/hooh, by xtb
    assert isinstance(profile, Profile)
    assert [point.target for point in profile.points if point.target] == [(60.0,), (120.0,), (180.0,)]
    assert (done.directory / "summary.json").is_file()
    geometry = done.record(conformer.key).molecule.geometry
    assert geometry.shape == (4, 3)
    assert (done.paths, done.mirror_checks, done.failed) == ((), (), ())


def test_the_same_again_computes_nothing_and_says_nothing(done, folder, capfd):
    before = n_lines(done)
    again = qd.run(str(folder / "hooh.toml"), results=str(folder / "results"))
    assert (again.tally.computed, again.summary) == (0, done.summary)
    assert qd.read_findings(folder / "hooh.toml", folder / "results").summary == done.summary
    assert n_lines(done) == before
    assert capfd.readouterr() == ("", "")
    qd.run(folder / "hooh.toml", results=folder / "results", only="prescreen", progress=True)
    assert "Peroxide, HOOH: records in" in capfd.readouterr().err


def test_an_input_made_in_python_is_the_one_from_a_file(done, folder, monkeypatch):
    monkeypatch.chdir(folder)
    settings = qd.Settings(title="Peroxide, HOOH", **TABLES)
    assert settings == done.opened.input
    again = qd.run(settings, results=folder / "results", name="hooh")
    assert (again.tally.computed, again.summary) == (0, done.summary)
    assert qd.read_findings(settings, folder / "results", name="hooh").summary == done.summary
    typed = qd.Settings(title="x", structure=TABLES["structure"], prescreen=settings.prescreen)
    assert typed.prescreen == settings.prescreen
    with pytest.raises(InputError, match=r"results/peroxide-hooh: no run is here"):
        qd.read_findings(settings, folder / "results")


def test_findings_as_data_frames(done, monkeypatch):
    conformers, points = done.to_dataframe(), done.to_dataframe("profiles")
    assert list(conformers["label"]) == ["gauche"]
    assert conformers["energy_hartree"][0] == done.conformers[0].energy_hartree
    assert len(points) == len(done.profiles[0].points)
    held = points[points["target_dihedral_deg"].notna()]
    assert np.allclose(held["target_dihedral_deg"], held["reached_dihedral_deg"], atol=0.1)
    assert {"minimum"} <= set(done.to_dataframe("networks")["kind"])
    with pytest.raises(InputError, match="a run has no 'conformer'; there are conformers, profiles"):
        done.to_dataframe("conformer")
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(MissingError, match="pip install pandas"):
        done.to_dataframe()


def test_a_notebook_shows_tables_and_pictures(done, folder):
    shown = done.conformers._repr_html_()
    assert shown.startswith("<table><caption>Conformers, GFN1-xTB (tblite)</caption>")
    assert '<td style="text-align: left">gauche</td>' in shown
    assert done.conformers == done.summary.conformers
    curve = done.profiles._repr_html_()
    picture = re.search(r'src="data:image/png;base64,([^"]+)"', curve)[1]
    assert base64.b64decode(picture).startswith(b"\x89PNG")
    assert "Profile of the dihedral, GFN1-xTB (tblite)" in curve
    text = (folder / "hooh.toml").read_text().replace("Peroxide, HOOH", "<b>HOOH</b>")
    (folder / "other").mkdir()
    shutil.copy(INPUTS / "hooh-gauche.xyz", folder / "other")
    (folder / "other" / "hooh.toml").write_text(text)
    shutil.copytree(done.directory, folder / "other" / "results" / "hooh")
    (folder / "other" / "results" / "hooh" / "input.json").unlink()
    whole = qd.read_findings(folder / "other" / "hooh.toml", folder / "other" / "results")._repr_html_()
    assert "<h3>&lt;b&gt;HOOH&lt;/b&gt; (H2O2)</h3>\n<p>All of prescreen and scan finished" in whole
    assert whole.count("<img") == 1


def test_records_are_selected_by_what_they_are(done):
    results = qd.open_results(done.directory)
    found = list(results.records(method="gfn1-xtb", converged=True))
    assert len(found) == done.tally.computed
    assert all(isinstance(record, qd.TaskRecord) for record in found)
    assert {record.label for record in results.records(stage="prescreen")} == {
        f"gauche GFN1-xTB {word}" for word in ("cheap", "tight")
    }
    assert not list(results.records(converged=False))
    assert results.record(found[0].key[:12]) == found[0]


def test_a_relaxation_alone_is_the_record_of_the_run(done, folder, level):
    molecule, before = qd.read_molecule(folder / "hooh-gauche.xyz"), n_lines(done)
    relaxed = qd.relax(molecule, level, 0.05, 1e-3, store=done.directory)  # as the prescreen's cheap pass
    assert n_lines(done) == before
    (cheap,) = qd.open_results(done.directory).records(label="* cheap")
    assert cheap.outcome == relaxed


def test_a_coordinate_is_held_where_it_is_asked_for(folder, level):
    molecule = qd.read_molecule(folder / "hooh-gauche.xyz")
    torsion, bond = qd.dihedral(*TORSION), qd.distance(0, 1)
    relaxed = qd.relax(molecule, level, hold={torsion: 90.0, bond: 2.8})
    assert measured(torsion, relaxed.molecule.geometry) == pytest.approx(90.0, abs=0.05)
    assert relaxed.reached == pytest.approx((90.0, 2.8), abs=1e-3)
    assert relaxed.energies[-1] < relaxed.energies[0]


def test_a_single_point_is_kept_and_found_again_also_from_ase(folder, level, tmp_path):
    molecule = qd.read_molecule(folder / "hooh-gauche.xyz")
    first = qd.compute(molecule, level, driver="gradient", store=tmp_path, label="mine")
    assert first.gradient.shape == (4, 3)
    assert np.abs(first.gradient.sum(axis=0)).max() < 1e-6
    atoms = Atoms(molecule.symbols, positions=molecule.geometry * ANGSTROM)
    assert qd.compute(atoms, level, driver="gradient", store=tmp_path) == first
    (record,) = qd.open_results(tmp_path).records()
    assert (record.label, record.stage, record.outcome) == ("mine", "single_point", first)
    assert record.provenance.threads >= 1
    assert not (tmp_path / "checkpoints").exists()


def test_what_ase_says_of_charge_and_spin_is_taken(level):
    assert "charge" not in Atoms("O").info
    for info, complaint in [
        ({"charge": 1}, "multiplicity 1 does not fit 7 electrons"),
        ({"charge": 0.5}, "charge 0.5 is no integer"),
        ({"multiplicity": 2}, "multiplicity 2 does not fit 8 electrons"),
    ]:
        with pytest.raises(InputError, match=complaint):
            qd.compute(Atoms("O", info=info), level)
    with pytest.raises(InputError, match="multiplicity 3 does not fit 7 electrons"):
        qd.compute(Atoms("O", charges=[1], magmoms=[2]), level)
    with pytest.raises(InputError, match="O is periodic"):
        qd.compute(Atoms("O", cell=[5, 5, 5], pbc=True), level)


def test_models_are_built_by_the_keys_of_an_input(tmp_path):
    label, rod, notes = qd.build("au13ag12", phosphine="PMe3", halide="Cl", twist_deg=36)[0]
    assert (label, rod.formula, rod.molecular_charge, notes) == ("model", "C30H90Ag12Au13Cl8P10", 1, ())
    assert measure_rod(rod).twist_deg == pytest.approx(36)
    starts = qd.build("au13ag12", starts=2, seed=1)
    assert [model.label for model in starts] == ["model", "model#1"]
    assert starts[0].molecule != starts[1].molecule
    assert [model.label for model in qd.build(str(INPUTS / "au13ag12.toml"))][:1] == ["E"]
    qd.write_xyz(tmp_path / "rods.xyz", [model.molecule for model in starts], ["a", "b"])
    again = qd.read_molecule(tmp_path / "rods.xyz", frame=1)
    assert np.allclose(again.geometry, starts[1].molecule.geometry, atol=1e-6)
    assert again.molecular_charge == 1


def test_a_level_is_complete_and_named_by_what_it_is():
    level = qd.level("PBE", basis="def2-SVP", solvent="dichloromethane", dispersion="d3bj")
    assert level.engine == "pyscf"
    assert {"solvent": "dichloromethane", "dispersion": "d3bj", "grid_level": 3}.items() <= level.keywords.items()
    assert (
        qd.level("GFN2-xTB", engine="tblite").keywords.keys() == qd.level("GFN1-xTB", engine="tblite").keywords.keys()
    )


WATER = Atoms("OH2", positions=[[0, 0, 0], [0, 0.76, 0.59], [0, -0.76, 0.59]])


@pytest.mark.parametrize(
    ("call", "complaint"),
    [
        (lambda: qd.run("nowhere.toml"), "nowhere.toml: cannot be read"),
        (lambda: qd.run(INPUTS / "hooh.toml", workers=0), "workers = 0: at least 1"),
        (lambda: qd.run(INPUTS / "hooh.toml", name="x"), "has the file's name"),
        (lambda: qd.run(qd.Settings(title="..", **TABLES)), "name = '': a name is made of letters"),
        (lambda: qd.Settings(title="x", **TABLES, prescren={}), "prescren: unknown key; did you mean prescreen?"),
        (lambda: qd.Settings(title="x", structure={"source": "xyz", "isomers": {"a": {"file": WATER}}}), "is a Atoms"),
        (lambda: qd.open_results("nowhere"), "nowhere: no run is here"),
        (lambda: qd.read_molecule("nowhere.xyz"), "nowhere.xyz"),
        (lambda: qd.build("au13ag21"), "no source of structures named 'au13ag21'; there are au13ag12, cu14"),
        (lambda: qd.build("au13ag12", halid="Cl"), "structure.halid: unknown key; did you mean halide?"),
        (lambda: qd.build("au13ag12", twist_deg="x"), "structure.isomers.model.twist_deg = 'x'"),
        (lambda: qd.level("GNF1-xTB"), "no engine has 'GNF1-xTB' without a basis; did you mean 'GFN1-xTB' or"),
        (lambda: qd.level("GFN1-xTB", engine="xbt"), "no engine named 'xbt'"),
        (lambda: qd.level("GFN1-xTB", engine="tblite", acuracy=1), "'acuracy' is unknown"),
        (
            lambda: qd.level("PBE0", basis="def2-SVP", density_fit="auto"),
            "density_fit = 'auto' is decided",
        ),
        (lambda: qd.compute(WATER, qd.level("GFN1-xTB", engine="tblite"), driver="hessian"), "driver: "),
        (lambda: qd.compute("water.xyz", qd.level("GFN1-xTB", engine="tblite")), "'water.xyz' is no molecule"),
        (lambda: qd.dihedral(0, 1, 2, 2), "is not four different atoms"),
    ],
)
def test_a_mistake_is_one_clear_line(call, complaint, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(QcdriverError) as raised:
        call()
    assert complaint in str(raised.value)
    assert len(str(raised.value).splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_what_does_not_converge_is_an_error_and_stays_in_the_records(level, tmp_path):
    for _ in range(2):
        with pytest.raises(ConvergenceError, match="2 steps"):
            qd.relax(WATER, level, max_force_ev_angstrom=1e-7, energy_change_ev=1e-12, max_steps=2, store=tmp_path)
    (record,) = qd.open_results(tmp_path).records(converged=False)
    assert record.stage == "relaxation"


def test_importing_loads_nothing_and_a_name_nothing_heavy():
    code = """
import sys, qcdriver
assert {"run", "compute", "Settings"} <= set(dir(qcdriver))
assert not [name for name in sys.modules if name.startswith(("qcdriver.", "numpy", "pydantic"))]
import qcdriver.execution.driver, qcdriver.engines
assert callable(qcdriver.run) and callable(qcdriver.build)
print(*{name.split(".")[0] for name in sys.modules})
"""
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not set(loaded) & {"pyscf", "matplotlib", "tblite", "xtb", "ase", "scipy", "pandas"}


def test_every_public_name_is_there_typed_and_described():
    tree = ast.parse(Path(qd.__file__).read_text())
    (block,) = (node for node in tree.body if isinstance(node, ast.If))
    seen_by_editors = {alias.name for node in block.body for alias in node.names}
    assert seen_by_editors == set(qd.__all__) - {"__version__"}
    assert (Path(qd.__file__).parent / "py.typed").is_file()
    for name in seen_by_editors:
        public = getattr(qd, name)
        assert len(inspect.getdoc(public)) > 20
        if inspect.isfunction(public):
            arguments = ast.parse(inspect.getsource(public)).body[0]
            assert arguments.returns is not None
            assert all(argument.annotation for argument in arguments.args.args)
    with pytest.raises(AttributeError, match="no attribute 'rnu'"):
        _ = qd.rnu
    assert typing.get_type_hints(qd.read_molecule)["return"] is qd.Molecule
