"""Read verdicts and task labels of schema versions 1 to 3, in which words stood for what is a code or a purpose now.

The one place that reads a sentence or a label. The sentence is kept as the only fact of its code, so that a person sees
the old words. The patterns are frozen: later versions have codes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from qcdriver.models.verdicts import Code, Purpose
from qcdriver.units import ANGSTROM

Content = dict[str, Any]

_DEAD = r"(the worker ended by |not done within its time limit |the run ended$)"
"""How the message begins of a task whose worker was killed."""

_RELAXED = {"prescreen", "scan", "stationary"}
_REASONS: list[tuple[set[str], str, Code]] = [
    (_RELAXED, r"fell apart: ", Code.FELL_APART),
    (_RELAXED, rf"(not converged|failed): {_DEAD}", Code.KILLED),  # scan and stationary said so of every failure
    (_RELAXED, r"not converged: ", Code.NOT_CONVERGED),
    (_RELAXED, r"(failed: |no relaxation$|no result$)", Code.FAILED),
    ({"prescreen"}, rf"not built: {_DEAD}", Code.KILLED),
    ({"prescreen"}, r"not built: ", Code.NOT_BUILT),
    ({"prescreen"}, r"turned from ", Code.TURNED),
    ({"prescreen"}, r"the same structure as ", Code.DUPLICATE),
    ({"prescreen"}, r"the mirror image of ", Code.MIRROR_IMAGE),
    ({"prescreen"}, r"\d+\.\d kcal/mol above the lowest", Code.ABOVE_WINDOW),
    ({"prescreen"}, r"(behind the \d+ best of |beyond max_kept = )", Code.BEYOND_LIMIT),
    ({"scan"}, r"[-+]\d+\.\d+ kcal/mol against the structure from ", Code.HIGHER_THAN_KEPT),
    ({"scan"}, r"reached -?\d+\.\d+( deg)? instead of ", Code.MISSED_TARGET),
    ({"scan"}, r"", Code.NOT_DRIVABLE),  # the message of a structure that could not be driven to its point
    ({"stationary"}, r"became the same structure as |the same as the ", Code.DUPLICATE),
    ({"stationary"}, r"became the mirror image of ", Code.MIRROR_IMAGE),
    ({"stationary"}, r"no top between ", Code.NO_TOP),
    ({"stationary"}, r"no path: ", Code.NO_PATH),
    ({"stationary"}, r"the search for the saddle left the path: ", Code.LEFT_PATH),
    ({"stationary"}, r"(\d+ )?imaginary wavenumbers", Code.WRONG_CURVATURE),
    ({"stationary"}, r"not verified: ", Code.NOT_VERIFIED),
    # The stages whose reason was the bare message of an error, the check of a scan among them.
    ({"check", "mirror"}, r"(computed, its energy differs by |[-+]\S+ hartree against )", Code.ENERGY_DIFFERS),
    ({"check", "mirror", "dft", "interconversion"}, _DEAD, Code.KILLED),
    ({"check", "mirror", "dft", "interconversion"}, r".*(not converge|not in \d+ steps)", Code.NOT_CONVERGED),
    ({"check", "mirror", "dft", "interconversion"}, r"", Code.FAILED),
]
"""Of what was dropped: stages, how a sentence begins, its code; the first that fits counts."""

_NOTES: list[tuple[set[str], str, Code]] = [
    ({"check", "mirror"}, r"(computed, its energy differs by |[-+]\S+ hartree against )", Code.ENERGY_AGREES),
    ({"prescreen"}, r"held: set free it turned from ", Code.HELD),
    ({"prescreen", "interconversion"}, r"\d+ metal bonds? opened, first ", Code.OPENED),
    (
        {"interconversion"},
        r"(\d+ (metal )?bonds? (broken|formed)\b|[A-Z][a-z]?\d+ lost )",
        Code.BONDS_BROKEN_AT_TOP,
    ),
    ({"stationary"}, r"pushed off a saddle, ", Code.PUSHED_OFF),
    ({"stationary"}, r"\d+i .*1/cm counted as noise", Code.NOISE),
]
"""The same of what was kept."""


def coded_verdict(stage: str, verdict: Content) -> Content:
    """Return a verdict with its code, the old words as its facts, and what its label says.

    Raises
    ------
    ValueError
        No version of this program wrote the words.
    """
    verdict = dict(verdict)
    reason, kept = verdict.pop("reason", None), verdict["kept"]
    verdict |= _read_label(stage, verdict["label"])
    which = "check" if verdict.get("purpose") == Purpose.SCAN_CHECK else stage
    if kept and reason is None:
        return verdict | {"code": Code.KEPT}
    if not kept:
        return verdict | _coded(which, str(reason), _REASONS)
    found = [_coded(which, part, _NOTES) for part in _parts(which, reason)]
    return verdict | (found[0] if found[0]["code"] == Code.ENERGY_AGREES else {"code": Code.KEPT, "notes": found})


def _parts(stage: str, reason: str) -> list[str]:
    """Cut what was said of a kept structure into its notes; a comparison of energies has a semicolon of its own."""
    return reason.split("; ") if stage == "prescreen" else [reason]


def _coded(stage: str, text: str, table: Iterable[tuple[set[str], str, Code]]) -> Content:
    for stages, pattern, code in table:
        if stage in stages and re.match(pattern, text, re.DOTALL):
            return {"code": code, "facts": {"kind": "old_text", "text": text}}
    raise ValueError(f"no version of this program said of {stage}: {text}")


_PLACE = r"(?P<place>\S+ (?:deg|A)(?:, \S+ (?:deg|A))*)"


def _read_label(stage: str, label: str) -> Content:
    if stage == "scan":
        if found := re.fullmatch(rf"mirror image of .*, at {_PLACE}", label):
            return {"purpose": Purpose.SCAN_CHECK, "place": _place(found["place"])}
        return {"purpose": Purpose.SCAN_POINT} | _scanned(label)
    if stage == "dft":
        return {"purpose": Purpose.SINGLE_POINT} | (_scanned(label) or {"isomer": _isomer(label)})
    if stage == "stationary":
        found = re.fullmatch(rf"(?P<purpose>minimum|saddle) at {_PLACE}(?P<vibrations>, vibrations)?", label)
        if found is None:
            return {}
        purpose = Purpose.VIBRATIONS if found["vibrations"] else Purpose(found["purpose"])
        return {"purpose": purpose, "place": _place(found["place"])}
    if stage == "prescreen":  # which pass a candidate got to, its record tells
        return {"isomer": _isomer(label)}
    known = {"interconversion": Purpose.INTERCONVERSION, "mirror": Purpose.MIRROR_IMAGE}
    return {"purpose": known.get(stage)}


def _scanned(label: str) -> Content:
    found = re.fullmatch(rf"{_PLACE} from (?P<origin>.*)", label)
    return {"place": _place(found["place"]), "origin": found["origin"]} if found else {}


def _isomer(label: str) -> str:
    return label.partition("#")[0]


def _place(text: str) -> list[float]:
    """Read the values of a point, in degrees or bohr."""
    parts = (part.split() for part in text.split(", "))
    return [float(value) / (ANGSTROM if unit == "A" else 1.0) for value, unit in parts]


def purpose_of_task(stage: str, label: str, task: Content) -> Purpose | None:
    """Read from stage, label and kind of task what it was for; None of a task that no stage asked for."""
    kind = task["kind"]
    if kind == "build":
        return Purpose.BUILD
    if stage == "prescreen":
        passes = {"tight, held": Purpose.TIGHT_HELD, "tight": Purpose.TIGHT, "cheap": Purpose.CHEAP}
        return next((found for words, found in passes.items() if label.endswith(f" {words}")), Purpose.SETTLE_LIGANDS)
    if stage == "scan":
        return Purpose.SCAN_CHECK if label.startswith("mirror image of ") else Purpose.SCAN_POINT
    if stage == "stationary":
        if kind == "relaxation":
            return Purpose.PUSH_OFF if re.search(r", push \d+$", label) else Purpose.MINIMUM
        return {"path": Purpose.PATH, "saddle": Purpose.SADDLE, "vibrations": Purpose.VIBRATIONS}.get(kind)
    known = {
        "interconversion": Purpose.INTERCONVERSION,
        "dft": Purpose.SINGLE_POINT,
        "mirror": Purpose.MIRROR_IMAGE,
    }
    return known.get(stage)
