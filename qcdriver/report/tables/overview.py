"""A summary -> tables for a terminal: conformers, profiles, paths, checks, and what was left out."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from qcdriver.models.base import Frozen
from qcdriver.models.verdicts import Purpose
from qcdriver.report.sentences import conversion_lines, ranking_lines, representative_line, sentence
from qcdriver.report.tables.dropped import by_reason, folded_lines
from qcdriver.report.tables.networks import print_network
from qcdriver.report.tables.own import own_tables
from qcdriver.report.tables.profiles import number, print_profile
from qcdriver.systems.base import Family
from qcdriver.systems.registry import families
from qcdriver.units import KCAL_MOL, KELVIN
from qcdriver.workflow.findings import Conformer, Findings, PathFound, Ranking, Summary

MEASURED = "measured\neV"
"""The heading of what an experiment gave."""


_WEIGHTS = "weight: Boltzmann's at 298.15 K by the energies alone, without free energies"
_NO_WEIGHTS = "no Boltzmann weights: the levels do not decide what lies lowest"
_RT_KCAL_MOL = 298.15 / KELVIN * KCAL_MOL


def print_summary(summary: Summary, console: Console, everything: bool = False) -> None:
    """Print conformers, profiles, paths, spreads and what was dropped: by reason, or `everything` with its own."""
    console.print(f"\n{summary.title}  ({summary.formula})", markup=False, highlight=False)
    for level in dict.fromkeys(conformer.level for conformer in summary.conformers):
        at_level = [conformer for conformer in summary.conformers if conformer.level == level]
        console.print(conformer_table(level, at_level, summary.ranking))
    for line in order_and_representatives(summary):
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    for family in families().values():
        found = {
            conformer.label: conformer.measured[family.name]
            for conformer in summary.conformers
            if family.name in conformer.measured
        }
        if found and family.conformer_title:
            console.print(family_table(family, found))
    for table in charge_tables(summary.conformers):
        console.print(table)
    for label, note in {
        conformer.label: note for conformer in summary.conformers if (note := sentence(conformer.verdict))
    }.items():
        console.print(f"* {label}: {note}", markup=False, highlight=False, soft_wrap=True)
    for conformer in summary.conformers:
        for warning in conformer.warnings:
            line = f"! {conformer.label}, {conformer.level}: {warning.sentence}"
            console.print(line, markup=False, highlight=False, soft_wrap=True)
    for profile in summary.profiles:
        print_profile(profile, console)
    for network in summary.networks[-1:]:
        print_network(network, console)
    if summary.paths:
        console.print(path_table(summary.paths))
    for name, finding in summary.stages.items():
        for table in own_tables(name, finding):
            console.print(table)
    for check in summary.mirror_checks:
        console.print(f"{check.label}: {sentence(check.verdict)} ({check.level})", markup=False, highlight=False)
    for spread in summary.spreads:
        if spread.n_starts > 1:
            console.print(
                f"{spread.isomer}: {spread.n_starts} starts relaxed tightly end {spread.kcal_mol:.2f} kcal/mol apart "
                f"({spread.level})",
                highlight=False,
            )
    for conversion in summary.conversions:
        for line in conversion_lines(conversion):
            console.print(line, markup=False, highlight=False, soft_wrap=True)
    # The attempts at a point of a scan that were not the lowest are its way, not its result.
    dropped = [item for item in summary.dropped if item.verdict.purpose is not Purpose.SCAN_POINT]
    failed = [line for group in by_reason(summary.failed) for line in group.lines]
    groups = by_reason(dropped)
    known = [f"  {line}" for group in groups for line in group.lines] if everything else list(folded_lines(groups))
    lines = [f"not carried on: {len(dropped)}", *known] if dropped else []
    if len(known) < len(dropped):
        lines[0] += " (report --all lists them)"
    lines += ["FAILED:", *(f"  {line}" for line in failed)] if failed else []
    for line in lines:
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    if summary.experiment_source:
        gaps = any(conformer.experimental_gap_ev is not None for conformer in summary.conformers)
        what = "measured gaps (optical, not HOMO-LUMO)" if gaps else "measured"
        console.print(f"{what}: {summary.experiment_source}", markup=False, highlight=False)


def print_findings(found: Findings, ranking: Ranking | None, console: Console) -> None:
    """Print the tables of what one stage found: conformers, profiles, paths."""
    for level in dict.fromkeys(conformer.level for conformer in found.conformers):
        at_level = [conformer for conformer in found.conformers if conformer.level == level]
        console.print(conformer_table(level, at_level, ranking))
    for profile in found.profiles:
        print_profile(profile, console)
    if found.paths:
        console.print(path_table(found.paths))


def order_and_representatives(summary: Summary) -> Iterator[str]:
    """Say how far the order of the conformers is decided, and what stands for an isomer whose lowest is deformed."""
    if summary.ranking:
        yield _WEIGHTS if _is_decided(summary.ranking) else _NO_WEIGHTS
        yield from ranking_lines(summary.ranking)
    lines = map(representative_line, summary.representatives)
    yield from (line for line in lines if line is not None)


def conformer_tables(summary: Summary) -> Iterator[Table]:
    """Give the tables of the conformers: of each level, of each family that has its own, of charges."""
    for level in dict.fromkeys(conformer.level for conformer in summary.conformers):
        at_level = [conformer for conformer in summary.conformers if conformer.level == level]
        yield conformer_table(level, at_level, summary.ranking)
    for family in families().values():
        found = {one.label: one.measured[family.name] for one in summary.conformers if family.name in one.measured}
        if found and family.conformer_title:
            yield family_table(family, found)
    yield from charge_tables(summary.conformers)


def conformer_table(level: str, conformers: Sequence[Conformer], ranking: Ranking | None) -> Table:
    """Make the table of the conformers of one level, with how far their order is decided."""
    refined = any(conformer.verdict.purpose is Purpose.REFINEMENT for conformer in conformers)
    title = f"Conformers, {level}" + ", geometries relaxed at this level" * refined
    table = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left")
    table.add_column("conformer")
    ranked = ranking is not None and ranking.level == level and ranking.against is not None
    measured = any(conformer.experimental_gap_ev is not None for conformer in conformers)
    weights = boltzmann_percent(conformers) if ranking and ranking.level == level and _is_decided(ranking) else {}
    table.add_column("dE\nkcal/mol", justify="right")
    if weights:
        table.add_column("weight\n%", justify="right")
    if ranked:
        table.add_column("order", no_wrap=True)
    model = next((conformer.gap_of for conformer in conformers if conformer.gap_of), None)
    gap = "gap\neV" if model is None else f"gap eV of\n{model}"
    for heading in (gap, *([MEASURED] * measured)):
        table.add_column(heading, justify="right")
    columns = [
        (name, column)
        for name, family in families().items()
        if family.conformer_title is None and any(name in conformer.measured for conformer in conformers)
        for column in family.conformer_columns
    ]
    for _, column in columns:
        table.add_column(column.heading, justify=column.justify)
    families_known = any(conformer.family for conformer in conformers)
    if families_known:
        table.add_column("family")
    for conformer in _by_family(conformers):
        cells = [
            f"{conformer.label}{'*' * bool(conformer.verdict.notes)}{'!' * bool(conformer.warnings)}",
            number(conformer.relative_energy_kcal_mol, 2) if conformer.converged else "failed",
            *([number(weights.get(conformer.label), 1)] if weights else []),
            *([_decision(conformer.label, ranking)] if ranking and ranked else []),
            number(conformer.gap_ev, 3),
        ]
        if measured:
            cells.append(number(conformer.experimental_gap_ev, 2))
        cells += [
            column.cell(conformer.measured[name]) if name in conformer.measured else "-" for name, column in columns
        ]
        if families_known:
            cells.append(str(conformer.family) if conformer.family else "-")
        table.add_row(*cells)
    return table


def boltzmann_percent(conformers: Sequence[Conformer]) -> dict[str, float]:
    """Return the Boltzmann weights of conformers of one level at 298.15 K by their energies alone, in percent.

    A conformer is counted once, whether or not it has a mirror image; a single one has no weight.
    """
    known = {
        conformer.label: conformer.relative_energy_kcal_mol
        for conformer in conformers
        if conformer.relative_energy_kcal_mol is not None
    }
    if len(known) < 2:
        return {}
    parts = {label: math.exp(-energy / _RT_KCAL_MOL) for label, energy in known.items()}
    return {label: 100 * part / sum(parts.values()) for label, part in parts.items()}


def _is_decided(ranking: Ranking) -> bool:
    """Tell whether no two levels leave open that a conformer lies above the lowest."""
    decisions = [ranking.against_lowest(label) for label in ranking.order]
    return not any(decision and decision.is_open for decision in decisions)


def _decision(label: str, ranking: Ranking) -> str:
    """Say whether it is decided that a conformer lies above the lowest."""
    decision = ranking.against_lowest(label)
    if decision is None:
        return "lowest"
    return "undecided" if decision.is_open else "decided"


def _by_family(conformers: Sequence[Conformer]) -> list[Conformer]:
    """Put the conformers of one level in order: families by their lowest, in each by energy; what failed last."""

    def energy(conformer: Conformer) -> float:
        return math.inf if conformer.energy_hartree is None else conformer.energy_hartree

    lowest: dict[tuple[str, ...], float] = {}
    for one in conformers:
        words = one.family.words if one.family else ()
        lowest[words] = min(lowest.get(words, math.inf), energy(one))
    return sorted(
        conformers,
        key=lambda conformer: (lowest[conformer.family.words if conformer.family else ()], energy(conformer)),
    )


def family_table(family: Family[Any], found: Mapping[str, Frozen]) -> Table:
    """Make the table that a cluster family has of its own; `found`: what it says about each conformer, by label."""
    table = Table(box=box.SIMPLE_HEAD, title=family.conformer_title, title_justify="left")
    table.add_column("conformer")
    for column in family.conformer_columns:
        table.add_column(column.heading, justify=column.justify)
    for label, measures in found.items():
        table.add_row(label, *(column.cell(measures) for column in family.conformer_columns))
    return table


def charge_tables(conformers: Sequence[Conformer]) -> Iterator[Table]:
    """Give a table a level of the charges of core and ligands, where the level gives them."""
    known = [conformer for conformer in conformers if conformer.fragment_charges]
    for level in dict.fromkeys(conformer.level for conformer in known):
        charges = {conformer.label: conformer.fragment_charges or {} for conformer in known if conformer.level == level}
        fragments = dict.fromkeys(fragment for charge in charges.values() for fragment in charge)
        table = Table(box=box.SIMPLE_HEAD, title=f"Hirshfeld charges, e, {level}", title_justify="left")
        table.add_column("conformer")
        for fragment in fragments:
            table.add_column(fragment, justify="right")
        for label, charge in charges.items():
            table.add_row(label, *(number(charge.get(fragment), 2) for fragment in fragments))
        yield table


def path_table(paths: Sequence[PathFound]) -> Table:
    """Make the table of the paths between conformers."""
    table = Table(box=box.SIMPLE_HEAD, title=f"Interconversion, kcal/mol, {paths[0].level}", title_justify="left")
    table.add_column("path")
    for heading in ("barrier", "back", "gap at top eV"):
        table.add_column(heading, justify="right")
    table.add_column("open at the top")
    for path in paths:
        table.add_row(
            path.label,
            number(path.barrier_kcal_mol, 2),
            number(path.reverse_barrier_kcal_mol, 2),
            number(path.gap_at_top_ev, 3),
            sentence(path.verdict) or "no bond",
        )
    return table
