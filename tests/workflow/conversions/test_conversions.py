"""Measured conversions of nitrous acid beside the barriers of a run: over its saddle, along a path, along the scan."""

from __future__ import annotations

import json

import pytest

from qcdriver.engines import find
from qcdriver.errors import InputError
from qcdriver.execution.driver import run_input
from qcdriver.execution.progress import Display
from qcdriver.report.findings_json import summary_json
from qcdriver.report.sentences import conversion_lines
from qcdriver.report.show import show
from qcdriver.workflow.conversions.findings import ComputedBarrier, ConversionFound, ImpliedBarrier
from qcdriver.workflow.input import read_input
from qcdriver.workflow.open_run import open_run

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
[interconversion]
[thermochemistry]
temperatures_k = [120]
[experiment]
source = "nobody"
[[experiment.conversion]]
began_as = "trans"
found = ["cis"]
after_days = 2
temperature_c = -153.15
[[experiment.conversion]]
began_as = "trans"
found = ["trans", "cis"]
after_days = 1
temperature_c = -153.15
[[experiment.conversion]]
found = ["cis"]
after_days = 1
temperature_c = 0
[resources]
threads = 1
"""


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    if missing := find("tblite").missing():
        pytest.skip(missing)
    folder = tmp_path_factory.mktemp("conversions")
    (folder / "trans.xyz").write_text("4\n\nN 0 0 0\nO 1.17 0 0\nO -0.62 1.28 0\nH -1.58 1.09 0\n")
    (folder / "cis.xyz").write_text("4\n\nN 0 0 0\nO 1.18 0 0\nO -0.60 1.25 0\nH 0.10 1.93 0\n")
    (folder / "hono.toml").write_text(INPUT)
    run = open_run(read_input(folder / "hono.toml"), folder / "hono.toml", folder)
    with Display() as display:
        summary, _ = run_input(run, None, None, display)
    return run, summary


def test_every_way_that_a_barrier_was_computed_stands_beside_the_measured_one(finished):
    _, summary = finished
    cold = summary.conversions[0]
    assert (cold.start, cold.end, cold.temperature_k) == ("trans", "cis", pytest.approx(120))
    assert [each.found for each in cold.implied] == [("cis",), ("trans", "cis")]
    assert cold.lowest_kcal_mol == cold.implied[1].lowest_kcal_mol
    assert cold.highest_kcal_mol == cold.implied[0].highest_kcal_mol
    computed = {each.kind: each for each in cold.computed}
    assert list(computed) == ["saddles", "path", "grid"]
    thermochemistry = summary.stages["thermochemistry"]
    over = next(each for each in thermochemistry.passages if each.start == "minimum at 180 deg")
    assert computed["saddles"].free
    assert computed["saddles"].kcal_mol == pytest.approx(over.gibbs_barrier_kcal_mol, abs=1e-3)
    (path,) = summary.paths  # cis to trans; it stays in the plane, where the way is higher
    assert computed["path"].kcal_mol == pytest.approx(path.reverse_barrier_kcal_mol)
    (profile,) = summary.profiles
    heights = {point.target: point.relative_energy_kcal_mol for point in profile.points}
    assert computed["grid"].kcal_mol == pytest.approx(max(heights.values()) - heights[(180.0,)])
    for each in cold.computed:
        nearest = cold.lowest_kcal_mol if each.kcal_mol < cold.lowest_kcal_mol else cold.highest_kcal_mol
        assert each.off_kcal_mol == pytest.approx(each.kcal_mol - nearest)


def test_a_mixture_that_became_one_speaks_of_all_others(finished):
    _, summary = finished
    warm = summary.conversions[1]
    assert (warm.start, warm.end, warm.lowest_kcal_mol) == ("trans", "cis", None)
    off = {each.kind: each.off_kcal_mol for each in warm.computed}
    assert off["saddles"] == off["grid"] == 0
    assert off["path"] > 0


def test_it_is_in_the_json_the_report_and_the_page(finished, capsys):
    run, summary = finished
    assert len(summary_json(summary)["conversions"]) == 2
    show(run, summary)
    line = "C, measured cis after 2 days, trans and cis after 1 day: a free barrier of"
    assert line in capsys.readouterr().out
    assert "trans to cis at -153." in (run.directory / "index.html").read_text()
    assert "conversions" not in json.loads(summary.model_copy(update={"conversions": ()}).model_dump_json())


def test_the_difference_is_said_in_words():
    computed = ComputedBarrier(
        kind="grid", level="GFN1-xTB", free=False, kcal_mol=5.4, off_kcal_mol=-18.1, half_life_s=1e-9
    )
    found = ConversionFound(
        start="E",
        end="S",
        temperature_k=298.15,
        implied=(ImpliedBarrier(found=("S",), after_days=28, lowest_kcal_mol=None, highest_kcal_mol=25.5),),
        lowest_kcal_mol=23.5,
        highest_kcal_mol=25.5,
        computed=(computed,),
    )
    first, second, third = conversion_lines(found)
    assert first == (
        "E to S at 25.0 C, measured S after 28 days: a free barrier of 23.5 to 25.5 kcal/mol (Eyring, no tunnelling)"
    )
    assert second == (
        "  computed along the scan: 5.4 kcal/mol (energy alone, GFN1-xTB), 18.1 below that; half-life 1e-09 s"
    )
    assert "why they differ is not told here" in third
    torn = found.model_copy(update={"lowest_kcal_mol": 26.0})
    assert "of at least 26.0 and at most 25.5 kcal/mol, which contradict each other" in next(conversion_lines(torn))


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (('began_as = "trans"', 'began_as = "gauche"'), "experiment.conversion: 'gauche' is no isomer"),
        (('found = ["cis"]\nafter_days = 1', 'found = ["cis", "trans"]\nafter_days = 1'), "a mixture that stays one"),
        (("after_days = 2", "after_days = 0"), "experiment.conversion.0.after_days"),
        (("temperature_c = 0", "temperature_c = -274"), "experiment.conversion.2.temperature_c"),
    ],
)
def test_a_statement_that_says_nothing_is_refused(tmp_path, change, line):
    path = tmp_path / "hono.toml"
    path.write_text(INPUT.replace(*change))
    with pytest.raises(InputError, match=line) as refused:
        read_input(path)
    assert "\n" not in str(refused.value)
