"""A table for the terminal -> the same table as text for the page, so that what one shows the other does."""

from __future__ import annotations

import re
from collections.abc import Mapping

from rich.table import Table

from qcdriver.report.page.model import Column, Kind, PlainTable

_MARKS = "*!? "
"""What the table of conformers puts behind a name."""
_NUMBER = re.compile(r"[<>~]?\s*[-+]?\d[\d.]*(e[-+]?\d+)?\s*%?")


def plain(table: Table, structures: Mapping[str, int] | None = None, measured: str | None = None) -> PlainTable:
    """Copy a table.

    Parameters
    ----------
    structures
        The structure of a row, by what its first cell says but for marks.
    measured
        The heading of a column of measured values.
    """
    cells = [[str(cell) for cell in column.cells] for column in table.columns]
    rows = tuple(zip(*cells, strict=True))
    known = structures or {}
    found = tuple(known.get(row[0], known.get(row[0].rstrip(_MARKS))) for row in rows) if known else ()
    columns = [
        Column(heading=" ".join(str(column.header).split()), kind=_kind(str(column.header), texts, measured))
        for column, texts in zip(table.columns, cells, strict=True)
    ]
    return PlainTable(title=str(table.title or ""), columns=tuple(columns), rows=rows, structures=found)


def _kind(heading: str, cells: list[str], measured: str | None) -> Kind:
    if heading == measured:
        return "measured"
    known = [cell for cell in cells if cell not in ("-", "")]
    return "number" if known and all(_NUMBER.fullmatch(cell) for cell in known) else "text"
