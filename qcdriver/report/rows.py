"""What a run found as rows, one kind of finding at a time, for a data frame."""

from __future__ import annotations

from typing import Any

from qcdriver.errors import InputError
from qcdriver.report.findings_json import summary_json
from qcdriver.workflow.findings import Findings, Summary

KINDS = tuple(kind for kind in Findings.model_fields if kind != "own")
"""The kinds of findings, as the members of a summary are called."""


def finding_rows(summary: Summary, kind: str) -> list[dict[str, Any]]:
    """Return one row a finding, with a sentence in the place of its verdict.

    Of a profile every point is a row, with the value asked for and the value reached of each coordinate ("target_" and
    "reached_" and its name); of a network every minimum and every saddle is one, whose `kind` says which.

    Raises
    ------
    InputError
        There is no such kind of finding.
    """
    if kind not in KINDS:
        raise InputError(f"a run has no {kind!r}; there are {', '.join(KINDS)}")
    found = summary_json(summary)[kind]
    if kind == "profiles":
        return [_point(profile, point) for profile in found for point in profile["points"]]
    if kind == "networks":
        return [
            {"level": network["level"], "refined": network["refined"], "kind": name, **point}
            for network in found
            for name, points in (("minimum", network["minima"]), ("saddle", network["saddles"]))
            for point in points
        ]
    rows: list[dict[str, Any]] = found
    return rows


def _point(profile: dict[str, Any], point: dict[str, Any]) -> dict[str, Any]:
    names = profile["coordinates"]
    targets = dict(zip((f"target_{name}" for name in names), point["target"] or [None] * len(names), strict=True))
    reached = dict(zip((f"reached_{name}" for name in names), point["reached"], strict=True))
    others = {name: value for name, value in point.items() if name not in ("target", "reached")}
    return {"level": profile["level"], **targets, **reached, **others}
