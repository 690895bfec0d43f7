"""What a run found, as `summary.json` and `network.json` hold it: with a sentence in the place of each verdict."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic_core import to_json

from qcdriver.report.sentences import minimum_note, sentence
from qcdriver.store.files import write_whole
from qcdriver.workflow.findings import (
    Conformer,
    Dropped,
    MirrorCheck,
    Network,
    NetworkMinimum,
    PathFound,
    Profile,
    Summary,
)
from qcdriver.workflow.open_run import Run
from qcdriver.workflow.summary import summarize

_Judged = Conformer | PathFound | MirrorCheck | Dropped


def summary_json(summary: Summary) -> dict[str, Any]:
    """Give all that a run found."""
    return {
        **summary.model_dump(mode="json"),
        "conformers": [_said(conformer, "note") for conformer in summary.conformers],
        "profiles": [_profile_json(profile) for profile in summary.profiles],
        "paths": [_said(path, "note") for path in summary.paths],
        "mirror_checks": [_said(check, "finding") for check in summary.mirror_checks],
        "dropped": [_said(loss, "reason") for loss in summary.dropped],
        "failed": [_said(loss, "reason") for loss in summary.failed],
        "networks": [network_json(network) for network in summary.networks],
    }


def network_json(network: Network) -> dict[str, Any]:
    """Give one network of minima and saddles."""
    return {**network.model_dump(mode="json"), "minima": [_minimum_json(minimum) for minimum in network.minima]}


def _minimum_json(minimum: NetworkMinimum) -> dict[str, Any]:
    members = minimum.model_dump(mode="json", exclude={"at_end", "verdict"})
    return {**members, "note": minimum_note(minimum)}


def _profile_json(profile: Profile) -> dict[str, Any]:
    points = [point.model_dump(mode="json", exclude={"origin"}) for point in profile.points]  # a table shows it
    return {**profile.model_dump(mode="json"), "points": points}


def _said(finding: _Judged, name: str) -> dict[str, Any]:
    """Give a finding with the sentence of its verdict, under that name."""
    text = sentence(finding.verdict) if finding.verdict else None
    return {
        name if member == "verdict" else member: text if member == "verdict" else value
        for member, value in finding.model_dump(mode="json").items()
    }


def write_findings(run: Run) -> Summary:
    """Sum up the stages that have finished in `summary.json`, and in `network.json` where there is a network."""
    summary = summarize(run)
    _write(summary_json(summary), run.directory / "summary.json")
    for network in summary.networks[-1:]:
        _write(network_json(network), run.directory / "network.json")
    return summary


def _write(finding: Mapping[str, Any], path: Path) -> None:
    """Write a finding as a JSON file, whole or not at all."""
    write_whole(path, to_json(finding, indent=1) + b"\n")
