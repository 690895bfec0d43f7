"""A new input is an input: it is read as it stands, and every key that it shows as a comment exists."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from qcdriver.errors import InputError
from qcdriver.report.new_input import new_input
from qcdriver.workflow.input import make_input
from qcdriver.workflow.registry import stages

XYZ = str(Path(__file__).parents[2] / "inputs" / "hooh-gauche.xyz")
ALL = [stage.name for stage in stages()]


@pytest.mark.parametrize("origin", [XYZ, "au13ag12", "cu14", "run"])
def test_it_is_read_with_every_stage_and_with_every_default_written_out(origin, tmp_path):
    text = new_input('of a "run"', [origin], ALL, None, None, tmp_path)
    plain = make_input(tomllib.loads(text))
    assert plain.title == 'of a "run"'
    assert all(getattr(plain, name) is not None for name in ALL)
    written_out = re.sub(r"^# (\w+ = )", r"\1", text, flags=re.MULTILINE)
    assert written_out != text
    assert make_input(tomllib.loads(written_out)) == plain


def test_files_become_isomers_with_charge_and_multiplicity(tmp_path):
    found = make_input(tomllib.loads(new_input("x", [XYZ, XYZ], [], -1, 2, tmp_path)))
    assert list(found.structure.isomers) == ["hooh-gauche", "hooh-gauche-2"]
    assert (found.structure.molecular_charge, found.structure.molecular_multiplicity) == (-1, 2)


@pytest.mark.parametrize(
    ("origins", "wanted", "words"),
    [
        (["nothing"], [], "a file ending in .xyz or .cif or .traj or .json belongs here, or au13ag12, cu14, run"),
        (["gone.xyz"], [], "no such file"),
        ([XYZ, "cu14"], [], "an input has one source"),
        ([XYZ], ["sca"], "no stage is called 'sca'; there are prescreen, scan"),
    ],
)
def test_a_mistake_is_one_line(origins, wanted, words, tmp_path):
    with pytest.raises(InputError, match=re.escape(words)):
        new_input("x", origins, wanted, None, None, tmp_path)
