"""Which records a person asks for."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase

from qcdriver.records.lines import Entry


@dataclass(frozen=True)
class Selection:
    """Task records by stage, label (a shell pattern: ``E*``), method (regards no case) and success; None fits all."""

    stage: str | None = None
    label: str | None = None
    method: str | None = None
    success: bool | None = None

    def fits(self, entry: Entry) -> bool:
        """Tell whether a record is asked for; a stage record never is."""
        return (
            entry.label is not None
            and self.stage in (None, entry.stage)
            and (self.label is None or fnmatchcase(entry.label, self.label))
            and (self.method is None or self.method.lower() == (entry.method or "").lower())
            and self.success in (None, entry.success)
        )
