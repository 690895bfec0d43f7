"""Conformers at several levels -> a table of differences and gaps by level, and what they decide in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich import box
from rich.table import Table

from qcdriver.report.sentences import sensitivity_notes
from qcdriver.report.tables.profiles import number
from qcdriver.workflow.sensitivity.findings import Sensitivity


def sensitivity_tables(found: Sensitivity) -> Iterator[Table]:
    """Make the table of all levels, with how far each column spreads, and the notes."""
    reference, *others = found.conformers
    title = f"By level, at the same geometries: kcal/mol above {reference}, and gaps" if others else "Gaps by level"
    table = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left")
    table.add_column("level")
    for heading in (*others, *(f"gap {label} eV" for label in found.conformers)):
        table.add_column(heading, justify="right")
    for level in found.levels:
        energies = [number(energy, 2) for energy in level.energies_kcal_mol[1:]]
        table.add_row(level.level, *energies, *(number(gap, 2) for gap in level.gaps_ev))
    table.add_section()
    spreads = [
        _spread([level.energies_kcal_mol[place] for level in found.levels]) for place in range(1, len(others) + 1)
    ]
    spreads += [_spread([level.gaps_ev[place] for level in found.levels]) for place in range(len(found.conformers))]
    table.add_row("from .. to", *spreads)
    yield table
    if found.differences:
        notes = Table(box=box.SIMPLE_HEAD, show_header=False)
        for line in sensitivity_notes(found):
            notes.add_row(line)
        yield notes


def _spread(values: Sequence[float | None]) -> str:
    known = [value for value in values if value is not None]
    return f"{number(min(known), 2)} .. {number(max(known), 2)}" if len(known) > 1 else "-"
