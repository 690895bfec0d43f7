"""A Slurm for the tests that need one."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import loopback
import pytest
from peroxide import INPUTS, Campaign


@pytest.fixture(scope="session")
def slurm():
    if lack := loopback.missing():
        pytest.skip(f"Slurm: {lack}")
    folder = Path(tempfile.mkdtemp(prefix="slurm-"))  # not below pytest's: a socket's path is short
    there = loopback.Slurm(folder)
    try:
        there.start()
    except (OSError, RuntimeError) as error:
        shutil.rmtree(folder, ignore_errors=True)
        pytest.skip(f"Slurm does not start here: {error}")
    yield there
    there.stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def held(slurm):
    """Keep every job from starting, until the test lets them; afterwards the queue is empty."""
    slurm.hold()
    yield slurm
    slurm.ask("scancel", "--me")
    slurm.drained()
    slurm.let_go()


@pytest.fixture
def campaign(slurm, tmp_path):
    def make(text: str, name: str = "hooh.toml") -> Campaign:
        for each in ("hooh-gauche.xyz", "hooh-twisted.xyz"):
            shutil.copy(INPUTS / each, tmp_path / each)
        (tmp_path / name).write_text(text)
        return Campaign(slurm, tmp_path / name)

    return make
