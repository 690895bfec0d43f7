"""The tables of a comparison of conformers, for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from rich import box
from rich.console import Console
from rich.table import Table

from qcdriver.systems.comparison.compare import Comparison, Fit
from qcdriver.systems.comparison.orbits import AngleRow, BondRow
from qcdriver.systems.registry import families

SHOWN_ANGLES = 12
_FIRST_COLUMN = 30
_LAST_COLUMNS = 14
_NARROWEST = 6


def print_comparison(comparison: Comparison, console: Console) -> None:
    """Print what is the same, then chirality, symmetry, bonds and angles."""
    _say(console, f"\n{comparison.formula}, charge {comparison.molecular_charge:+d}, {comparison.natoms} atoms")
    if comparison.fits:
        console.print(_fits(comparison))
    for conformer in comparison.conformers:
        for word, other in (("the same as", conformer.same_as), ("the mirror image of", conformer.mirror_image_of)):
            if other:
                rmsd = _rmsd(comparison, conformer.label, other)
                _say(console, f"{conformer.label} is {word} {other}, RMSD {rmsd:.3f} Angstrom")
    for part in _parts(comparison, console.width):
        console.print(_measures(comparison, part))
    _say(
        console, "chirality: Petitjean's index, 0 for an achiral set, the same for both hands; the sign is a convention"
    )
    for part in _parts(comparison, console.width):
        console.print(_bonds(comparison, part))
    if any(row.mean_angstrom and any(row.long) for row in comparison.bonds):
        _say(console, "* Cu-Cu over 2.88 Angstrom")
    for name, family in families().items():
        if family.site_note and name in comparison.conformers[0].measured:
            _say(console, family.site_note)
    changing = sorted(comparison.angles, key=lambda row: -(row.difference_deg or 0.0))[:SHOWN_ANGLES]
    if len(comparison.conformers) > 1:
        for part in _parts(comparison, console.width):
            console.print(_angles(comparison, changing, part))
    _say(console, f"all {len(comparison.angles)} angles, every atom and deviation: --json")


def _say(console: Console, line: str) -> None:
    console.print(line, markup=False, highlight=False, soft_wrap=True)


def _parts(comparison: Comparison, width: int) -> Iterator[range]:
    """Give as many conformers at a time as fit beside each other."""
    column = max(_NARROWEST, *(len(conformer.label) for conformer in comparison.conformers)) + 2
    at_once = max(1, (width - _FIRST_COLUMN - _LAST_COLUMNS) // column)
    count = len(comparison.conformers)
    return (range(start, min(start + at_once, count)) for start in range(0, count, at_once))


def _rmsd(comparison: Comparison, label: str, other: str) -> float:
    (fit,) = (fit for fit in comparison.fits if (fit.label, fit.on) == (label, other))
    return fit.rmsd_angstrom if fit.verdict == "same" else fit.mirrored_rmsd_angstrom


def _fits(comparison: Comparison) -> Table:
    table = Table(box=box.SIMPLE_HEAD, title="RMSD, Angstrom: as it is | inverted", title_justify="left")
    for heading in ("", "hand", "on"):
        table.add_column(heading, overflow="fold")
    for heading in ("core", "core inv.", "all", "all inv."):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("relation", overflow="fold")
    first = comparison.conformers[0]
    table.add_row(first.label, first.hand or "-", *["-"] * 5, "")
    hands = {conformer.label: conformer.hand for conformer in comparison.conformers}
    for fit in comparison.fits:
        numbers = (
            fit.core_rmsd_angstrom,
            fit.mirrored_core_rmsd_angstrom,
            fit.rmsd_angstrom,
            fit.mirrored_rmsd_angstrom,
        )
        table.add_row(
            fit.label, hands[fit.label] or "-", fit.on, *(f"{value:.3f}" for value in numbers), _relation(fit)
        )
    return table


def _relation(fit: Fit) -> str:
    if fit.verdict:
        return fit.verdict
    return {None: "no hand", True: "opposite hand", False: "same hand"}[fit.opposite_hand]


def _measures(comparison: Comparison, part: range) -> Table:
    """Tabulate one number a conformer: chirality, the test of the symmetry, and the measures of a known cluster."""
    conformers = [comparison.conformers[k] for k in part]
    table = _table("", comparison, part)
    for of_part in zip(*(conformer.chirality for conformer in conformers), strict=True):
        numbers = (f"{chirality.hand or ''}{100 * chirality.chiral_index:.3f}" for chirality in of_part)
        table.add_row(f"chirality {of_part[0].part}, %", *numbers)
    if comparison.axis_order > 1:
        name = comparison.symmetry
        table.add_row(
            f"off {name}, bonds, A", *(f"{conformer.bond_deviation_angstrom:.3f}" for conformer in conformers)
        )
        table.add_row(f"off {name}, angles, deg", *(f"{conformer.angle_deviation_deg:.2f}" for conformer in conformers))
    for name, family in families().items():
        if all(name in conformer.measured for conformer in conformers):
            for row in family.comparison_rows:
                table.add_row(row.heading, *(row.cell(conformer.measured[name]) for conformer in conformers))
    return table


def _bonds(comparison: Comparison, part: range) -> Table:
    several = len(comparison.conformers) > 1
    title = f"Bonds, Angstrom, orbits of {comparison.symmetry}"
    table = _table(title, comparison, part, "n", *(["diff."] if several else []))
    for group, rows in groupby(comparison.bonds, key=lambda row: row.group):
        table.add_row(f"[bold]{group}[/bold]")
        for row in rows:
            lengths = [
                "-" if (mean := row.mean_angstrom[k]) is None else f"{mean:.3f}{'*' if row.long[k] else ' '}"
                for k in part
            ]
            table.add_row(
                f" {row.name}", *lengths, _counts(row, part), *([_number(row.difference_angstrom, 3)] * several)
            )
    return table


def _counts(row: BondRow, part: range) -> str:
    return "/".join(str(count) for count in dict.fromkeys(row.counts[k] for k in part))


def _angles(comparison: Comparison, rows: Sequence[AngleRow], part: range) -> Table:
    title = f"Angles that differ most, deg, orbits of {comparison.symmetry}"
    table = _table(title, comparison, part, "n", "diff.")
    for group in dict.fromkeys(row.group for row in rows):
        table.add_row(f"[bold]{group}[/bold]")
        for row in (row for row in rows if row.group == group):
            angles = [f"{row.mean_deg[k]:.1f}" for k in part]
            table.add_row(f" {row.name}", *angles, str(len(row.atoms)), _number(row.difference_deg, 1))
    return table


def _table(title: str, comparison: Comparison, part: range, *more: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, title=title or None, title_justify="left")
    table.add_column("", overflow="fold")
    for heading in (*(comparison.conformers[k].label for k in part), *more):
        table.add_column(heading, justify="right", no_wrap=True)
    return table


def _number(value: float | None, decimals: int) -> str:
    return "-" if value is None else f"{value:.{decimals}f}"
