"""Mutated inputs: settings that say what the file says, or one line for each mistake; never a traceback or a hang."""

from __future__ import annotations

import time
import tomllib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qcdriver.engines.checks import spelled
from qcdriver.engines.solvents import solvent_name
from qcdriver.errors import InputError
from qcdriver.workflow.input import read_input

INPUTS = [path.read_text() for path in sorted((Path(__file__).parents[2] / "inputs").glob("*.toml"))]
VALUES = st.sampled_from(
    ["true", "false", '"1_0"', "1_0", "1.0", "-1", "0", "inf", "nan", "1e308", "1e-320", "9" * 30, "0x1F", "[]", "{}"]
    + ['""', '"all"', "[1, 2, 3]", "[[0, 1], [1, 0]]", "{ a = 1 }", "2026-01-01", "07:00:00", "'''\n'''", '"\\u0000"']
    + ["1" + 5000 * "0", 2000 * "[", '"' + 10_000 * "x" + '"', "[" + 3000 * "1," + "]"]
)
LINES = st.sampled_from(
    ["[scan]", "[[scan.coordinate]]", "[dft]", "[structure]", "[structure.isomers.X]", "[resources.dft]", "[mirror]"]
    + ["[variants.a]", 'source = "xyz"', 'source = "cif"', "hydrides = 'all'", "starts = 1000", "step_deg = 0.0001"]
    + ['kind = "dihedral"', "atoms = [0, 1, 2, 3]", "period_deg = 1e-300", "a.b.c = 1", "= 1", "\ufeff", "time = 1"]
)
EDIT = st.one_of(
    st.tuples(st.just("value"), st.integers(0, 200), VALUES),
    st.tuples(st.just("line"), st.integers(0, 200), LINES),
    st.tuples(st.sampled_from(["delete", "repeat", "swap"]), st.integers(0, 200), st.just("")),
    st.tuples(st.just("letter"), st.integers(0, 4000), st.characters()),
)


def mutated(text, edits):
    lines = text.splitlines()
    for what, number, piece in edits:
        at = number % len(lines)
        key, equal, _ = lines[at].partition("=")
        if what == "value" and equal:
            lines[at] = f"{key}= {piece}"
        elif what == "line":
            lines.insert(at, piece)
        elif what == "delete" and len(lines) > 1:
            del lines[at]
        elif what == "repeat":
            lines.insert(at, lines[at])
        elif what == "swap":
            lines[at], lines[at - 1] = lines[at - 1], lines[at]
        elif what == "letter":
            whole = "\n".join(lines)
            place = number % (len(whole) + 1)
            lines = (whole[:place] + piece + whole[place + 1 :]).split("\n")
    return "\n".join(lines).encode("utf-8", errors="surrogatepass")


def check(path, text, edits):
    path.write_bytes(mutated(text, edits))
    message, began = "", time.perf_counter()
    try:
        found = read_input(path)
    except InputError as error:
        message = str(error)
    assert time.perf_counter() - began < 5
    if message:
        assert all(line.startswith(str(path)) for line in message.split("\n"))
        return
    assert_kept(tomllib.loads(path.read_text(encoding="utf-8-sig")), found.model_dump(mode="json"))


def assert_kept(said, taken):
    """What the file says is what the settings hold, but that 1 may be 1.0, "gfn1" GFN1-xTB, "ch2cl2" its full name."""
    if isinstance(said, dict):
        for key, value in said.items():
            assert_kept(value, taken[key])
    elif isinstance(said, list):
        for one, other in zip(said, taken, strict=True):
            assert_kept(one, other)
    else:
        assert type(said) is type(taken) or (type(said) is int and type(taken) is float)
        assert type(taken)(said) == taken or (
            isinstance(said, str) and taken in (spelled(said, [taken]), solvent_name(said))
        )


ARGUMENTS = (st.sampled_from(INPUTS), st.lists(EDIT, min_size=1, max_size=4))


def fuzzed(examples):
    return settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))


@fuzzed(200)
@given(*ARGUMENTS)
def test_some_mutations(tmp_path_factory, text, edits):
    check(tmp_path_factory.getbasetemp() / "some.toml", text, edits)


@pytest.mark.slow
@fuzzed(5000)
@given(*ARGUMENTS)
def test_five_thousand_mutations(tmp_path_factory, text, edits):
    check(tmp_path_factory.getbasetemp() / "many.toml", text, edits)
