"""A GPU rehearsed: the tests for one pass with gpu4pyscf's own Python, its CUDA kernels' work done by PySCF.

It shows wrong types, missing attributes, wrong calls and wrong control flow; nothing of kernels, speed and real memory.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.gpu_rehearsal

FOR_A_GPU = Path(__file__).parents[1] / "test_on_the_gpu.py"


def test_what_is_tested_on_a_gpu_passes_on_the_stand_in(rehearsal):
    command = [sys.executable, "-m", "pytest", "-m", "gpu", "-q", "-p", "no:cacheprovider", str(FOR_A_GPU)]
    run = subprocess.run(command, env=rehearsal, capture_output=True, text=True, check=False)
    last = run.stdout.strip().splitlines()[-1]
    assert run.returncode == 0, run.stdout
    assert "skipped" not in last
    assert int(re.search(r"(\d+) passed", last)[1]) >= 20


def test_points_are_spread_over_the_cards_of_a_node(rehearsal, tmp_path):
    code = """
import sys
from pathlib import Path
from qcdriver.engines import find
from qcdriver.engines.machine import gpu_shares
from qcdriver.execution.local.pool import Pool
from qcdriver.models.level import Model, Resources
from qcdriver.models.molecule import Molecule
from qcdriver.models.tasks import SinglePoint
engine = find("pyscf")
level = engine.level(Model(method="lda,vwn", basis="sto-3g"), {"grid_level": 0}, "gpu")
water = Molecule(symbols=("O", "H", "H"), geometry=[[0, 0, 0], [0, 1.4, 1.1], [0, -1.4, 1.1]])
shares = gpu_shares(engine, 1)
with Pool(2, Resources(device="gpu"), Path(sys.argv[1]), Path(sys.argv[1]).parent, gpus=shares) as pool:
    for position in range(2):
        pool.submit(position, SinglePoint(molecule=water, level=level), lambda _position, _line: None)
    answers = [pool.answer() for _ in range(2)]
print(shares, sorted(origin.gpu for _, _, origin in answers), {outcome.device for _, outcome, _ in answers})
"""
    command = [sys.executable, "-c", code, str(tmp_path / "log")]
    environment = rehearsal | {"REHEARSAL_CARDS": "2"}
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert run.stdout.strip() == "['0', '1'] ['rehearsal card 0', 'rehearsal card 1'] {'gpu'}"


def test_the_stand_in_refuses_what_a_card_refuses(rehearsal):
    code = """
import cupy, numpy, pytest
card, host = cupy.ones(3), numpy.ones(3)
for wrong in (
    lambda: card + host,
    lambda: numpy.asarray(card),
    lambda: cupy.dot(card, host),
    lambda: card.__setitem__(slice(None), host),
    lambda: cupy.empty(1 << 40),
    lambda: cupy.RawKernel("", "k")((1,), (1,), ()),
):
    with pytest.raises((TypeError, MemoryError, RuntimeError)):
        wrong()
assert isinstance(card + 1, cupy.ndarray) and not isinstance(card, numpy.ndarray)
assert type(card.get()) is numpy.ndarray and float(cupy.dot(card, card)) == 3.0
"""
    subprocess.run([sys.executable, "-c", code], env=rehearsal, check=True)
