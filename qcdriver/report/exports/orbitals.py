"""Records of single points -> their orbitals as files, from the checkpoints that their run kept.

"cube": HOMO and LUMO as Gaussian cube files; "molden": all orbitals, with basis set and energies, as Molden files.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from qcdriver import engines
from qcdriver.engines import OrbitalForm
from qcdriver.errors import InputError
from qcdriver.models.outcomes import Result
from qcdriver.models.records import TaskRecord
from qcdriver.models.tasks import SinglePoint
from qcdriver.store.checkpoints import checkpoint_of

NOT_KEPT = (
    "no orbitals were kept of these calculations: with [dft] keep_checkpoints = true a run keeps those of every single "
    "point it computes; what is in the records already is computed again only in another --results folder"
)


def write_orbitals(records: Iterable[TaskRecord], run: Path, folder: Path, form: OrbitalForm) -> tuple[list[Path], int]:
    """Write the files of single points whose orbitals a run kept: LABEL-KEY-homo.cube and so on, or LABEL-KEY.molden.

    Returns
    -------
    The files, and of how many single points no orbitals were kept.

    Raises
    ------
    InputError
        None has any, or a file cannot be written.
    """
    written: list[Path] = []
    left_out = 0
    for record in records:
        if not isinstance(record.outcome, Result) or not isinstance(record.task, SinglePoint):
            continue
        checkpoint = checkpoint_of(run, record.key)
        if not checkpoint.exists():
            left_out += 1
            continue
        label = re.sub(r"[^\w.+-]+", "_", record.label)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            engine = engines.of(record.task.level)
            written += engine.write_orbitals(checkpoint, folder / f"{label}-{record.key[:8]}", form)
        except OSError as error:
            raise InputError(f"{error.filename or folder}: cannot be written ({error.strerror})") from None
    if not written:
        raise InputError(f"{run}: {NOT_KEPT}")
    return written, left_out
