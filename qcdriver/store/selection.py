"""Select task records by stage, label, method and success."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase

from qcdriver.store.record_lines import Entry


@dataclass(frozen=True)
class Selection:
    """What selected task records have: stage, label (a shell pattern: ``E*``), method (in any case) and success.

    None selects all.
    """

    stage: str | None = None
    label: str | None = None
    method: str | None = None
    success: bool | None = None

    def fits(self, entry: Entry) -> bool:
        """Return whether a record is selected; a stage record never is."""
        return (
            entry.label is not None
            and self.stage in (None, entry.stage)
            and (self.label is None or fnmatchcase(entry.label, self.label))
            and (self.method is None or self.method.lower() == (entry.method or "").lower())
            and self.success in (None, entry.success)
        )
