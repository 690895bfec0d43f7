"""Move arrays between host (NumPy) and GPU (CuPy). Neither library accepts the other's arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np


def host(array: Any) -> np.ndarray:
    """Return an array on the host, from wherever it lives."""
    return np.asarray(array.get() if on_gpu(array) else array)


def on_gpu(array: Any) -> bool:
    """Whether an array lives on the GPU."""
    return hasattr(array, "get")


def beside(array: Any, other: Any) -> Any:
    """Return an array where `other` lives. In gpu4pyscf only the start of an SCF accepts NumPy's arrays."""
    if not on_gpu(other):
        return array
    import cupy

    return cupy.asarray(array)


def joined(arrays: Sequence[Any]) -> Any:
    """Put arrays one below the other, where they live."""
    if not on_gpu(arrays[0]):
        return np.concatenate(arrays)
    import cupy

    return cupy.concatenate(arrays)
