"""Relaxations at the level of the single points -> a table of what each gained and cost, and the family it ended in."""

from __future__ import annotations

from rich import box
from rich.table import Table

from qcdriver.workflow.refine.findings import Refined, RefinedConformer


def refined_table(found: Refined) -> Table:
    """Make the table; a column that is empty for all is left out."""
    title = f"Relaxed freely, {found.level}, begun with {_hessian(found)}"
    table = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left")
    table.add_column("conformer")
    for heading in ("gained\nkcal/mol", "RMSD\nA", "gradients", "cycles", "force\neV/A"):
        table.add_column(heading, justify="right")
    families_known = any(each.ended_as for each in found.conformers)
    if families_known:
        table.add_column("family")
    for each in found.conformers:
        cells = [
            each.conformer if each.kept else f"{each.conformer} (left out)",
            f"{each.gained_kcal_mol:.2f}",
            f"{each.rmsd_angstrom:.3f}",
            str(each.gradients),
            "-" if each.scf_cycles is None else str(each.scf_cycles),
            f"{each.max_force_ev_angstrom:.4f}",
        ]
        table.add_row(*cells, *([_family(each)] if families_known else []))
    return table


def _hessian(found: Refined) -> str:
    """Say which Hessian they began with, and which of them did not have it."""
    without = [each.conformer for each in found.conformers if not each.began_with_hessian]
    if found.hessian is None or len(without) == len(found.conformers):
        return "a model Hessian"
    return f"the Hessian of {found.hessian}" + (f", but for {', '.join(without)}" if without else "")


def _family(each: RefinedConformer) -> str:
    """Say which family it stayed in, or from which it went into which."""
    if each.began_as is None or each.ended_as is None:
        return each.ended_as or "-"
    return f"stayed {each.ended_as}" if each.same_family else f"from {each.began_as} to {each.ended_as}"
