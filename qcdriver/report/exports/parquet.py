"""Records -> Parquet, the columns of the CSV with their types, for pandas, polars, DuckDB and others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import get_args

from qcdriver.errors import MissingError
from qcdriver.models.records import TaskRecord
from qcdriver.report.exports.rows import Row, row

_BATCH = 1000
"""Rows that are held in memory at a time."""


def write_parquet(records: Iterable[TaskRecord], path: Path) -> int:
    """Write one row a record, with the columns of `Row`; what is unknown is null. Return how many.

    Raises
    ------
    MissingError
        pyarrow is not installed.
    """
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise MissingError("--export parquet needs pyarrow: pip install 'qcdriver[parquet]'") from None
    types = {str: pyarrow.string(), float: pyarrow.float64(), int: pyarrow.int64()}
    schema = pyarrow.schema(
        [
            (name, types[(get_args(field.annotation) or (field.annotation,))[0]])
            for name, field in Row.model_fields.items()
        ]
    )
    written = 0
    with parquet.ParquetWriter(path, schema) as file:
        for rows in _batches(records):
            file.write_table(pyarrow.Table.from_pylist([found.model_dump() for found in rows], schema=schema))
            written += len(rows)
    return written


def _batches(records: Iterable[TaskRecord]) -> Iterator[list[Row]]:
    rows = map(row, records)
    while batch := list(islice(rows, _BATCH)):
        yield batch
