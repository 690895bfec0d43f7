"""A verdict is the same after a journey through a line of JSON, and its facts belong to its code."""

from __future__ import annotations

import json
from typing import get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from qcdriver.models.outcomes import Failure
from qcdriver.models.records import StageRecord
from qcdriver.models.verdicts import (
    FACTS_OF,
    Code,
    Curvature,
    Difference,
    Drift,
    Error,
    Facts,
    Note,
    OldText,
    Purpose,
    Verdict,
    failure,
)
from qcdriver.store.record_lines import parse_record, to_line

TYPES_OF_FACTS = get_args(get_args(Facts)[0])
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
st.register_type_strategy(float, NUMBERS)


def facts_of(code: Code) -> st.SearchStrategy:
    """Draw facts that belong to a code."""
    return st.one_of(*map(st.from_type, (*FACTS_OF[code], OldText)), *([] if FACTS_OF[code] else [st.none()]))


@st.composite
def notes(draw) -> Note:
    code = draw(st.sampled_from(Code))
    return Note(code=code, facts=draw(facts_of(code)))


@st.composite
def verdicts(draw) -> Verdict:
    note, places = draw(notes()), st.none() | st.lists(NUMBERS, min_size=1, max_size=2).map(tuple)
    return Verdict(
        code=note.code,
        facts=note.facts,
        label=draw(st.text()),
        key=draw(st.text()),
        kept=draw(st.booleans()),
        notes=tuple(draw(st.lists(notes(), max_size=2))),
        purpose=draw(st.none() | st.sampled_from(Purpose)),
        isomer=draw(st.none() | st.text()),
        place=draw(places),
        reached=draw(places),
        origin=draw(st.none() | st.text()),
    )


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(verdicts(), max_size=3))
def test_verdicts_come_back_from_a_line_of_the_records_as_they_were(found):
    record = StageRecord(
        key="k", stage="scan", verdicts=tuple(found), program_version="0", finished_utc="2026-01-01T00:00:00"
    )
    back = parse_record(to_line(record), "here")
    assert back == record
    assert [each.model_dump() for each in back.verdicts] == [each.model_dump() for each in found]


def test_what_is_unknown_takes_no_room_on_the_line():
    line = json.loads(Verdict(label="S", key="", kept=True, code=Code.KEPT).model_dump_json())
    assert line == {"label": "S", "key": "", "kept": True, "code": "kept"}


def test_every_code_has_its_facts_and_every_type_of_facts_a_code():
    assert set(FACTS_OF) == set(Code)
    assert {OldText, *(each for types in FACTS_OF.values() for each in types)} == set(TYPES_OF_FACTS)


@pytest.mark.parametrize(
    ("code", "facts"),
    [
        (Code.TURNED, None),
        (Code.KEPT, Drift(asked_deg=0, reached_deg=36, isomer="E")),
        (Code.ENERGY_AGREES, Curvature()),
        (Code.NOT_CONVERGED, Difference(hartree=0, tolerance=1, against="")),
    ],
)
def test_facts_of_another_code_are_refused(code, facts):
    with pytest.raises(ValidationError, match=f"{code}: facts of"):
        Note(code=code, facts=facts)


@pytest.mark.parametrize(
    ("error_type", "code"),
    [
        ("ConvergenceError", Code.NOT_CONVERGED),
        ("WorkerDied", Code.KILLED),
        ("EngineError", Code.FAILED),
        ("ResourceError", Code.FAILED),
    ],
)
def test_a_failure_is_called_what_it_is(error_type, code):
    found = failure(Failure(error_type=error_type, message="why"))
    assert found == Note(code=code, facts=Error(type=error_type, message="why"))
