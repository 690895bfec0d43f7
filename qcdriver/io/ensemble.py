"""Ensembles as CREST, CENSO and ORCA write them: XYZ frames one after another, an energy in each comment line."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from qcdriver.errors import InputError
from qcdriver.io.frames import not_said
from qcdriver.io.xyz_frames import XyzFrame, read_frames
from qcdriver.models.molecule import Molecule
from qcdriver.units import EV

_NUMBER = r"[+-]?\d+\.\d+(?:[eE][+-]?\d+)?"
_NAMED = re.compile(rf"(?<!\w)energy\s*[=:]\s*(?P<value>{_NUMBER})", re.IGNORECASE)
_FIRST = re.compile(r"(?<![\w.=:-])(?P<value>-\d+\.\d+(?:[eE][+-]?\d+)?)(?![\w.])")
"""The first negative decimal number: " -20.12345678" (CREST), "CONF3 -20.12345678" (CENSO), "E -20.1" (ORCA)."""


@dataclass(frozen=True, eq=False)
class EnsembleFrame:
    """One structure of an ensemble."""

    frame: XyzFrame

    @property
    def energy(self) -> float | None:
        """The energy in the comment line, hartree; extended XYZ, which names its columns, has it in eV."""
        text = self.frame.comment.text
        found = _NAMED.search(text) or _FIRST.search(text)
        if found is None:
            return None
        return float(found["value"]) / (EV if self.frame.comment.properties else 1.0)

    def molecule(self, charge: int | None, multiplicity: int | None) -> tuple[Molecule, tuple[str, ...]]:
        """Return the molecule and notes on it, as `Frame` has it."""
        total = self.frame.stated_charge() if charge is None else charge
        spin = self.frame.stated_multiplicity(total or 0) if multiplicity is None else multiplicity
        if missing := [word for word, value in (("charge", total), ("multiplicity", spin)) if value is None]:
            raise InputError(not_said(f"{self.frame.path}, line {self.frame.line}", *missing))
        return self.frame.molecule(charge, multiplicity)


def read_ensemble(path: Path) -> list[EnsembleFrame]:
    """Read all frames of an ensemble.

    Raises
    ------
    InputError
        The file is missing or broken; the message names line and column.
    """
    return [EnsembleFrame(frame) for frame in read_frames(path)]
