"""Records as other programs read them, written one after another, so that memory stays flat.

A format is one line in `EXPORTS`, or an entry point of another package in the group "qcdriver.exports".

========  ================================================================  ==========
format    what                                                              module
========  ================================================================  ==========
json      whole records, one JSON object a line                             here
csv       one row a record: stage, label, level, energy, gap, error         rows
xyz       the geometries as extended XYZ, with label, level and energy      ase
ase       an ASE database, for `ase db` and `ase.db.connect`                ase
qcschema  MolSSI's QCSchema, version 1, one AtomicResult a line             qcschema
parquet   the columns of csv, typed; needs pyarrow                          parquet
qcschema2 the same as qcschema, version 2                                   qcschema
cube      HOMO and LUMO of single points whose orbitals were kept           orbitals
molden    all orbitals of such single points                                orbitals
========  ================================================================  ==========
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TextIO

from qcdriver.errors import InputError
from qcdriver.models.records import TaskRecord
from qcdriver.plugins import with_plugins
from qcdriver.report.exports.ase import write_ase, write_xyz
from qcdriver.report.exports.orbitals import write_orbitals
from qcdriver.report.exports.parquet import write_parquet
from qcdriver.report.exports.qcschema import write_qcschema, write_qcschema2
from qcdriver.report.exports.rows import table, write_csv
from qcdriver.store.files import whole_file
from qcdriver.store.record_lines import to_line

__all__ = ["Export", "Exported", "export", "exports", "table", "write_orbitals"]


@dataclass(frozen=True)
class Export:
    """A format.

    Attributes
    ----------
    name
        The word after `--export`.
    write
        Writes records into an open text file, or to a path, and returns how many had something to write.
    to_path
        Whether it takes a path, so that it cannot write to standard output.
    """

    name: str
    write: Callable[[Iterable[TaskRecord], Any], int]
    to_path: bool = False


def write_json(records: Iterable[TaskRecord], file: TextIO) -> int:
    """Write whole records as `records.jsonl` holds them, one a line with its checksum; return how many."""
    written = 0
    for written, record in enumerate(records, start=1):  # noqa: B007
        file.write(to_line(record).decode())
    return written


EXPORTS = (
    Export("json", write_json),
    Export("csv", write_csv),
    Export("xyz", write_xyz),
    Export("ase", write_ase, to_path=True),
    Export("qcschema", write_qcschema),
    Export("qcschema2", write_qcschema2),
    Export("parquet", write_parquet, to_path=True),
)


def exports() -> dict[str, Export]:
    """Return all formats by their names, those of plugins last.

    Raises
    ------
    InputError, MissingError
        A plugin is broken.
    """
    return with_plugins(EXPORTS, "qcdriver.exports", Export)


class Exported(NamedTuple):
    """How many records were written, and how many have nothing to write in that format."""

    written: int
    left_out: int


def export(records: Iterable[TaskRecord], form: str, output: Path | None) -> Exported:
    """Write records to a new file, or to standard output.

    Raises
    ------
    MissingError
        A format needs a package that is not installed.
    InputError
        There is no such format, it needs a file and none is named, or the file is there already or cannot be written.
    """
    if form not in (known := exports()):
        raise InputError(f"--export {form}: there are {', '.join(known)}, cube and molden")
    chosen = known[form]
    if chosen.to_path and output is None:
        raise InputError(f"--export {form}: it needs a file: -o FILE")
    given = 0

    def counted() -> Iterator[TaskRecord]:
        nonlocal given
        for record in records:
            given += 1
            yield record

    if output is None:
        written = chosen.write(counted(), sys.stdout)
        return Exported(written, given - written)
    if output.exists():
        raise InputError(f"{output}: is there already; name a new file")
    try:
        with whole_file(output) as temporary:
            if chosen.to_path:
                written = chosen.write(counted(), temporary)
            else:
                with temporary.open("w", encoding="utf-8") as file:
                    written = chosen.write(counted(), file)
    except (FileNotFoundError, PermissionError) as error:
        raise InputError(f"{error.filename}: cannot be written ({error.strerror})") from None
    return Exported(written, given - written)
