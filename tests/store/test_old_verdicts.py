"""Records of versions 1 to 3 keep their meaning and their words: of all kept results, and of what these lack."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from qcdriver.models.records import StageRecord, TaskRecord
from qcdriver.models.verdicts import Code, Purpose, Verdict
from qcdriver.report.sentences import sentence
from qcdriver.store.old_verdicts import coded_verdict, purpose_of_task
from qcdriver.store.record_lines import parse_record
from qcdriver.units import ANGSTROM

KEPT = Path(__file__).parents[2] / "results" / "kept"


def kept_lines() -> list[bytes]:
    """Give every line of the kept results that is older than version 4."""
    packed = [gzip.decompress(path.read_bytes()) for path in KEPT.rglob("records.jsonl.gz")]
    plain = [path.read_bytes() for path in KEPT.rglob("records.jsonl")]
    lines = [line for content in (*packed, *plain) for line in content.splitlines(keepends=True)]
    return [line for line in lines if json.loads(line)["schema_version"] < 4]


LINES = kept_lines()


def test_every_old_verdict_of_the_kept_results_has_a_code_and_its_old_words():
    found = set()
    for line in LINES:
        old, record = json.loads(line), parse_record(line, "here")
        if not isinstance(record, StageRecord):
            continue
        for before, verdict in zip(old["verdicts"], record.verdicts, strict=True):
            assert sentence(verdict) == before["reason"]
            found |= {verdict.code, *(note.code for note in verdict.notes)}
    assert found >= {Code.ENERGY_AGREES, Code.BEYOND_LIMIT, Code.FELL_APART, Code.TURNED, Code.OPENED, Code.HELD}
    # What a message is taken for that no pattern knows.
    assert not found & {Code.FAILED, Code.NOT_DRIVABLE}


def test_every_old_task_of_the_kept_results_has_a_purpose():
    tasks = [record for line in LINES if isinstance(record := parse_record(line, "here"), TaskRecord)]
    assert {each.purpose for each in tasks} == set(Purpose) - {
        Purpose.PUSH_OFF,
        Purpose.SETTLE_HYDROGENS,
        Purpose.EXCITATIONS,
        Purpose.REFINEMENT,
    }
    kinds = {Purpose.VIBRATIONS: "vibrations", Purpose.INTERCONVERSION: "path", Purpose.SINGLE_POINT: "single_point"}
    for each in tasks:
        assert each.task.kind == kinds.get(each.purpose, each.task.kind)
        assert (each.purpose is Purpose.CHEAP) == each.label.endswith(" cheap")


@pytest.mark.parametrize(
    ("stage", "reason", "code"),
    [
        ("prescreen", "not built: no placement without clashes", Code.NOT_BUILT),
        ("prescreen", "not built: the worker ended by signal 9; see workers.log", Code.KILLED),
        ("prescreen", "not converged: relaxation: not converged in 500 steps", Code.NOT_CONVERGED),
        ("prescreen", "failed: the worker ended by signal 9; see workers.log", Code.KILLED),
        ("prescreen", "failed: not done within its time limit of 60 s", Code.KILLED),
        ("prescreen", "failed: xtb: broken", Code.FAILED),
        ("scan", "not converged: relaxation: not converged in 1 steps", Code.NOT_CONVERGED),
        ("scan", "not converged: the worker ended by signal 9; see workers.log", Code.KILLED),
        ("scan", "reached 17.50 instead of 18 (18 deg)", Code.MISSED_TARGET),
        ("scan", "reached 17.50 deg instead of 18", Code.MISSED_TARGET),
        ("scan", "fell apart: 1 bond broken in ligands, first O0-H2", Code.FELL_APART),
        ("scan", "twist: its atoms lie on a line", Code.NOT_DRIVABLE),
        ("stationary", "became the same structure as the minimum at 60 deg", Code.DUPLICATE),
        ("stationary", "became the mirror image of the minimum at 60 deg", Code.MIRROR_IMAGE),
        ("stationary", "the same as the saddle at 0 deg", Code.DUPLICATE),
        ("stationary", "no top between its ends: the path only descends", Code.NO_TOP),
        ("stationary", "no path: the minimum at 60 deg, where it would end, did not relax", Code.NO_PATH),
        ("stationary", "the search for the saddle left the path: an atom moved by 2.3 Angstrom", Code.LEFT_PATH),
        ("stationary", "2 imaginary wavenumbers (310i, 52i 1/cm); a minimum has none", Code.WRONG_CURVATURE),
        ("stationary", "imaginary wavenumbers: none; a saddle has exactly one", Code.WRONG_CURVATURE),
        ("stationary", "not verified: not converged: no", Code.NOT_VERIFIED),
        ("stationary", "not converged: saddle: not converged in 3 steps", Code.NOT_CONVERGED),
        ("dft", "the SCF did not converge in 3 attempts, 300 cycles in all", Code.NOT_CONVERGED),
        ("dft", "the worker ended by signal 9; see workers.log", Code.KILLED),
        ("dft", "pyscf: broken", Code.FAILED),
        ("interconversion", "path: not converged in 3 steps of the band", Code.NOT_CONVERGED),
        ("mirror", "-2.0e-06 hartree against A; 1e-06 are allowed", Code.ENERGY_DIFFERS),
        ("mirror", "no energy", Code.FAILED),
    ],
)
def test_what_was_dropped_keeps_its_meaning_and_its_words(stage, reason, code):
    old = {"label": "60 deg from S", "key": "k", "kept": False, "reason": reason, "reached": None}
    verdict = Verdict.model_validate(coded_verdict(stage, old))
    assert (verdict.code, sentence(verdict), verdict.kept) == (code, reason, False)


@pytest.mark.parametrize(
    ("stage", "reason", "codes"),
    [
        (
            "prescreen",
            "held: set free it turned from 36 to 10.0 deg: no longer S; 2 metal bonds opened, first Cu0-Cu7",
            [Code.HELD, Code.OPENED],
        ),
        ("interconversion", "1 bond broken in ligands, first P33-H34", [Code.BONDS_BROKEN_AT_TOP]),
        ("interconversion", "1 metal bond opened, first Cu0-Cu7", [Code.OPENED]),
        ("stationary", "pushed off a saddle, 310i and 52i 1/cm", [Code.PUSHED_OFF]),
        ("stationary", "12i and 8i 1/cm counted as noise", [Code.NOISE]),
    ],
)
def test_what_was_kept_keeps_its_notes(stage, reason, codes):
    old = {"label": "S", "key": "k", "kept": True, "reason": reason, "reached": None}
    verdict = Verdict.model_validate(coded_verdict(stage, old))
    assert verdict.code is Code.KEPT
    assert [each.code for each in verdict.notes] == codes
    assert sentence(verdict) == reason


@pytest.mark.parametrize(
    ("stage", "kept", "reason"),
    [("prescreen", False, "somebody edited the record"), ("prescreen", True, "somebody edited the record")],
)
def test_words_that_no_version_wrote_are_no_verdict(stage, kept, reason):
    with pytest.raises(ValueError, match="no version of this program said of prescreen: somebody"):
        coded_verdict(stage, {"label": "S", "key": "k", "kept": kept, "reason": reason})


@pytest.mark.parametrize(
    ("stage", "label", "known"),
    [
        ("prescreen", "E#12", {"isomer": "E"}),
        ("prescreen", "E1.T5a_E2", {"isomer": "E1.T5a_E2"}),
        (
            "scan",
            "-6 deg, 1.45 A from S#2 via an image of 6 deg, 1.45 A",
            {"purpose": "scan_point", "place": (-6.0, 1.45 / ANGSTROM), "origin": "S#2 via an image of 6 deg, 1.45 A"},
        ),
        ("scan", "6 deg from S via 12", {"purpose": "scan_point", "place": (6.0,), "origin": "S via 12"}),
        ("scan", "mirror image of 30 deg, at 42 deg", {"purpose": "scan_check", "place": (42.0,)}),
        (
            "scan",
            "mirror image of 30 deg, 1.5 A, at 42 deg, 1.5 A",
            {"purpose": "scan_check", "place": (42.0, 1.5 / ANGSTROM)},
        ),
        ("stationary", "minimum at 6 deg, 3 deg", {"purpose": "minimum", "place": (6.0, 3.0)}),
        ("stationary", "minimum at 6 deg, 3 deg, vibrations", {"purpose": "vibrations", "place": (6.0, 3.0)}),
        ("stationary", "saddle at 0 deg", {"purpose": "saddle", "place": (0.0,)}),
        ("interconversion", "A -> mirror image of A", {"purpose": "interconversion"}),
        ("dft", "S#3", {"purpose": "single_point", "isomer": "S"}),
        ("dft", "6 deg from S", {"purpose": "single_point", "place": (6.0,), "origin": "S"}),
        ("mirror", "mirror image of A", {"purpose": "mirror_image"}),
    ],
)
def test_what_an_old_label_told_is_known(stage, label, known):
    verdict = Verdict.model_validate(coded_verdict(stage, {"label": label, "key": "k", "kept": True, "reason": None}))
    wanted = {"label": label, "key": "k", "kept": True, "code": "kept"} | known
    assert verdict == Verdict.model_validate(wanted)


@pytest.mark.parametrize(
    ("stage", "kind", "label", "purpose"),
    [
        ("build", "build", "E#1", Purpose.BUILD),
        ("prescreen", "relaxation", "E#1 GFN-FF", Purpose.SETTLE_LIGANDS),
        ("prescreen", "relaxation", "E#1 GFN1-xTB cheap", Purpose.CHEAP),
        ("prescreen", "relaxation", "E#1 GFN1-xTB tight", Purpose.TIGHT),
        ("prescreen", "relaxation", "E#1 GFN1-xTB tight, held", Purpose.TIGHT_HELD),
        ("stationary", "relaxation", "minimum at 0 deg", Purpose.MINIMUM),
        ("stationary", "relaxation", "minimum at 0 deg, push 2", Purpose.PUSH_OFF),
        ("stationary", "vibrations", "minimum at 0 deg, push 2, vibrations", Purpose.VIBRATIONS),
        ("stationary", "path", "saddle at 0 deg", Purpose.PATH),
        ("stationary", "saddle", "saddle at 0 deg, from the top of the path", Purpose.SADDLE),
        ("nmr", "single_point", "of a program that never was", None),
    ],
)
def test_what_an_old_task_was_for_is_known(stage, kind, label, purpose):
    assert purpose_of_task(stage, label, {"kind": kind}) is purpose
