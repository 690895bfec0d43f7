"""The table of refined conformers: which family each stayed in or went into, and which Hessian it began with."""

from __future__ import annotations

from rich.console import Console

from qcdriver.report.tables.refined import refined_table
from qcdriver.workflow.refine.findings import Refined, RefinedConformer


def conformer(label, **other):
    known = {
        "kept": True,
        "gained_kcal_mol": 12.345,
        "rmsd_angstrom": 0.1234,
        "steps": 9,
        "gradients": 10,
        "scf_cycles": 80,
        "max_force_ev_angstrom": 0.004,
        "began_with_hessian": True,
        "began_as": None,
        "ended_as": None,
        "same_family": None,
    }
    return RefinedConformer(conformer=label, **{**known, **other})


def printed(*conformers, hessian="GFN1-xTB (xtb)"):
    console = Console(width=150)
    with console.capture() as text:
        console.print(refined_table(Refined(level="PBE/LANL2DZ (pyscf)", hessian=hessian, conformers=conformers)))
    return " ".join(text.get().split())


def test_a_row_says_what_a_relaxation_gained_and_cost():
    assert "E 12.35 0.123 10 80 0.0040" in printed(conformer("E"))
    assert "E 12.35 0.123 10 - 0.0040" in printed(conformer("E", scf_cycles=None))
    assert "family" not in printed(conformer("E"))


def test_families_before_and_after_are_told_and_what_is_left_out_is_marked():
    stayed = conformer("E", began_as="E, bent 1 deg", ended_as="E, bent 2 deg", same_family=True)
    bent = conformer("S", kept=False, began_as="S, straight", ended_as="S, bent 18 deg", same_family=False)
    text = printed(stayed, bent)
    assert "stayed E, bent 2 deg" in text
    assert "from S, straight to S, bent 18 deg" in text
    assert "S (left out)" in text


def test_the_title_says_which_hessian_they_began_with():
    with_it, without = conformer("E"), conformer("S", began_with_hessian=False)
    assert "begun with the Hessian of GFN1-xTB (xtb)" in printed(with_it)
    assert "Hessian of GFN1-xTB (xtb), but for S" in printed(with_it, without)
    assert "begun with a model Hessian" in printed(without)
    assert "begun with a model Hessian" in printed(without, hessian=None)
