"""Records -> what other programs read, one record after another, so that memory stays flat.

========  ================================================================  ==========
format    what                                                              module
========  ================================================================  ==========
json      whole records, one JSON object a line                             here
csv       one row a record: stage, label, level, energy, gap, error         rows
xyz       the geometries as extended XYZ, with label, level and energy      atoms
ase       an ASE database, for `ase db` and `ase.db.connect`                atoms
qcschema  MolSSI's QCSchema, version 1, one AtomicResult a line             qcschema
cube      HOMO and LUMO of single points whose orbitals were kept           cubes
========  ================================================================  ==========
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Literal, NamedTuple, TextIO

from qcdriver.errors import InputError
from qcdriver.export.atoms import write_ase, write_xyz
from qcdriver.export.cubes import write_cubes
from qcdriver.export.qcschema import write_qcschema
from qcdriver.export.rows import table, write_csv
from qcdriver.schema import TaskRecord

__all__ = ["Exported", "Format", "export", "table", "write_cubes"]

Format = Literal["json", "csv", "xyz", "ase", "qcschema"]


def write_json(records: Iterable[TaskRecord], file: TextIO) -> int:
    """Write whole records, one a line; give how many."""
    written = 0
    for written, record in enumerate(records, start=1):  # noqa: B007
        file.write(record.model_dump_json() + "\n")
    return written


_TEXT: dict[str, Callable[[Iterable[TaskRecord], TextIO], int]] = {
    "json": write_json,
    "csv": write_csv,
    "xyz": write_xyz,
    "qcschema": write_qcschema,
}


class Exported(NamedTuple):
    """How many records were written, and how many have nothing to write in that format."""

    written: int
    left_out: int


def export(records: Iterable[TaskRecord], form: Format, output: Path | None) -> Exported:
    """Write records to a new file, or to standard output.

    Raises
    ------
    InputError
        The file is there already or cannot be written, or an ASE database was asked for without naming a file.
    """
    if form == "ase" and output is None:
        raise InputError("--export ase: an ASE database needs a file: -o NAME.db")
    given = 0

    def counted() -> Iterator[TaskRecord]:
        nonlocal given
        for record in records:
            given += 1
            yield record

    try:
        with output.open("x", encoding="utf-8") if output else nullcontext(sys.stdout) as file:
            written = write_ase(counted(), output) if form == "ase" and output else _TEXT[form](counted(), file)
    except FileExistsError:
        raise InputError(f"{output}: is there already; name a new file") from None
    except (FileNotFoundError, PermissionError) as error:
        raise InputError(f"{error.filename}: cannot be written ({error.strerror})") from None
    return Exported(written, given - written)
