"""A solvent of [prescreen] is in every level of it, in what is said of them, and in the keys of their results alone."""

from __future__ import annotations

import pytest

from qcdriver import engines
from qcdriver.errors import InputError
from qcdriver.workflow.input import read_input
from qcdriver.workflow.prescreen.levels import preoptimization_level, relaxation_level
from qcdriver.workflow.prescreen.settings import PrescreenSettings

INPUT = """
title = "water"
[structure]
source = "xyz"
[structure.isomers.w]
file = "water.xyz"
[prescreen]
"""


def test_all_levels_of_the_prescreen_are_in_the_solvent():
    wet = PrescreenSettings(engine="xtb", solvent="CH2Cl2")
    level, sentence = relaxation_level(wet)
    first, _ = preoptimization_level(wet)
    assert level.keywords["solvent"] == first.keywords["solvent"] == "dichloromethane"
    assert sentence.startswith("GFN1-xTB in dichloromethane with xtb")
    assert engines.title(first) == "GFN-FF, GBSA(dichloromethane) (xtb)"


def test_without_a_solvent_settings_and_levels_are_those_of_before():
    dry = PrescreenSettings(engine="xtb")
    assert dry.model_dump(exclude_defaults=True) == {"engine": "xtb"}
    level, sentence = relaxation_level(dry)
    assert "solvent" not in level.keywords
    assert sentence.startswith("GFN1-xTB with xtb")


def test_the_solvent_has_one_place_in_an_input(tmp_path):
    path = tmp_path / "water.toml"
    path.write_text(INPUT + 'solvent = "thf"\n')
    assert read_input(path).prescreen.solvent == "tetrahydrofuran"
    path.write_text(INPUT + 'keywords = { solvent = "thf" }\n')
    with pytest.raises(InputError, match=r"keywords\.solvent: write solvent in \[prescreen\] itself"):
        read_input(path)
