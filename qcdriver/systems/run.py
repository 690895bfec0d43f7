"""The source "run" of `[structure]`: the conformers that a finished run kept, to go on from at another level.

It is a source, and no option of a command, because all that a run starts from stands in its input: the same input means
the same run on every machine, for `check`, `submit` and `report` as for `run`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from pydantic import Field

from qcdriver import engines
from qcdriver.errors import InputError
from qcdriver.io.run_summary import RunSummary, read_run_summary
from qcdriver.models.base import Frozen
from qcdriver.models.molecule import Molecule
from qcdriver.models.outcomes import Relaxed
from qcdriver.models.records import TaskRecord
from qcdriver.store import Records
from qcdriver.systems.base import Candidate, Label, Source, Structure, TakenFrom, start_of
from qcdriver.systems.files import FileName


class RunIsomer(Frozen):
    """`[structure.isomers.LABEL]` of a finished run: an isomer of it; which `conformers`, by label; none: all of it."""

    conformers: tuple[str, ...] = ()


class RunStructure(Structure):
    """`[structure]` with source "run": the conformers of a finished run, as its last relaxation left them.

    `run`: its directory, relative to the input file ("../results/au13ag12"). Labels, charge and multiplicity are those
    of that run. `isomers`: those that are taken; without any table, all of them are.
    """

    source: Literal["run"]
    run: FileName
    isomers: dict[Label, RunIsomer] = Field(default_factory=dict)


class RunSource(Source[RunStructure]):
    """Conformers of a finished run."""

    name = "run"
    Settings = RunStructure
    relaxed = True
    example = 'run = "results/NAME"\n'

    def candidates(self, table: RunStructure, folder: Path, starts: int, seed: int) -> list[Candidate]:
        """Read the summary and the records of that run."""
        directory = folder / table.run
        summary, store = read_run_summary(directory), Records(directory, only_read=True)
        found = list(_candidates(directory, summary, store))
        for isomer, wanted in table.isomers.items():
            labels = [candidate.label for candidate in found if candidate.isomer == isomer]
            if not labels:
                known = ", ".join(dict.fromkeys(candidate.isomer for candidate in found))
                raise InputError(f"structure.isomers.{isomer}: {directory} has no such isomer; there are {known}")
            for label in wanted.conformers:
                if label not in labels:
                    raise InputError(
                        f"structure.isomers.{isomer}.conformers: {directory} has no {label!r}; there are "
                        f"{', '.join(labels)}"
                    )
        return [candidate for candidate in found if _is_wanted(candidate, table)]


def _is_wanted(candidate: Candidate, table: RunStructure) -> bool:
    if not table.isomers:
        return True
    isomer = table.isomers.get(candidate.isomer)
    return isomer is not None and (not isomer.conformers or candidate.label in isomer.conformers)


def _candidates(directory: Path, summary: RunSummary, store: Records) -> Iterator[Candidate]:
    isomers = {conformer.label: conformer.isomer for conformer in summary.conformers}
    if not isomers:
        raise InputError(f"{directory}: this run has no conformers")
    for label, isomer in isomers.items():
        record, molecule = _final(directory, label, summary, store)
        yield Candidate(
            isomer=isomer,
            start=start_of(isomer, label),
            origin=molecule,
            notes=(f"taken from {directory}, as {engines.title(record.level)} relaxed it",),
            taken_from=TakenFrom(directory, record.key),
        )


def _final(directory: Path, label: str, summary: RunSummary, store: Records) -> tuple[TaskRecord, Molecule]:
    """Return the last relaxation of a conformer, and where it ended; energies at higher levels move nothing."""
    for key in (conformer.key for conformer in reversed(summary.conformers) if conformer.label == label):
        record = store.find(key)
        if isinstance(record, TaskRecord) and isinstance(record.outcome, Relaxed):
            return record, record.outcome.molecule
    raise InputError(f"{directory}: the record of conformer {label} is damaged or gone; qcdriver run computes it again")
