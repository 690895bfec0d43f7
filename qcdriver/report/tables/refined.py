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
    families_known = any(conformer.ended_as for conformer in found.conformers)
    if families_known:
        table.add_column("family")
    for conformer in found.conformers:
        cells = [
            conformer.conformer if conformer.kept else f"{conformer.conformer} (left out)",
            f"{conformer.gained_kcal_mol:.2f}",
            f"{conformer.rmsd_angstrom:.3f}",
            str(conformer.gradients),
            "-" if conformer.scf_cycles is None else str(conformer.scf_cycles),
            f"{conformer.max_force_ev_angstrom:.4f}",
        ]
        table.add_row(*cells, *([_family(conformer)] if families_known else []))
    return table


def _hessian(found: Refined) -> str:
    """Say which Hessian they began with, and which of them did not have it."""
    without = [conformer.conformer for conformer in found.conformers if not conformer.began_with_hessian]
    if found.hessian is None or len(without) == len(found.conformers):
        return "a model Hessian"
    return f"the Hessian of {found.hessian}" + (f", but for {', '.join(without)}" if without else "")


def _family(conformer: RefinedConformer) -> str:
    """Say which family it stayed in, or from which it went into which."""
    if conformer.began_as is None or conformer.ended_as is None:
        return conformer.ended_as or "-"
    return (
        f"stayed {conformer.ended_as}"
        if conformer.same_family
        else f"from {conformer.began_as} to {conformer.ended_as}"
    )
