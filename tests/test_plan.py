"""What an input would need is told before it runs."""

from __future__ import annotations

from pathlib import Path

from qcdriver.config.resources import Machine
from qcdriver.config.settings import read_settings
from qcdriver.plan import needs_of_dft, plan
from qcdriver.schema import Molecule

INPUTS = Path(__file__).parents[1] / "inputs"
WATER = Molecule(symbols=("O", "H", "H"), geometry=[[0, 0, 0], [1.5, 1.1, 0], [-1.5, 1.1, 0.1]])


def test_the_plan_of_an_input_says_what_its_dft_needs():
    stages = {each.stage: each for each in plan(read_settings(INPUTS / "hooh.toml"), INPUTS).stages}
    needs = stages["dft"].needs
    assert needs.n_basis_functions == stages["dft"].n_basis_functions == 38
    assert needs.too_large is None
    assert any("grid points" in line for line in needs.lines())
    assert stages["prescreen"].needs is None


def test_relaxations_by_dft_need_what_its_single_points_do():
    settings = read_settings(INPUTS / "hooh.toml")
    by_dft = settings.model_copy(update={"scan": settings.scan.model_copy(update={"relax": "dft"})})
    needs = {each.stage: each.needs for each in plan(by_dft, INPUTS).stages}
    assert needs.pop("prescreen") is None
    assert set(needs) == {"scan", "stationary", "dft"}
    assert {each.n_basis_functions for each in needs.values()} == {38}


def test_what_the_machine_cannot_hold_is_known_before_the_run():
    settings = read_settings(INPUTS / "hooh.toml")
    small = settings.model_copy(update={"resources": Machine(memory_mb=100)})
    assert "100 MB are allowed" in needs_of_dft(small, WATER).too_large
    assert "does not fit" in needs_of_dft(small, WATER).lines()[-1]
    assert needs_of_dft(settings.model_copy(update={"dft": None}), WATER) is None
