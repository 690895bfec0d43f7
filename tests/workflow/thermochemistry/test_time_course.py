"""Nitrous acid, cis and trans: its verified network from a named start, over time."""

from __future__ import annotations

import csv
import io
import json
import math
import re
import subprocess
import sys

import pytest
from rich.console import Console

from qcdriver.engines import find
from qcdriver.errors import InputError
from qcdriver.execution.driver import run_input
from qcdriver.execution.progress import Display
from qcdriver.report.sentences import kinetics_notes, passage_notes
from qcdriver.report.tables.thermochemistry import thermochemistry_tables
from qcdriver.workflow.input import make_input, read_input
from qcdriver.workflow.open_run import open_run
from qcdriver.workflow.thermochemistry.findings import Kinetics

TRANS = "4\n\nN 0 0 0\nO 1.17 0 0\nO -0.62 1.28 0\nH -1.58 1.09 0\n"
CIS = "4\n\nN 0 0 0\nO 1.18 0 0\nO -0.60 1.25 0\nH 0.10 1.93 0\n"
INPUT = """
title = "Nitrous acid"
[structure]
source = "xyz"
[structure.isomers.trans]
file = "trans.xyz"
[structure.isomers.cis]
file = "cis.xyz"
[prescreen]
engine = "tblite"
preoptimize = "none"
window_kcal_mol = 15
[scan]
mirror = true
[[scan.coordinate]]
kind = "dihedral"
atoms = [1, 0, 2, 3]
start_deg = 0
stop_deg = 180
step_deg = 30
[stationary]
[thermochemistry]
temperatures_k = [100, 298.15]
start = "trans"
after_days = [0.01, 28]
[resources]
threads = 1
"""


def write(folder, text=INPUT):
    (folder / "trans.xyz").write_text(TRANS)
    (folder / "cis.xyz").write_text(CIS)
    path = folder / "hono.toml"
    path.write_text(text)
    return path


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    if missing := find("tblite").missing():
        pytest.skip(missing)
    folder = tmp_path_factory.mktemp("hono")
    words = [sys.executable, "-m", "qcdriver.cli", "run", write(folder), "--results", folder, "--jobs", "1"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout, json.loads((folder / "hono" / "summary.json").read_text())["stages"]["thermochemistry"], folder


def test_populations_go_from_the_start_to_boltzmanns(finished):
    _, found, _ = finished
    kinetics = found["kinetics"]
    assert (kinetics["minimum"], kinetics["isomers"]) == ("minimum at 180 deg", [["trans"], ["cis"]])
    for course in kinetics["courses"]:
        rows = {row["conformer"]: row for row in found["conformers"] if row["temperature_k"] == course["temperature_k"]}
        # The conformers are relaxed more tightly than the minima of the network.
        assert course["equilibrium_percent"][1] == pytest.approx(rows["cis"]["population_percent"], abs=1e-3)
        first, last = course["moments"][0]["populations_percent"], course["moments"][-1]["populations_percent"]
        assert first[0] == pytest.approx(99.9, abs=0.01)
        assert last == pytest.approx(course["equilibrium_percent"], abs=0.1)


def test_two_minima_follow_the_formula_of_their_rates(finished):
    _, found, _ = finished
    for course in found["kinetics"]["courses"]:
        of = [each for each in found["passages"] if each["temperature_k"] == course["temperature_k"]]
        forth, back = (
            next(each["rate_per_s"] for each in of if each["start"] == start)
            for start in ("minimum at 180 deg", "minimum at 0 deg")
        )
        for moment in [*course["moments"], *course["asked"]]:
            gone = forth / (forth + back) * -math.expm1(-(forth + back) * moment["time_s"])
            assert moment["populations_percent"][1] == pytest.approx(100 * gone, rel=1e-9)
        assert course["half_time_s"] == pytest.approx(math.log(2) / (forth + back), rel=1e-6)
    cold = found["kinetics"]["courses"][0]
    assert [moment["time_s"] for moment in cold["asked"]] == [864.0, 28 * 86400.0]


def test_a_saddle_with_a_mirror_image_is_two_ways_out_of_a_planar_minimum(finished):
    _, found, _ = finished
    assert {each["ways"] for each in found["passages"]} == {2}
    for each in found["passages"]:
        kt_over_h = 1.380649e-23 * each["temperature_k"] / 6.62607015e-34
        one = kt_over_h * math.exp(-each["gibbs_barrier_kcal_mol"] * 4184 / (8.314462618 * each["temperature_k"]))
        assert each["rate_per_s"] == pytest.approx(2 * each["wigner_factor"] * one, rel=1e-5)


def test_the_report_says_how_long_it_takes_and_draws_it(finished):
    printed, _, folder = finished
    assert "Populations over time from trans at 100 K, %" in printed
    words = " ".join(re.sub(r"[^\S]+", " ", printed).split())
    assert "trans at 100 K: half of the way to equilibrium after" in words
    assert (folder / "hono" / "time_course.png").read_bytes().startswith(b"\x89PNG")


def test_what_each_conformer_absorbs_is_in_a_table_and_a_file(finished):
    printed, found, folder = finished
    assert "Infrared, the strongest: harmonic wavenumbers" in " ".join(printed.split())
    rows = list(csv.DictReader((folder / "hono" / "infrared.csv").open()))
    assert [row["conformer"] for row in rows] == ["cis"] * 6 + ["trans"] * 6
    (cis,) = (each for each in found["infrared"] if each["conformer"] == "cis")
    assert [float(row["intensity_km_mol"]) for row in rows[:6]] == cis["intensities_km_mol"]
    assert max(cis["intensities_km_mol"]) > 20


def test_averages_are_over_the_conformers_and_with_a_warning_over_the_scan(finished):
    printed, found, folder = finished
    assert "scan points are no minima" in printed
    profile = json.loads((folder / "hono" / "summary.json").read_text())["profiles"][0]
    for temperature in (100, 298.15):
        conformers, points = (each for each in found["averages"] if each["temperature_k"] == temperature)
        assert (conformers["scan_points"], conformers["n_structures"]) == (False, 2)
        assert (points["scan_points"], points["n_structures"]) == (True, 7)
        shares = {
            each["conformer"]: each["population_percent"]
            for each in found["conformers"]
            if each["temperature_k"] == temperature
        }
        assert conformers["coordinates"]["dihedral_deg"] == pytest.approx(1.8 * shares["trans"], abs=0.1)
        rt = 8.314462618 * temperature / 4184
        counted = [
            (0.5 if point["target"] in ([0.0], [180.0]) else 1.0) * math.exp(-point["relative_energy_kcal_mol"] / rt)
            for point in profile["points"]
        ]
        means = [
            sum(share * value for share, value in zip(counted, values, strict=True)) / sum(counted)
            for values in zip(*((point["gap_ev"], point["target"][0]) for point in profile["points"]), strict=True)
        ]
        assert points["gap_ev"] == pytest.approx(means[0], rel=1e-6)
        assert points["coordinates"]["dihedral_deg"] == pytest.approx(means[1], rel=1e-6, abs=1e-9)


def test_a_point_of_the_grid_is_a_start_too(finished):
    _, found, folder = finished
    path = folder / "hono.toml"
    text = path.read_text()
    path.write_text(text.replace('start = "trans"', 'start = "180 deg"'))
    with Display() as display:
        summary, tally = run_input(open_run(read_input(path), path, folder), None, None, display)
    path.write_text(text)
    assert tally.computed == 0
    there = summary.stages["thermochemistry"].kinetics
    assert (there.start, there.minimum) == ("180 deg", "minimum at 180 deg")
    assert [each.model_dump(mode="json") for each in there.courses] == found["kinetics"]["courses"]


def test_where_it_is_too_cold_for_anything_the_tables_stand_and_say_so(finished):
    _, _, folder = finished
    path = folder / "hono.toml"
    text = path.read_text()
    path.write_text(text.replace("[100, 298.15]", "[1]"))
    with Display() as display:
        summary, _ = run_input(open_run(read_input(path), path, folder), None, None, display)
    path.write_text(text)
    found = summary.stages["thermochemistry"]
    assert {(each.rate_per_s, each.half_life_s) for each in found.passages} == {(0.0, None)}
    assert passage_notes(found.passages)[0].startswith("! at 1 K Wigner's factor is above 2")
    assert kinetics_notes(found.kinetics) == ["trans at 1 K: it stays there; at equilibrium it has 0 %"]
    console = Console(file=io.StringIO(), width=100)
    for table in thermochemistry_tables(found):
        console.print(table)
    printed = console.file.getvalue()
    assert "never" in printed
    assert "minimum at 0 deg" in printed.partition("Populations over time from trans at 1 K")[2]


def test_what_no_saddle_leads_to_is_named():
    lonely = Kinetics(start="E", minimum="a", minima=("a",), isomers=(("E",),), out_of_reach=("b",), courses=())
    assert kinetics_notes(lonely) == ["no time course: no verified saddle leads from E to another minimum"]
    unknown = lonely.model_copy(update={"minimum": None})
    assert kinetics_notes(unknown) == ["no time course: none of the verified minima is E"]


@pytest.mark.parametrize(
    ("start", "place"), [("gauche", r"start: 'gauche' is no isomer \(trans, cis\)"), ("90", r"\(0 deg .. 180 deg\)")]
)
def test_a_start_that_does_not_exist_is_refused_before_anything_is_computed(tmp_path, start, place):
    path = write(tmp_path, INPUT.replace('start = "trans"', f'start = "{start}"'))
    with pytest.raises(InputError, match=place), Display() as display:
        run_input(open_run(read_input(path), path, tmp_path / "results"), None, None, display)
    assert not any(path.read_bytes() for path in (tmp_path / "results").rglob("records.jsonl"))


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (('start = "trans"\n', ""), "after_days needs a start"),
        (("[stationary]\n", ""), r"\[thermochemistry\] start needs a table \[stationary\]"),
        (("[0.01, 28]", "[0]"), "thermochemistry.after_days"),
    ],
)
def test_a_time_course_without_its_ground_is_refused(tmp_path, change, line):
    path = write(tmp_path, INPUT.replace(*change))
    with pytest.raises(InputError, match=line):
        read_input(path)


def test_a_run_without_a_start_is_the_run_it_was():
    tables = {"title": "x", "structure": {"source": "xyz", "isomers": {"a": {"file": "a.xyz"}}}}
    assert make_input({**tables, "thermochemistry": {}}).thermochemistry.start is None
