"""Which conformer is lowest is decided where two levels agree on it by more than they differ; nowhere else."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from qcdriver.models.verdicts import Code, Verdict
from qcdriver.report.sentences import ranking_lines
from qcdriver.report.tables.overview import print_summary
from qcdriver.units import KCAL_MOL
from qcdriver.workflow.findings import Conformer, Decision, Summary
from qcdriver.workflow.ranking import ranking

CU14 = {
    "GFN1": {"#26": 0.00, "#19": 0.29, "#1": 6.08, "#31": 8.25},
    "PBE": {"#26": 18.52, "#19": 18.65, "#1": 32.07, "#31": 0.00},
}
"""kcal/mol, results/kept/cu14: GFN1-xTB and PBE-D3(BJ)/LANL2DZ order these opposite."""


def conformers(levels: dict[str, dict[str, float | None]]) -> list[Conformer]:
    return [
        Conformer(
            label=label,
            isomer=label,
            level=level,
            key="0" * 32,
            energy_hartree=None if energy is None else -1000.0 * place + energy / KCAL_MOL,
            relative_energy_kcal_mol=energy,
            gap_ev=None,
            converged=energy is not None,
            reason=None,
            verdict=Verdict(label=label, key="0" * 32, kept=True, code=Code.KEPT),
            experimental_gap_ev=None,
            measured={},
            fragment_charges=None,
        )
        for place, (level, energies) in enumerate(levels.items(), start=1)
        for label, energy in energies.items()
    ]


def test_opposite_orders_leave_the_lowest_of_cu14_undecided():
    found = ranking(conformers(CU14))
    assert (found.level, found.against, found.order) == ("PBE", "GFN1", ("#31", "#26", "#19", "#1"))
    assert {found.against_lowest(label) for label in ("#26", "#19", "#1")} == {Decision.ORDERS_DIFFER}
    assert found.against_lowest("#31") is None


def test_the_scatter_is_the_root_mean_square_over_pairs_of_what_the_levels_differ_by():
    """d = 18.52, 18.36, 25.99 and -8.25: six pairs, 0.16 to 34.24 apart."""
    squares = [0.16**2, 7.47**2, 26.77**2, 7.63**2, 26.61**2, 34.24**2]
    assert ranking(conformers(CU14)).scatter_kcal_mol == pytest.approx((sum(squares) / 6) ** 0.5, abs=0.01)
    assert ranking(conformers(CU14)).n_pairs == 6


def test_a_difference_under_the_scatter_is_undecided_and_one_above_it_is_decided():
    levels = {"GFN1": {"E": 0.0, "S": 1.0, "T": 20.0}, "PBE": {"E": 0.0, "S": 3.0, "T": 21.0}}
    found = ranking(conformers(levels))
    assert found.scatter_kcal_mol == pytest.approx(((2.0**2 + 1.0**2 + 1.0**2) / 3) ** 0.5)
    assert [(pair.higher, pair.decision) for pair in found.pairs] == [
        ("S", Decision.DECIDED),
        ("T", Decision.DECIDED),
        ("T", Decision.DECIDED),
    ]
    levels["PBE"]["S"] = 0.5
    assert ranking(conformers(levels)).against_lowest("S") is Decision.UNDER_SCATTER


def test_a_constant_between_two_levels_is_no_scatter():
    levels = {"GFN1": {"E": 0.0, "S": 1.0}, "PBE": {"E": 7.0, "S": 8.0}}
    assert ranking(conformers(levels)).scatter_kcal_mol == pytest.approx(0.0, abs=1e-8)


def test_the_ranking_is_by_the_highest_level_that_all_have():
    levels = {"GFN1": {"E": 0.0, "S": 1.0, "T": 2.0}, "PBE": {"E": 4.0, "S": 0.0, "T": None}}
    found = ranking(conformers(levels))
    assert (found.level, found.against, found.order) == ("GFN1", "PBE", ("E", "S", "T"))
    assert found.against_lowest("S") is Decision.ORDERS_DIFFER
    assert found.against_lowest("T") is Decision.UNDER_SCATTER


def test_of_three_levels_the_two_highest_are_compared():
    found = ranking(conformers({**CU14, "r2SCAN": {"#26": 17.0, "#19": 18.0, "#1": 31.0, "#31": 0.0}}))
    assert (found.level, found.against) == ("r2SCAN", "PBE")
    assert found.against_lowest("#26") is Decision.DECIDED


def test_one_level_alone_decides_nothing_and_claims_nothing():
    found = ranking(conformers({"GFN1": CU14["GFN1"]}))
    assert (found.against, found.scatter_kcal_mol) == (None, None)
    assert {pair.decision for pair in found.pairs} == {Decision.ONE_LEVEL}
    assert list(ranking_lines(found)) == []
    assert ranking(conformers({"GFN1": {"E": 0.0}})) is None


def test_the_table_says_undecided_and_that_the_window_is_narrower_than_the_scatter():
    found = conformers(CU14)
    empty = dict.fromkeys(("profiles", "paths", "mirror_checks", "spreads", "dropped", "failed"), ())
    summary = Summary(
        title="Cu14", formula="Cu14", conformers=found, ranking=ranking(found, 15.0), experiment_source=None, **empty
    )
    text = io.StringIO()
    print_summary(summary, Console(width=100, file=text))
    lines = [" ".join(line.split()) for line in text.getvalue().splitlines()]
    assert "#31 0.00 lowest -" in lines
    assert "#26 18.52 undecided -" in lines
    assert "undecided: #26 +18.52 kcal/mol against #31, -8.25 there" in lines
    assert any(line.startswith("the prescreen's window_kcal_mol = 15 is narrower than that") for line in lines)
