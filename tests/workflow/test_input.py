"""Input files: a mistake is one line that names file, key, value, and what would be right."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from qcdriver.errors import InputError
from qcdriver.workflow.input import read_input
from qcdriver.workflow.variants import variants

INPUTS = Path(__file__).parents[2] / "inputs"

GOOD = """
title = "test"
[structure]
source = "au13ag12"
[structure.isomers.E]
twist_deg = 0
[scan]
dft_points = "top"
[[scan.coordinate]]
kind = "twist"
start_deg = 0
stop_deg = 72
step_deg = 6
[dft]
method = "pbe"
basis = "lanl2dz"
"""
TWIST = 'kind = "twist"'
DIHEDRAL = 'kind = "dihedral"\natoms = [0, 1, 2, 3]'
RINGS = 'kind = "twist"\nrings = [[2, 3, 4], [5, 6, 7]]\naxis = [0, 1]'


def settings(tmp_path, text):
    path = tmp_path / "input.toml"
    path.write_text(text)
    return read_input(path)


@pytest.mark.parametrize(
    "path", [each for path in sorted(INPUTS.glob("*.toml")) for each in variants(path)], ids=lambda path: path.name
)
def test_the_inputs_that_ship_are_right(path):
    assert read_input(path).title


def test_the_grid_ends_where_it_says(tmp_path):
    grid = settings(tmp_path, GOOD).scan.coordinate[0].grid
    assert grid[0] == 0
    assert grid[-1] == 72
    assert len(grid) == 13


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("twist_deg = 0", "twits_deg = 0", ["structure.isomers.E.twits_deg", "unknown key", "did you mean twist_deg?"]),
        ('title = "test"', "", ["title", "missing"]),
        ("step_deg = 6", 'step_deg = "six"', ["scan.coordinate.0.step_deg", "'six'", "valid number"]),
        ("step_deg = 6", "step_deg = -6", ["scan.coordinate.0.step_deg", "-6", "greater than 0"]),
        ("step_deg = 6", "step_deg = 0.00007", ["scan.coordinate.0", "10000 points or more"]),
        ("stop_deg = 72", "stop_deg = 0", ["scan", "stop_deg must lie above start_deg"]),
        ('source = "au13ag12"', 'source = "au25"', ["structure.source = 'au25'", "au13ag12, cu14, xyz, cif"]),
        ('kind = "twist"', 'kind = "dihedral"', ["scan.coordinate.0", "with 4 atoms, counted from 0"]),
        ('kind = "twist"', 'kind = "distance"\natoms = [0, 1]', ["scan.coordinate.0", "start_angstrom"]),
        ('kind = "twist"', 'kind = "spin"', ["scan.coordinate.0.kind", "'spin'", "'twist'"]),
        ('kind = "twist"', 'kind = "combination"', ["scan.coordinate.0", "terms = [{ weight"]),
        (
            '[[scan.coordinate]]\nkind = "twist"\nstart_deg = 0\nstop_deg = 72\nstep_deg = 6',
            'coordinate = "twist"',
            ["scan.coordinate = 'twist'", "a table [[scan.coordinate]]"],
        ),
        (
            'kind = "twist"',
            'kind = "twist"\nrings = [[0, 1], [1, 2]]\naxis = [3, 4]',
            ["scan.coordinate.0", "rings and axis overlap: atom 1"],
        ),
        (
            "step_deg = 6",
            "step_deg = 6\n[[scan.coordinate]]\nkind = 'belt'\nstart_deg = 0\nstop_deg = 12\nstep_deg = 0.01",
            ["scan", "more than 10000 points"],
        ),
        ('method = "pbe"', 'method = "pbe"\ndevice = "tpu"', ["dft.device", "'tpu'", "'gpu'"]),
        ('title = "test"', 'title = "test"\ncolour = 1', ["colour", "unknown key", "this table knows"]),
        ('dft_points = "top"', "dft_points = [5]", ["scan", "dft_points", "5", "not on the grid"]),
        ("[structure.isomers.E]", "[structure.isomers.'../E']", ["structure.isomers", "../E"]),
        ("[dft]", "[experiment]\ngap_ev = { X = 1.0 }\nsource = 's'\n[dft]", ["experiment.gap_ev", "'X'", "E"]),
        ("step_deg = 6", "step_deg = 73", ["scan", "step_deg must not exceed"]),
        ("step_deg = 6", "step_deg = 6\nperiod_deg = 72", ["scan.coordinate.0", 'kind = "twist" takes none']),
        (TWIST, f"{DIHEDRAL}\nperiod_deg = 100", ["scan.coordinate.0: period_deg = 100: a whole turn is no multiple"]),
        (TWIST, f"{DIHEDRAL}\nperiod_deg = 45", ["period_deg = 45 is no multiple of step_deg = 6", "miss the grid"]),
        (TWIST, f"{RINGS}\nperiod_deg = 60", ["period_deg = 60 is no multiple of 120", "the rings pair up again"]),
        ("step_deg = 6", "step_deg = nan", ["scan.coordinate.0.step_deg", "finite number"]),
        ("twist_deg = 0", "twist_deg = inf", ["structure.isomers.E.twist_deg", "finite number"]),
        ('dft_points = "top"', 'dft_points = "bottom"', ["scan.dft_points = 'bottom'", '"all", "none"']),
        ("twist_deg = 0", "file = 'x'", ["structure.isomers.E.file", "unknown key", "belt_deg, twist_deg"]),
        ("[dft]", "[[prescreen]]\nseed = 1\n[dft]", ["prescreen", "a table belongs here"]),
        ('kind = "twist"', 'kind = "dihedral"\natoms = [0, 1, 2, -1]', ["scan", "4 different atoms"]),
        ("step_deg = 6", "step_deg = = 6", ["not valid TOML", "line 13"]),
        # A value is taken as it is: nothing becomes a number, a whole number or a truth on the way.
        ("step_deg = 6", "step_deg = true", ["scan.coordinate.0.step_deg = True", "valid number"]),
        ("step_deg = 6", 'step_deg = "6"', ["scan.coordinate.0.step_deg = '6'", "valid number"]),
        (TWIST, 'kind = "dihedral"\natoms = [0, 1, 2, 3.0]', ["scan.coordinate.0.atoms.3 = 3.0", "valid integer"]),
        ("[dft]", "[prescreen]\nmax_kept = true\n[dft]", ["prescreen.max_kept = True", "valid integer"]),
        ("[dft]", '[prescreen]\nseed = "1_0"\n[dft]', ["prescreen.seed = '1_0'", "valid integer"]),
        ("[dft]", "[prescreen]\nmax_kept = 4.0\n[dft]", ["prescreen.max_kept = 4.0", "valid integer"]),
        ("[dft]", "[prescreen]\nhold_metal = 1\n[dft]", ["prescreen.hold_metal = 1", "valid boolean"]),
        ('title = "test"', "title = 2026-01-01", ["2026-01-01 is a date or a time"]),
        ('title = "test"', "title = 7", ["title = 7", "valid string"]),
        # What a parser dies of, or takes minutes for.
        ('title = "test"', "title = " + 5000 * "[" + 5000 * "]", ["nested too deep"]),
        ('title = "test"', "title = 1" + 5000 * "0", ["not valid TOML"]),
        ('title = "test"', f'title = "{1_000_000 * "x"}"', ["bytes; an input has at most 1000000"]),
        ("step_deg = 6", "step_deg = 1e-320", ["scan.coordinate.0"]),
        ("start_deg = 0\nstop_deg = 72", "start_deg = 1e300\nstop_deg = 1.0000001e300", ["scan.coordinate.0"]),
        (TWIST, f"{DIHEDRAL}\nperiod_deg = 1e-320", ["scan.coordinate.0: period_deg = 9.99989e-321"]),
    ],
)
def test_a_mistake_names_file_key_value_and_the_right_thing(tmp_path, old, new, words):
    with pytest.raises(InputError) as caught:
        settings(tmp_path, GOOD.replace(old, new))
    message = str(caught.value)
    assert str(tmp_path / "input.toml") in message
    assert "\n" not in message
    for word in words:
        assert word in message


def test_thousands_of_points_on_a_fine_grid_are_refused_at_once(tmp_path):
    points = ", ".join([*(f"{k / 100:g}" for k in range(7000)), "0.005"])
    began = time.perf_counter()
    with pytest.raises(InputError, match=r"dft_points: 0\.005 is not on the grid"):
        settings(
            tmp_path,
            GOOD.replace('dft_points = "top"', f"dft_points = [{points}]").replace("step_deg = 6", "step_deg = 0.01"),
        )
    assert time.perf_counter() - began < 5


def test_two_mistakes_are_two_lines(tmp_path):
    with pytest.raises(InputError) as caught:
        settings(tmp_path, GOOD.replace("step_deg = 6", "step_deg = -6\nstp = 1"))
    assert len(str(caught.value).splitlines()) == 2


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"nowhere\.toml: cannot be read \(No such file"):
        read_input(tmp_path / "nowhere.toml")
