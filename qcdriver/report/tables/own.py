"""What only one stage knows, as tables: its single values, then a table for each list of things it found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich import box
from rich.table import Table

from qcdriver.models.base import Frozen
from qcdriver.report.tables.levels import sensitivity_tables
from qcdriver.report.tables.refined import refined_table
from qcdriver.report.tables.spectra import spectrum_tables
from qcdriver.report.tables.thermochemistry import thermochemistry_tables
from qcdriver.units import time_span
from qcdriver.workflow.refine.findings import Refined
from qcdriver.workflow.sensitivity.findings import Sensitivity
from qcdriver.workflow.spectrum.findings import Spectrum
from qcdriver.workflow.thermochemistry.findings import Thermochemistry


def own_tables(stage: str, finding: Frozen) -> Iterator[Table]:
    """Make the tables of a finding from its fields, whose names say the units.

    Parameters
    ----------
    stage
        The name of the stage, for the heading.
    finding
        A field that holds a tuple of findings becomes a table with a row for each of them; the others become one table
        of two columns. Spectra, comparisons of levels, free energies and refined conformers have tables of their own.
    """
    if isinstance(finding, Spectrum):
        yield from spectrum_tables(finding)
        return
    if isinstance(finding, Sensitivity):
        yield from sensitivity_tables(finding)
        return
    if isinstance(finding, Thermochemistry):
        yield from thermochemistry_tables(finding)
        return
    if isinstance(finding, Refined):
        yield refined_table(finding)
        return
    fields = {name: getattr(finding, name) for name in type(finding).model_fields}
    lists = {name: value for name, value in fields.items() if _is_list(value)}
    if values := {name: value for name, value in fields.items() if name not in lists}:
        table = Table(box=box.SIMPLE_HEAD, title=stage, title_justify="left", show_header=False)
        for name, value in values.items():
            table.add_row(_heading(name), _cell(value, name))
        yield table
    for name, rows in lists.items():
        yield _table(f"{stage}, {_words(name)}", rows)


def _table(title: str, rows: Sequence[Frozen]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left")
    names = list(type(rows[0]).model_fields)
    for name in names:
        table.add_column(_heading(name), justify="left" if isinstance(getattr(rows[0], name), str) else "right")
    for row in rows:
        table.add_row(*(_cell(getattr(row, name), name) for name in names))
    return table


def _is_list(value: object) -> bool:
    return isinstance(value, tuple) and bool(value) and all(isinstance(item, Frozen) for item in value)


def _words(name: str) -> str:
    return name.replace("_", " ")


def _is_time(name: str) -> bool:
    """Tell whether a field is a time in seconds; what is per second is none."""
    return name.endswith("_s") and not name.endswith("_per_s")


def _heading(name: str) -> str:
    """Return the words of a name; a time is written with its unit in the cell."""
    return _words(name[:-2] if _is_time(name) else name)


def _cell(value: object, name: str = "") -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return time_span(value) if _is_time(name) else f"{value:.4g}"
    if isinstance(value, tuple):
        return ", ".join(_cell(item, name) for item in value) or "-"
    return str(value)
