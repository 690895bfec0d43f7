"""Mutated XYZ files: a molecule that stands in the file, or one line that says what is wrong; never a hang."""

from __future__ import annotations

import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qcdriver.errors import InputError
from qcdriver.io.xyz_frames import read_frame
from qcdriver.units import ANGSTROM

PLAIN = "3\nwater, charge=0\nO 0.0 0.0 0.0\nH 0.0 0.0 0.96\nH 0.93 0.0 -0.24\n"
EXTENDED = (
    '2\nProperties=species:S:1:pos:R:3:magmoms:R:1 charge=-1 multiplicity=2 label="a b" pbc="F F F"\n'
    "O 0.0 0.0 0.0 0.5\nO 0.0 0.0 1.3 0.5\n"
)
FRAMES = PLAIN + PLAIN.replace("0.96", "0.97")
WORDS = st.sampled_from(
    ["charge=1", "q: -1", "mult 3", "spin=1", "Lattice=", '"', "pbc=T", "triplet", "=", ":", "{", "1_0", "1e999", "nan"]
    + [
        "0",
        "-1",
        "Tv",
        "Properties=",
        "species:S:1",
        "\t",
        "\n",
        "\r",
        "\x00",
        "\ufeff",
        "\u2028",
        "é",
        "99999999999999",
    ]
)
EDIT = st.tuples(
    st.sampled_from(["insert", "delete", "replace", "repeat"]), st.integers(0, 400), st.integers(0, 20), WORDS
)
ENCODING = st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "latin-1"])


def mutated(text, edits, encoding):
    for what, at, length, word in edits:
        at %= len(text) + 1
        piece = {"insert": word, "delete": "", "replace": word, "repeat": 2 * text[at : at + length]}[what]
        text = text[:at] + piece + text[at + (0 if what == "insert" else length) :]
    return text.encode(encoding, errors="replace")


def fuzzed(examples):
    return settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))


def check(path, text, edits, encoding):
    content = mutated(text, edits, encoding)
    path.write_bytes(content)
    message, began = "", time.perf_counter()
    try:
        frame = read_frame(path, 0)
        molecule, _ = frame.molecule()
    except InputError as error:
        message = str(error)
    assert time.perf_counter() - began < 5
    if message:
        assert str(path) in message
        assert "\n" not in message
        return
    if frame.comment.properties is None:
        lines = content.decode("utf-8-sig", errors="replace").replace("\r\n", "\n").replace("\r", "\n").split("\n")
        atoms = [line.split() for line in lines[frame.line : frame.line + len(molecule.symbols)]]
        for words, symbol, place in zip(atoms, molecule.symbols, molecule.geometry * ANGSTROM, strict=True):
            assert words[0] in (symbol, str(molecule.numbers[molecule.symbols.index(symbol)]))
            assert [float(word) for word in words[1:4]] == pytest.approx(place.tolist())


ARGUMENTS = (st.sampled_from([PLAIN, EXTENDED, FRAMES]), st.lists(EDIT, min_size=1, max_size=5), ENCODING)


@fuzzed(200)
@given(*ARGUMENTS)
def test_some_mutations(tmp_path_factory, text, edits, encoding):
    check(tmp_path_factory.getbasetemp() / "some.xyz", text, edits, encoding)


@pytest.mark.slow
@fuzzed(5000)
@given(*ARGUMENTS)
def test_five_thousand_mutations(tmp_path_factory, text, edits, encoding):
    check(tmp_path_factory.getbasetemp() / "many.xyz", text, edits, encoding)
