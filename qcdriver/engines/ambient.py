"""Keep the user's own settings out of the numbers: variables and files of a machine are no part of a level."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

_THREADING = ("OMP_", "GOMP_", "KMP_", "MKL_", "OPENBLAS_", "GOTO_", "BLIS_", "CUPY_TF32", "CUPY_ACCEL", "NVIDIA_TF32")
"""How variables begin that choose threads, code paths or precision of the mathematics under every engine."""
_SPEED_ALONE = frozenset(
    ("OMP_WAIT_POLICY", "OMP_PROC_BIND", "OMP_PLACES", "GOMP_CPU_AFFINITY", "KMP_AFFINITY", "KMP_BLOCKTIME")
)
"""Of those, the ones that only say where threads run and how they wait."""


def without_user_threading(environment: Mapping[str, str]) -> dict[str, str]:
    """Return an environment without the variables that reach numbers through the libraries under an engine."""
    return {
        name: value for name, value in environment.items() if name in _SPEED_ALONE or not name.startswith(_THREADING)
    }


@contextlib.contextmanager
def variables(**values: str | None) -> Iterator[None]:
    """Set variables of this process' environment for a while; None unsets one."""
    before = {name: os.environ.get(name) for name in values}
    try:
        _set(values)
        yield
    finally:
        _set(before)


@contextlib.contextmanager
def empty_directory() -> Iterator[Path]:
    """Stand in an empty directory for a while; what is left in it goes with it."""
    with tempfile.TemporaryDirectory(prefix="qcdriver-") as scratch, contextlib.chdir(scratch):
        yield Path(scratch)


def _set(values: Mapping[str, str | None]) -> None:
    for name, value in values.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
