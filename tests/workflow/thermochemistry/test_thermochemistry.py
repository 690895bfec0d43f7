"""Free energies in a run: conformers by their populations, saddles by their rates, and no minimum that is none."""

from __future__ import annotations

import math
import shutil
from pathlib import Path

import pytest

from qcdriver.engines import find
from qcdriver.errors import InputError
from qcdriver.execution.driver import run_input
from qcdriver.execution.progress import Display
from qcdriver.models.verdicts import Code
from qcdriver.workflow.input import read_input
from qcdriver.workflow.open_run import open_run

ROOT = Path(__file__).parents[3]
TWO = """
title = "ammonia, and what it inverts through"
[structure]
source = "xyz"
[structure.isomers.pyramid]
file = "pyramid.xyz"
[structure.isomers.plane]
file = "plane.xyz"
[prescreen]
engine = "tblite"
preoptimize = "none"
[thermochemistry]
temperatures_k = [298.15]
"""


def computed(path, results, only=None):
    with Display() as display:
        return run_input(open_run(read_input(path), path, results), None, only, display)


@pytest.fixture(scope="module")
def peroxide(tmp_path_factory):
    """The kept run of hydrogen peroxide, whose saddles are verified: only its conformers' vibrations are computed."""
    if missing := find("xtb").missing():
        pytest.skip(missing)
    folder = tmp_path_factory.mktemp("peroxide")
    for name in ("hooh-gauche.xyz", "hooh-twisted.xyz"):
        shutil.copy(ROOT / "inputs" / name, folder)
    text = (ROOT / "inputs" / "hooh.toml").read_text() + "\n[thermochemistry]\ntemperatures_k = [200, 298.15]\n"
    (folder / "hooh.toml").write_text(text)
    (folder / "results" / "hooh").mkdir(parents=True)
    shutil.copy(ROOT / "results" / "kept" / "hooh" / "records.jsonl", folder / "results" / "hooh")
    summary, tally = computed(folder / "hooh.toml", folder / "results", "thermochemistry")
    return summary.stages["thermochemistry"], tally


def test_conformers_have_free_energies_and_the_populations_of_one_temperature_make_a_whole(peroxide):
    found, tally = peroxide
    assert tally.computed == len({row.conformer for row in found.conformers})
    for temperature in (200, 298.15):
        rows = [row for row in found.conformers if row.temperature_k == temperature]
        assert sum(row.population_percent for row in rows) == pytest.approx(100)
        assert {row.weight for row in rows} == {1}  # GFN1 has it planar, so that it is its own mirror image


def test_rates_over_a_verified_saddle_follow_eyring(peroxide):
    found, _ = peroxide
    assert {row.temperature_k for row in found.passages} == {200, 298.15}
    for row in found.passages:
        kt_over_h = 1.380649e-23 * row.temperature_k / 6.62607015e-34
        plain = kt_over_h * math.exp(-row.gibbs_barrier_kcal_mol * 4184 / (8.314462618 * row.temperature_k))
        assert (row.start, row.ways) == (row.end, 2)  # it turns either way, and is itself again
        assert row.rate_per_s == pytest.approx(2 * row.wigner_factor * plain, rel=1e-5)
        assert row.half_life_s == pytest.approx(math.log(2) / row.rate_per_s)
        assert row.wigner_factor > 1
        assert abs(row.gibbs_barrier_kcal_mol - row.barrier_kcal_mol) < 2


def test_a_chiral_conformer_counts_with_its_mirror_image(tmp_path):
    """Disulfane, twisted by 90 degrees."""
    (tmp_path / "h2s2.xyz").write_text("4\n\nS 0 0 1.03\nS 0 0 -1.03\nH 1.35 0 1.1\nH 0 1.35 -1.1\n")
    path = tmp_path / "disulfane.toml"
    path.write_text(
        TWO.replace('[structure.isomers.plane]\nfile = "plane.xyz"\n', "").replace("pyramid.xyz", "h2s2.xyz")
    )
    summary, _ = computed(path, tmp_path)
    assert [row.weight for row in summary.stages["thermochemistry"].conformers] == [2]


def test_a_conformer_with_an_imaginary_mode_is_a_failure_and_has_no_free_energy(tmp_path):
    pyramid = "4\n\nN 0 0 0.1\nH 0.95 0 -0.25\nH -0.475 0.823 -0.25\nH -0.475 -0.823 -0.25\n"
    (tmp_path / "pyramid.xyz").write_text(pyramid)
    plane = "4\n\nN 0 0 0\nH 1.0 0 0\nH -0.5 0.8660254037844386 0\nH -0.5 -0.8660254037844386 0\n"
    (tmp_path / "plane.xyz").write_text(plane)
    path = tmp_path / "ammonia.toml"
    path.write_text(TWO)
    summary, _ = computed(path, tmp_path)
    assert {row.conformer for row in summary.stages["thermochemistry"].conformers} == {"pyramid"}
    (failed,) = summary.failed
    assert (failed.label, failed.verdict.code) == ("plane", Code.WRONG_CURVATURE)


def test_what_has_no_free_energy_is_refused_before_anything_is_computed(tmp_path):
    path = tmp_path / "ammonia.toml"
    path.write_text(TWO.replace("[298.15]", "[298.15, 0]"))
    with pytest.raises(InputError, match=r"thermochemistry.temperatures_k: 0 K is no temperature above 0"):
        read_input(path)
    path.write_text(TWO.replace('preoptimize = "none"', "hold_metal = true"))
    with pytest.raises(InputError, match=r"\[thermochemistry\] needs prescreen.hold_metal = false"):
        read_input(path)
