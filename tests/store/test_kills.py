"""Killed at any instant, whatever it was doing, the program loses nothing that it had reported as done."""

from __future__ import annotations

import subprocess
import sys

import pytest
from specimens import HERE


def survived(kills: int, seed: int) -> str:
    ran = subprocess.run(
        [sys.executable, str(HERE / "kills.py"), "--kills", str(kills), "--seed", str(seed)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def test_sixty_kills_lose_nothing():
    assert "60 kills, 0 amiss" in survived(60, 1)


@pytest.mark.slow
def test_six_hundred_kills_lose_nothing():
    assert "kills, 0 amiss" in survived(600, 2)
