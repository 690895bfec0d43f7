"""Memory of the card: arrays and blocks take of it while they live, and what does not fit any more is refused."""

import weakref

import numpy as np

SMALL = 1 << 10
"""Arrays of fewer bytes are not counted."""

_live = {}
_most = 0


class OutOfMemoryError(MemoryError):
    """CuPy's own error for memory that is not there."""


class Memory:
    """A block of the card's memory, as long as it lives."""

    def __init__(self, size):
        self.size = size
        _take(self, size)


class MemoryPointer:
    """Where an array lies; `ptr` is an address of the host."""

    def __init__(self, array):
        self._array = array
        self.ptr = array.ctypes.data

    def buffer(self):
        return self._array.ravel(order="K").view(np.uint8) if self._array.size else bytearray(8)


class Pool:
    """A pool that keeps nothing back."""

    def malloc(self, size):
        return Memory(size)

    def used_bytes(self):
        return 0

    def total_bytes(self):
        return 0

    def free_all_blocks(self, *_):
        pass

    def set_limit(self, **_):
        pass

    def get_limit(self):
        return 0


PinnedMemoryPool = Pool


def _take(owner, size):
    from cupy.cuda import runtime

    global _most
    if size > (free := runtime.TOTAL - taken()):
        raise OutOfMemoryError(f"Out of memory allocating {size:,} bytes (free: {free:,} bytes).")
    name = id(owner)
    _live[name] = size
    weakref.finalize(owner, _live.pop, name, None)
    _most = max(_most, taken())


def counted(array):
    """Give an array of NumPy back, once it is known that the card has room for it."""
    if array.base is None and array.nbytes >= SMALL and id(array) not in _live:
        _take(array, array.nbytes)
    return array


def taken():
    """Give the bytes that are taken now."""
    return sum(_live.values())


def most_taken():
    """Give the most bytes that were ever taken at once; a figure of the rehearsal's own."""
    return _most


def get_default_memory_pool():
    return Pool()


def get_default_pinned_memory_pool():
    return Pool()


def set_allocator(_):
    pass


set_pinned_memory_allocator = set_allocator
_malloc = Memory
