"""Bring the JSON of older records to today's schema, step by step, and refuse newer ones.

Files are never rewritten: a line keeps the version it was written with, and is migrated whenever it is read.

Versions
--------
1
    The first.
2
    A task record names its `parents` and its `input_sha256`; of version 1 both are unknown.
3
    A coordinate may be a length: `reached_deg` of a relaxation and `value_deg` of a verdict became `reached`. The
    provenance names the `gpu`.
4
    A verdict has a code with facts in the place of its `reason`, and names what it is on: `purpose`, `isomer`, `place`,
    `origin`. A task record names its `purpose`. See `old_verdicts`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from qcdriver.errors import InputError
from qcdriver.models.records import TaskRecord
from qcdriver.store.old_verdicts import coded_verdict, purpose_of_task

Content = dict[str, Any]

SCHEMA_VERSION: int = TaskRecord.model_fields["schema_version"].default
"""What this program writes, for tasks and stages alike."""


def _from_1(content: Content) -> Content:
    return content  # the new fields have their defaults: unknown


def _from_2(content: Content) -> Content:
    if "verdicts" in content:
        return {**content, "verdicts": [_located(verdict) for verdict in content["verdicts"]]}
    outcome = dict(content["outcome"])
    if "reached_deg" in outcome:
        outcome["reached"] = outcome.pop("reached_deg")
    return {**content, "outcome": outcome}


def _located(verdict: Content) -> Content:
    verdict = dict(verdict)
    value = verdict.pop("value_deg", None)
    return {**verdict, "reached": None if value is None else [value]}


def _from_3(content: Content) -> Content:
    stage = content["stage"]
    if "verdicts" in content:
        return {**content, "verdicts": [coded_verdict(stage, verdict) for verdict in content["verdicts"]]}
    return {**content, "purpose": purpose_of_task(stage, content["label"], content["task"])}


MIGRATIONS: dict[int, Callable[[Content], Content]] = {1: _from_1, 2: _from_2, 3: _from_3}
"""The step from a version to the next. A change of the schema adds one here, and an entry to the list above."""


def migrate(content: Content, where: str) -> Content:
    """Bring a record's JSON to the version of this program.

    Raises
    ------
    InputError
        Written by a newer version of this program; `where` says in which file.
    ValueError
        Of a version that never existed.
    """
    version = content.get("schema_version")
    if type(version) is not int:
        raise ValueError("no schema version")
    if version > SCHEMA_VERSION:
        raise InputError(
            f"{where}: a record of schema version {version}; this program reads up to {SCHEMA_VERSION}: update it"
        )
    for step in range(version, SCHEMA_VERSION):
        if step not in MIGRATIONS:
            raise ValueError(f"schema version {version} is not one of ours")
        content = MIGRATIONS[step](content)
    return {**content, "schema_version": SCHEMA_VERSION}
