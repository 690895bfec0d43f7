"""Findings -> files that the page holds: CSV, XYZ and JSON."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from typing import Any

from qcdriver.errors import InputError
from qcdriver.models.records import TaskRecord
from qcdriver.report.exports import exports
from qcdriver.report.findings_json import summary_json
from qcdriver.report.page.model import Download
from qcdriver.report.rows import finding_rows
from qcdriver.workflow.findings import Summary
from qcdriver.workflow.open_run import Run

_KINDS = ("conformers", "profiles", "networks", "paths")


def downloads(run: Run, summary: Summary, name: str) -> list[Download]:
    """Make the files; a kind of findings that there is none of has none."""
    whole = json.dumps(summary_json(summary), indent=1)
    files = [Download(name=f"{name}.json", mime="application/json", content=whole)]
    for kind in _KINDS:
        if rows := finding_rows(summary, kind):
            files.append(Download(name=f"{name}-{kind}.csv", mime="text/csv", content=_csv(rows)))
    if xyz := _xyz(run, summary):
        files.append(Download(name=f"{name}-conformers.xyz", mime="chemical/x-xyz", content=xyz))
    return files


def _csv(rows: Sequence[dict[str, Any]]) -> str:
    """Write rows with a column for every single value; tables inside have their names before it, "cu14.hand"."""
    flat = [dict(_flat(row)) for row in rows]
    text = io.StringIO()
    writer = csv.DictWriter(text, list(dict.fromkeys(name for row in flat for name in row)), lineterminator="\n")
    writer.writeheader()
    writer.writerows(flat)
    return text.getvalue()


def _flat(row: dict[str, Any], before: str = "") -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for name, value in row.items():
        if isinstance(value, dict):
            found += _flat(value, f"{before}{name}.")
        else:
            found.append((f"{before}{name}", json.dumps(value) if isinstance(value, list) else value))
    return found


def _xyz(run: Run, summary: Summary) -> str:
    """Write the conformers at every level, as `records --export xyz` does."""
    records: list[TaskRecord] = []
    for conformer in summary.conformers:
        try:
            records.append(run.record(conformer.key))
        except InputError:
            continue
    text = io.StringIO()
    exports()["xyz"].write(records, text)
    return text.getvalue()
