"""The CUDA runtime: how many cards there are, and their memory.

REHEARSAL_CARDS in the environment says how many this machine has (1), CUDA_VISIBLE_DEVICES which of them are seen;
REHEARSAL_CARD_MB how much memory each has.
"""

import ctypes
import os

from cupy.cuda import memory

TOTAL = int(os.environ.get("REHEARSAL_CARD_MB", 80 << 10)) << 20


class CUDARuntimeError(RuntimeError):
    """What CUDA answers to a call that it cannot do."""


def visible():
    """Name the cards that this process sees."""
    names = [str(number) for number in range(int(os.environ.get("REHEARSAL_CARDS", "1")))]
    wanted = os.environ.get("CUDA_VISIBLE_DEVICES")
    return names if wanted is None else [name for name in wanted.split(",") if name in names]


def getDeviceCount():
    return len(visible())


def getDevice():
    return 0


def getDeviceProperties(number):
    return {
        "name": f"rehearsal card {visible()[number]}".encode(),
        "totalGlobalMem": TOTAL,
        "sharedMemPerBlockOptin": 232448,
        "sharedMemPerBlock": 49152,
        "multiProcessorCount": 132,
        "warpSize": 32,
        "major": 9,
        "minor": 0,
        "maxThreadsPerBlock": 1024,
    }


def memGetInfo():
    return TOTAL - memory.taken(), TOTAL


def memcpy(to, source, size, kind):
    ctypes.memmove(to, source, size)


def deviceSynchronize():
    return None


def deviceSetLimit(*_):
    return None


def deviceCanAccessPeer(*_):
    return True


def runtimeGetVersion():
    return 12040


memcpyHostToDevice, memcpyDeviceToHost, memcpyDeviceToDevice = 1, 2, 3
hostAllocMapped = 2
