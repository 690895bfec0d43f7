"""Crystal structures at several levels -> for each crystal a table of how well it was kept, and the means."""

from __future__ import annotations

from itertools import groupby
from statistics import fmean

from rich import box
from rich.console import Console
from rich.table import Table

from qcdriver.geometry.fidelity import BondLengths, Fidelity
from qcdriver.report.tables.profiles import number
from qcdriver.workflow.benchmark import Benchmark, CrystalTest


def print_benchmark(found: Benchmark, console: Console) -> None:
    """Print a table for every crystal, one of the means over several crystals, and what was left out."""
    for _, tests in groupby(found.tests, key=lambda test: test.crystal):
        _print_crystal(list(tests), console)
    if len({test.crystal for test in found.tests}) > 1:
        console.print(_means(found))
    for line in found.left_out:
        _say(console, f"left out: {line}")


def _print_crystal(tests: list[CrystalTest], console: Console) -> None:
    kept = [test.fidelity for test in tests if test.fidelity]
    first = tests[0]
    charge = f" {first.charge:+d}" if first.charge else ""
    table = _table(f"{first.crystal}: {first.formula}{charge}; how far each level moves it, Angstrom")
    table.add_column("level", no_wrap=True)
    for heading in ("RMSD\ncore", "RMSD\nheavy", "open", "new"):
        table.add_column(heading, justify="right")
    for bond in kept[0].bonds if kept else ():
        table.add_column(f"{'-'.join(bond.elements)}\n{bond.n} of {bond.mean_angstrom:.3f}", justify="right")
    for test in tests:
        if test.fidelity:
            table.add_row(test.level, *_cells(test.fidelity))
        else:
            table.add_row(test.level, *("-",) * (len(table.columns) - 1))
    console.print(table)
    for test in tests:
        if test.fidelity is None:
            _say(console, f"{test.level}: {test.error}")


def _cells(kept: Fidelity) -> tuple[str, ...]:
    return (
        number(kept.core_rmsd_angstrom, 3),
        number(kept.heavy_rmsd_angstrom, 3),
        str(kept.contacts_opened),
        str(kept.contacts_formed),
        *(_difference(bond) for bond in kept.bonds),
    )


def _difference(bond: BondLengths) -> str:
    return f"{bond.difference_angstrom:+.3f} ({bond.largest_angstrom:+.2f})"


def _means(found: Benchmark) -> Table:
    by_level: dict[str, dict[str, Fidelity]] = {}
    for test in found.tests:
        kept = by_level.setdefault(test.level, {})
        if test.fidelity:
            kept[test.crystal] = test.fidelity
    everywhere = sorted(set.intersection(*(set(kept) for kept in by_level.values())))
    table = _table(f"Means over the {len(everywhere)} crystals that all levels kept in one piece, Angstrom")
    table.add_column("level")
    for heading in (
        "RMSD\ncore",
        "RMSD\nheavy",
        "metal-metal\nbonds",
        "metal-ligand\nbonds",
        "crystals with\nopened contacts",
    ):
        table.add_column(heading, justify="right")
    for level, of_level in by_level.items():
        kept_here = [of_level[crystal] for crystal in everywhere]
        table.add_row(
            level,
            number(_mean([kept.core_rmsd_angstrom for kept in kept_here]), 3),
            number(_mean([kept.heavy_rmsd_angstrom for kept in kept_here]), 3),
            _signed(_mean([_mean_difference(kept, among_metals=True) for kept in kept_here])),
            _signed(_mean([_mean_difference(kept, among_metals=False) for kept in kept_here])),
            str(sum(kept.contacts_opened > 0 for kept in kept_here)),
        )
    return table


def _mean_difference(kept: Fidelity, among_metals: bool) -> float | None:
    """Average over all bonds of metals to metals, or of metals to ligands."""
    bonds = [bond for bond in kept.bonds if bond.among_metals == among_metals]
    count = sum(bond.n for bond in bonds)
    return sum(bond.n * bond.difference_angstrom for bond in bonds) / count if count else None


def _mean(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if known else None


def _signed(value: float | None) -> str:
    return "-" if value is None else f"{value:+.3f}"


def _table(title: str) -> Table:
    return Table(box=box.SIMPLE_HEAD, title=title, title_justify="left")


def _say(console: Console, line: str) -> None:
    console.print(line, markup=False, highlight=False, soft_wrap=True)
