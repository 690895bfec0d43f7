"""Any text at all: one clear line or a crystal, never a traceback, and never more than five seconds."""

import random
import re
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from crystal_models import CHLOROFORM, TETRAFLUOROBORATE, MadeUp, rotation
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qcdriver.errors import InputError
from qcdriver.io.cif import read_crystal

P21C = ["x,y,z", "-x,y+1/2,-z+1/2", "-x,-y,-z", "x,-y+1/2,z+1/2"]
P_3 = ["x,y,z", "-y,x-y,z", "-x+y,-x,z", "-x,-y,-z", "y,-x+y,-z", "x-y,x,-z"]


def ordered() -> str:
    made = MadeUp((13.0, 14.0, 15.0, 90.0, 97.0, 90.0), P21C)
    made.tags["_space_group_name_H-M_alt"] = "P 21/c"
    made.tags["_chemical_formula_sum"] = "C H B Cl3 F4"
    made.tags["_chemical_formula_moiety"] = "C H Cl3, B F4 -"
    made.tags["_cell_formula_units_Z"] = "4"
    made.add(CHLOROFORM[0], CHLOROFORM[1] + [2.5, 2.0, 3.0])
    made.add(TETRAFLUOROBORATE[0], TETRAFLUOROBORATE[1] + [8.0, 4.5, 2.0])
    return made.text()


def disordered() -> str:
    """Alternatives with and without flags, about a point -3 and elsewhere."""
    made = MadeUp((14.0, 14.0, 16.0, 90.0, 90.0, 120.0), P_3)
    body = TETRAFLUOROBORATE[1] @ rotation([1, 2, 3], 40)
    made.add(["B"], body[:1])
    made.add(["F"] * 4, body[1:], occupancy="0.1667")
    for number, (turn, occupancy) in enumerate(((0, "0.6"), (60, "0.4")), start=1):
        made.add(
            CHLOROFORM[0], CHLOROFORM[1] @ rotation([0, 1, 1], turn) + [0, 6, 4], occupancy=occupancy, group=str(number)
        )
    made.add(["O", "O"], [[4, 4, 8], [5.4, 4, 8]], occupancy="0.5")
    made.add(["C", "H"], [[0.4, 0.2, 8], [1.4, 0.3, 8]], occupancy="0.25", group="-1", assembly="B")
    return made.text()


TEXTS = [ordered(), disordered()]
WORDS = [
    *("data_x", "loop_", "save_", "_cell_length_a", "_cell_angle_beta", "_atom_site_label", "_atom_site_fract_x"),
    *(
        "_atom_site_occupancy",
        "_atom_site_disorder_group",
        "_space_group_symop_operation_xyz",
        "'x,y,z'",
        "-x,-y,1/2+z",
    ),
    *("?", ".", "C1", "0.5", "0.25(3)", "1e9", "-1", "A", "'", ";", "#", "\n", "\n;", "10.0", "90", "_x", "é"),
]


def _mutated(text: str, rng: random.Random) -> bytes:
    """Damage a file the way editors, disks and people do."""
    lines = text.split("\n")
    for _ in range(rng.choice([1, 1, 1, 2, 5])):
        k = rng.randrange(len(lines))
        words = lines[k].split(" ")
        w = rng.randrange(len(words))
        kind = rng.randrange(9)
        if kind == 0:
            del lines[k]
            lines = lines or [""]
        elif kind == 1:
            lines.insert(k, lines[rng.randrange(len(lines))])
        elif kind == 2:
            words[w] = rng.choice(
                ["?", ".", "abc", "1e400", "-1", "0", "0.5(", "nan", "99999999999", "'", ";", "_x", "loop_"]
            )
            lines[k] = " ".join(words)
        elif kind == 3:
            del words[w]
            lines[k] = " ".join(words)
        elif kind == 4:
            i = rng.randrange(len(lines[k]) + 1)
            lines[k] = lines[k][:i] + chr(rng.randrange(1, 256)) + lines[k][i + 1 :]
        elif kind == 5:
            other = rng.randrange(len(lines))
            lines[k], lines[other] = lines[other], lines[k]
        elif kind == 6:
            lines = lines[:k] if rng.random() < 0.3 and k else lines
        elif kind == 7:
            words[w] = re.sub(r"\d", lambda _: str(rng.randrange(10)), words[w])
            lines[k] = " ".join(words)
        else:
            lines[k] = lines[k].swapcase() if rng.random() < 0.5 else lines[k] * 2
    raw = "\n".join(lines).encode(rng.choice(["utf-8", "latin-1"]), errors="replace")
    return raw if rng.random() < 0.9 else raw.replace(b"\n", b"\r\n")


def check(content: bytes) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "any.cif"
        path.write_bytes(content)
        start = time.perf_counter()
        try:
            read_crystal(path).to_json(contacts=True)
        except InputError as refusal:
            said = str(refusal)
            assert "\n" not in said
            assert len(said) < 600
        assert time.perf_counter() - start < 5


damaged = st.builds(_mutated, st.sampled_from(TEXTS), st.randoms(use_true_random=False))
soup = st.lists(st.sampled_from(WORDS), max_size=60).map(lambda words: " ".join(words).encode())
anything = damaged | soup | st.binary(max_size=200)


@pytest.mark.parametrize("text", TEXTS)
def test_the_files_that_are_damaged_are_good(text, tmp_path):
    path = tmp_path / "good.cif"
    path.write_text(text)
    assert read_crystal(path).molecules


@given(content=anything)
@settings(max_examples=200, deadline=None, derandomize=True)
def test_any_text_is_read_or_refused_in_one_line(content):
    check(content)


@pytest.mark.slow
@given(content=damaged)
@settings(max_examples=5000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_five_thousand_damaged_files_are_read_or_refused_in_one_line(content):
    check(content)
