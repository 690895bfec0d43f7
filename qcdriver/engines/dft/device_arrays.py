"""Arrays that live on the host or on the GPU: NumPy's and CuPy's, neither of which takes the other for its own."""

from __future__ import annotations

from typing import Any

import numpy as np


def host(array: Any) -> np.ndarray:
    """Give a NumPy array of one that may live on the GPU."""
    return np.asarray(array.get() if hasattr(array, "get") else array)


def beside(array: Any, other: Any) -> Any:
    """Give an array where `other` lives; of gpu4pyscf, only an SCF's start takes NumPy's."""
    if not hasattr(other, "get"):
        return array
    import cupy

    return cupy.asarray(array)
