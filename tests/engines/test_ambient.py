"""A number depends on its level alone: no settings, parameters or variables of the user's reach an engine."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from qcdriver.engines.ambient import variables, without_user_threading

POISON = "$globpar\nks 1.0\n$end\n"
PYSCF_POISON = "B3LYP_WITH_VWN5 = True\n"
"""Another B3LYP: water's energy changes by 0.04 hartree."""
SCRIPT = """
import json
from qcdriver.engines import find
from qcdriver.models.level import Model, Resources
from qcdriver.models.molecule import Molecule
water = Molecule(symbols=("O", "H", "H"), geometry=[[0, 0, 0], [1.5, 1.1, 0], [-1.5, 1.1, 0.1]])
found = {}
for engine, method, basis in [
    ("xtb", "GFN1-xTB", None), ("xtb", "GFN2-xTB", None), ("xtb", "GFN-FF", None),
    ("tblite", "GFN1-xTB", None), ("tblite", "GFN2-xTB", None), ("pyscf", "b3lyp", "sto-3g"),
]:
    if find(engine).missing() is None:
        level = find(engine).level(Model(method=method, basis=basis))
        calculation = find(engine).prepare(water, level, Resources(), lambda _: None)
        found[f"{method} {engine}"] = calculation.compute(water.geometry, "energy").energy
print(json.dumps(found))
"""


def energies(folder, **environment):
    run = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def test_a_poisoned_file_in_every_place_at_once_changes_no_number(tmp_path):
    clean, home, here, elsewhere = (tmp_path / name for name in ("clean", "home", "here", "elsewhere"))
    for folder in (clean, home, here, elsewhere):
        folder.mkdir()
    for folder in (home, here, elsewhere):
        for name in ("param_gfn1-xtb.txt", "param_gfn2-xtb.txt", ".param_gfnff.xtb", ".CHRG", ".UHF", "gfnff_topo"):
            (folder / name).write_text(POISON)
        (folder / ".pyscf_conf.py").write_text(PYSCF_POISON)
        (folder / "def2-universal-jkfit").mkdir()
    poisoned = {
        "HOME": str(home),
        "XTBPATH": str(elsewhere),
        "XTBHOME": str(elsewhere),
        "PYSCF_CONFIG_FILE": str(elsewhere / ".pyscf_conf.py"),
        "PYSCF_EXT_PATH": str(elsewhere),
    }
    assert energies(here, **poisoned) == pytest.approx(energies(clean), abs=1e-10)


def test_settings_that_were_read_before_are_refused_in_one_line(tmp_path):
    (tmp_path / ".pyscf_conf.py").write_text(PYSCF_POISON)
    run = subprocess.run(
        [sys.executable, "-c", "import pyscf\nfrom qcdriver.errors import InputError\ntry:\n"
         + "".join(f"    {line}\n" for line in SCRIPT.splitlines()) + "except InputError as error:\n    print(error)"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )  # fmt: skip
    assert "PySCF was loaded with the settings of" in run.stdout
    assert str(tmp_path / ".pyscf_conf.py") in run.stdout
    assert run.stdout.count("\n") == 1


def test_a_file_named_like_an_auxiliary_basis_is_no_basis(tmp_path, monkeypatch):
    from qcdriver.engines.pyscf.basis_sets import load_auxiliary
    from qcdriver.errors import InputError

    monkeypatch.chdir(tmp_path)
    (tmp_path / "def2-universal-jfit").write_text("H S\n1.0 1.0\n")
    with pytest.raises(InputError, match="must be the name of a basis set, not a file"):
        load_auxiliary("def2-universal-jfit", ["H"])


def test_a_worker_has_its_own_threads_and_the_users_way_to_wait():
    mine = {"OMP_DYNAMIC": "true", "OMP_SCHEDULE": "guided", "MKL_CBWR": "AVX", "OPENBLAS_CORETYPE": "Prescott"}
    kept = {"OMP_WAIT_POLICY": "active", "OMP_PROC_BIND": "close", "HOME": "/home/me", "CUDA_VISIBLE_DEVICES": "1"}
    assert without_user_threading({**mine, **kept}) == kept


def test_variables_are_as_before_afterwards(monkeypatch):
    monkeypatch.setenv("XTBPATH", "/mine")
    monkeypatch.delenv("XTBHOME", raising=False)
    with variables(XTBPATH=None, XTBHOME="/other"):
        assert (os.environ.get("XTBPATH"), os.environ["XTBHOME"]) == (None, "/other")
    assert (os.environ["XTBPATH"], os.environ.get("XTBHOME")) == ("/mine", None)
