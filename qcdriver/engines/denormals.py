"""Numbers too small for full precision, taken as zero while a library computes."""

from __future__ import annotations

import ctypes
import ctypes.util
import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

_FLUSH_TO_ZERO, _DENORMALS_ARE_ZERO = 0x8000, 0x0040
_CONTROL_WORD = 7
"""Where the control and status register of SSE stands in glibc's fenv_t, in words of 32 bits."""


@cache
def _libm() -> ctypes.CDLL:
    """Load it once: finding it starts a program, which took longer than a small molecule's gradient."""
    return ctypes.CDLL(ctypes.util.find_library("m"))


@contextmanager
def denormals_flushed() -> Iterator[None]:
    """Let this thread, and those it starts meanwhile, take numbers below 2e-308 as zero; Linux on x86-64 only.

    libxtb 6.5.1 weighs the D3 reference systems of an atom with Gaussians of its coordination number. Where all of them
    are below 1e-154, the square of the inverse of their sum overflows, and times a product that is not quite zero the
    gradient is infinite: for gold at a coordination number of 11.77 to 12, as in the middle of fused icosahedra that
    are pressed together a little on the way to a minimum. With that product at zero libxtb itself sees that it divided
    0 by 0, and takes the right limit: from 11.79 on, where the product is below 2e-308. No energy changes, to the last
    digit. Between 11.77 and 11.79 the gradient stays infinite (`qcdriver.engines.xtb` goes around).
    """
    if sys.platform != "linux" or platform.machine() != "x86_64":
        yield
        return
    libm = _libm()
    before, flushed = (ctypes.c_uint32 * 16)(), (ctypes.c_uint32 * 16)()
    libm.fegetenv(before)
    libm.fegetenv(flushed)
    flushed[_CONTROL_WORD] |= _FLUSH_TO_ZERO | _DENORMALS_ARE_ZERO
    libm.fesetenv(flushed)
    try:
        yield
    finally:
        libm.fesetenv(before)
