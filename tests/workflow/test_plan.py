"""What an input would need is told before it runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from qcdriver.errors import InputError
from qcdriver.workflow.input import read_input
from qcdriver.workflow.open_run import open_run
from qcdriver.workflow.plan import plan_run
from qcdriver.workflow.resources import Machine

INPUTS = Path(__file__).parents[2] / "inputs"


def planned(settings, results):
    run = open_run(settings, INPUTS / "hooh.toml", results)
    return {stage.stage: stage for stage in plan_run(run).stages}


def test_the_plan_of_an_input_says_what_its_dft_needs(tmp_path):
    stages = planned(read_input(INPUTS / "hooh.toml"), tmp_path)
    needs = stages["dft"].needs
    assert needs.n_basis_functions == stages["dft"].n_basis_functions == 38
    assert needs.too_large is None
    assert any("grid points" in line for line in needs.lines())
    assert stages["prescreen"].needs is None


def test_relaxations_by_dft_need_what_its_single_points_do(tmp_path):
    settings = read_input(INPUTS / "hooh.toml")
    by_dft = settings.model_copy(update={"scan": settings.scan.model_copy(update={"relax": "dft"})})
    needs = {name: stage.needs for name, stage in planned(by_dft, tmp_path).items()}
    assert needs.pop("prescreen") is None
    assert set(needs) == {"scan", "stationary", "dft"}
    assert {each.n_basis_functions for each in needs.values()} == {38}


def test_what_the_machine_cannot_hold_is_known_before_the_run(tmp_path):
    settings = read_input(INPUTS / "hooh.toml")
    needs = planned(settings.model_copy(update={"resources": Machine(memory_mb=100)}), tmp_path)["dft"].needs
    assert "100 MB are allowed" in needs.too_large
    assert "does not fit" in needs.lines()[-1]


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ('[dft]\nmethod = "PBEE"\nbasis = "def2-SVP"', ["[dft]", "PBEE"]),
        ('[dft]\nmethod = "PBE"\nbasis = "def2-SVPP"', ["[dft]", "def2-SVPP"]),
        ('[prescreen]\nengine = "tblite"\nkeywords = { acuracy = 1 }', ["[prescreen]", "acuracy"]),
    ],
)
def test_a_wrong_word_is_told_before_any_model_is_built(tmp_path, monkeypatch, table, words):
    def built(*_):
        raise AssertionError("a model was built")

    monkeypatch.setattr("qcdriver.systems.registry.build", built)
    path = tmp_path / "cu14.toml"
    path.write_text(f'title = "t"\n[structure]\nsource = "cu14"\nphosphine = "PPh3"\n[structure.isomers.A]\n{table}\n')
    with pytest.raises(InputError) as caught:
        plan_run(open_run(read_input(path), path, tmp_path))
    for word in words:
        assert word in str(caught.value)
