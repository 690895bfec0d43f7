"""A summary -> tables for a terminal: conformers, profiles, paths, checks, and what was left out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich import box
from rich.console import Console
from rich.table import Table

from qcdriver.comparison.cu14 import Cu14Glance
from qcdriver.findings import Conformer, PathFound, Summary
from qcdriver.report.networks import print_network
from qcdriver.report.profiles import number, print_profile


def print_summary(summary: Summary, console: Console) -> None:
    """Print conformers, profiles, paths, spreads and what was dropped."""
    console.print(f"\n{summary.title}  ({summary.formula})", markup=False, highlight=False)
    for level in dict.fromkeys(each.level for each in summary.conformers):
        console.print(_conformer_table(level, [each for each in summary.conformers if each.level == level]))
    if copper := {each.label: each.cu14 for each in summary.conformers if each.cu14}:
        console.print(_cu14_table(copper))
    for table in _charge_tables(summary.conformers):
        console.print(table)
    for label, note in {each.label: each.note for each in summary.conformers if each.note}.items():
        console.print(f"* {label}: {note}", markup=False, highlight=False, soft_wrap=True)
    for profile in summary.profiles:
        print_profile(profile, console)
    for network in summary.networks[-1:]:
        print_network(network, console)
    if summary.paths:
        console.print(_path_table(summary.paths))
    for check in summary.mirror_checks:
        console.print(f"{check.label}: {check.finding} ({check.level})", markup=False, highlight=False)
    for spread in summary.spreads:
        if spread.n_starts > 1:
            console.print(
                f"{spread.isomer}: {spread.n_starts} starts relaxed tightly end {spread.kcal_mol:.2f} kcal/mol apart "
                f"({spread.level})",
                highlight=False,
            )
    judged = [each for each in summary.dropped if each.stage != "scan"]
    for heading, those in (("not carried on:", judged), ("FAILED:", summary.failed)):
        if those:
            console.print(heading, highlight=False)
        for each in those:
            console.print(f"  {each.stage} {each.label}: {each.reason}", markup=False, highlight=False, soft_wrap=True)
    if summary.experiment_source:
        console.print(
            f"measured gaps (optical, not HOMO-LUMO): {summary.experiment_source}", markup=False, highlight=False
        )


def _conformer_table(level: str, conformers: list[Conformer]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, title=f"Conformers, {level}", title_justify="left")
    table.add_column("conformer")
    measured = any(each.experimental_gap_ev is not None for each in conformers)
    rods = any(each.measures for each in conformers)
    for heading in ("dE kcal/mol", "gap eV", *(["measured eV"] * measured), *(["twist deg"] * rods)):
        table.add_column(heading, justify="right")
    if rods:
        table.add_column("belt")
    for each in conformers:
        cells = [
            f"{each.label}*" if each.note else each.label,
            number(each.relative_energy_kcal_mol, 2) if each.converged else "failed",
            number(each.gap_ev, 3),
        ]
        if measured:
            cells.append(number(each.experimental_gap_ev, 2))
        if rods:
            cells += [number(each.measures.twist_deg, 1), each.measures.belt] if each.measures else ["-", "-"]
        table.add_row(*cells)
    return table


def _cu14_table(found: dict[str, Cu14Glance]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, title="Chirality and hydrides", title_justify="left")
    table.add_column("conformer")
    table.add_column("hand")
    for heading in ("metal %", "S3 %"):
        table.add_column(heading, justify="right")
    table.add_column("symmetry, off by A", justify="right")
    table.add_column("hydrides")
    for label, each in found.items():
        deviation = f"{each.symmetry} {each.off_symmetry_angstrom:.3f}"
        table.add_row(label, each.hand, f"{each.metal_percent:.2f}", f"{each.s3_percent:.2f}", deviation, each.hydrides)
    return table


def _charge_tables(conformers: Sequence[Conformer]) -> Iterator[Table]:
    """Give a table a level of the charges of core and ligands, where the level gives them."""
    known = [each for each in conformers if each.fragment_charges]
    for level in dict.fromkeys(each.level for each in known):
        charges = {each.label: each.fragment_charges or {} for each in known if each.level == level}
        fragments = dict.fromkeys(fragment for each in charges.values() for fragment in each)
        table = Table(box=box.SIMPLE_HEAD, title=f"Hirshfeld charges, e, {level}", title_justify="left")
        table.add_column("conformer")
        for fragment in fragments:
            table.add_column(fragment, justify="right")
        for label, each in charges.items():
            table.add_row(label, *(number(each.get(fragment), 2) for fragment in fragments))
        yield table


def _path_table(paths: Sequence[PathFound]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, title=f"Interconversion, kcal/mol, {paths[0].level}", title_justify="left")
    table.add_column("path")
    for heading in ("barrier", "back", "gap at top eV"):
        table.add_column(heading, justify="right")
    table.add_column("open at the top")
    for each in paths:
        table.add_row(
            each.label,
            number(each.barrier_kcal_mol, 2),
            number(each.reverse_barrier_kcal_mol, 2),
            number(each.gap_at_top_ev, 3),
            each.note or "no bond",
        )
    return table
