"""Populations against temperature: two species in closed form, and a run whose two levels make the bands."""

from __future__ import annotations

import math

import pytest

from qcdriver.engines import find
from qcdriver.errors import InputError
from qcdriver.execution.driver import run_input
from qcdriver.execution.progress import Display
from qcdriver.report.sentences import population_notes
from qcdriver.report.show import show
from qcdriver.units import KCAL_MOL, KELVIN
from qcdriver.workflow.input import read_input
from qcdriver.workflow.open_run import open_run
from qcdriver.workflow.thermochemistry.boltzmann import equal_at, percent_at, together
from qcdriver.workflow.thermochemistry.findings import AtTemperature, EqualPopulations, Populations

GAS_CONSTANT = 8.314462618 / 4184
"""kcal/(mol K)."""
RANGE = [float(temperature) for temperature in range(200, 401, 5)]


def costly_and_free(enthalpy_kcal_mol, entropy_cal_mol_k):
    """Two species; the second costs enthalpy and gains entropy."""
    return (
        lambda temperature: 0.0,
        lambda temperature: (enthalpy_kcal_mol - temperature * entropy_cal_mol_k / 1000) / KCAL_MOL,
    )


def test_populations_are_boltzmanns_and_a_band_moves_one_energy_alone():
    species = costly_and_free(2.0, 5.0)
    for moved_kcal_mol in (0.0, 0.7, -0.7):
        found = percent_at(300.0, species, moved_kcal_mol / KCAL_MOL)
        for own, other, percent in ((0.0, 0.5, found[0]), (0.5, 0.0, found[1])):
            boltzmann = math.exp(-(own + moved_kcal_mol - other) / (GAS_CONSTANT * 300))
            assert percent == pytest.approx(100 * boltzmann / (1 + boltzmann), rel=1e-6)
    assert sum(percent_at(300.0, species)) == pytest.approx(100)


def test_two_species_are_equal_where_enthalpy_over_entropy_says():
    cold, warm = costly_and_free(1.7, 5.0)
    assert equal_at(lambda t: warm(t) - cold(t), RANGE) == pytest.approx(340.0, abs=0.02)
    moved = equal_at(lambda t: warm(t) - cold(t), RANGE, 0.25 / KCAL_MOL)
    assert moved == pytest.approx((1.7 + 0.25) / 0.005, abs=0.02)
    assert equal_at(lambda t: warm(t) - cold(t), RANGE, 1.0 / KCAL_MOL) is None


def test_structures_that_count_as_one_add_their_factors():
    whole = together([(lambda t: 0.001, 2), (lambda t: 0.002, 1)])
    kt = 250.0 / KELVIN
    assert math.exp(-whole(250.0) / kt) == pytest.approx(2 * math.exp(-0.001 / kt) + math.exp(-0.002 / kt))


def found(**changed):
    equal = {
        "cold": "E",
        "warm": "S",
        "temperature_k": 340.0,
        "lowest_k": 300.0,
        "highest_k": 380.0,
        "measured_k": 352.75,
        "by": "DSC",
        "apart_kcal_mol": (-0.06,),
    }
    row = AtTemperature(temperature_k=200, percent=(60, 40), lowest_percent=None, highest_percent=None)
    return Populations(
        energies_of="PBE",
        against="GFN1",
        scatter_kcal_mol=0.2,
        species=("E", "S"),
        left_out=(),
        temperatures=(row, row.model_copy(update={"temperature_k": 400.0})),
        equal=(EqualPopulations(**{**equal, **changed}),),
    )


@pytest.mark.parametrize(
    ("changed", "line"),
    [
        (
            {},
            "E and S are equally populated at 66.9 C (26.9 C to 106.9 C by the scatter of the levels); "
            "measured 79.6 C, DSC: computed 13 K lower",
        ),
        (
            {"temperature_k": None, "apart_kcal_mol": (1.5,)},
            "E has more than S from 200 to 400 K; measured 79.6 C, DSC, "
            "where its computed free energy is 1.50 kcal/mol lower",
        ),
        (
            {"temperature_k": None, "measured_k": None, "apart_kcal_mol": (2.5, 1.5)},
            "E has more than S from 200 to 400 K: its free energy is lower by 1.50 to 2.50 kcal/mol",
        ),
    ],
)
def test_a_temperature_of_equal_populations_is_said_beside_the_measured_one(changed, line):
    assert population_notes(found(**changed), "GFN1")[-1] == line


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
[dft]
method = "PBE"
basis = "STO-3G"
device = "cpu"
[thermochemistry]
temperatures_k = [300]
populations = { from_k = 200, to_k = 402, step_k = 50 }
[experiment]
source = "nobody"
[[experiment.transition]]
between = ["trans", "cis"]
temperature_c = 79.6
[resources]
threads = 1
"""


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    for engine in ("tblite", "pyscf"):
        if missing := find(engine).missing():
            pytest.skip(missing)
    folder = tmp_path_factory.mktemp("populations")
    (folder / "trans.xyz").write_text("4\n\nN 0 0 0\nO 1.17 0 0\nO -0.62 1.28 0\nH -1.58 1.09 0\n")
    (folder / "cis.xyz").write_text("4\n\nN 0 0 0\nO 1.18 0 0\nO -0.60 1.25 0\nH 0.10 1.93 0\n")
    (folder / "hono.toml").write_text(INPUT)
    run = open_run(read_input(folder / "hono.toml"), folder / "hono.toml", folder)
    with Display() as display:
        summary, _ = run_input(run, None, None, display)
    return run, summary


def test_energies_are_of_the_level_that_ranks_and_bands_of_the_scatter_it_has(finished):
    _, summary = finished
    curve = summary.stages["thermochemistry"].populations
    ranking = summary.ranking
    assert (curve.energies_of, curve.against) == (ranking.level, ranking.against)
    assert curve.scatter_kcal_mol == ranking.scatter_kcal_mol
    assert [row.temperature_k for row in curve.temperatures] == [200, 250, 300, 350, 400, 402]
    of_dft = {each.label: each.relative_energy_kcal_mol for each in summary.conformers if each.level == ranking.level}
    thermal = {
        each.conformer: each.gibbs_kcal_mol - each.energy_kcal_mol
        for each in summary.stages["thermochemistry"].conformers
    }
    cis, trans = (of_dft[label] + thermal[label] for label in ("cis", "trans"))
    row = next(row for row in curve.temperatures if row.temperature_k == 300)
    place = curve.species.index("trans")
    for moved, percent in (
        (0.0, row.percent),
        (curve.scatter_kcal_mol, row.lowest_percent),
        (-curve.scatter_kcal_mol, row.highest_percent),
    ):
        factor = math.exp(-(trans + moved - cis) / (GAS_CONSTANT * 300))
        assert percent[place] == pytest.approx(100 * factor / (1 + factor), rel=1e-5)


def test_the_measured_transition_stands_beside_and_a_picture_is_drawn(finished, capsys):
    run, summary = finished
    (equal,) = summary.stages["thermochemistry"].populations.equal
    assert equal.measured_k == pytest.approx(352.75)
    assert len(equal.apart_kcal_mol) == 1
    show(run, summary)
    assert "Populations against temperature, %" in capsys.readouterr().out
    assert (run.directory / "populations.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (("from_k = 200, to_k = 402", "from_k = 402, to_k = 402"), "from 402 to 402 K there is no temperature"),
        (("from_k = 200", "from_k = 0"), "populations.from_k"),
        (("step_k = 50", "step_k = 0.01"), "makes more than 1000 temperatures"),
        (('["trans", "cis"]', '["trans", "S"]'), "experiment.transition: 'S' is no isomer; there are trans, cis"),
        (('["trans", "cis"]', '["cis", "cis"]'), "two isomers belong here, not cis twice"),
        (("79.6", "-300"), "experiment.transition.0.temperature_c"),
    ],
)
def test_a_range_or_a_measured_transition_that_is_none_is_refused(tmp_path, change, line):
    path = tmp_path / "hono.toml"
    path.write_text(INPUT.replace(*change))
    with pytest.raises(InputError, match=line) as refused:
        read_input(path)
    assert "\n" not in str(refused.value)
