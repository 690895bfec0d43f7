"""CuPy's interface, computed by NumPy: arrays are on a card that is not there, and host arrays are refused.

It shows wrong types, missing attributes and wrong calls; nothing of speed, of memory only what arrays take.
"""

from cupy import cuda, fft, linalg, random
from cupy._arrays import array, asarray, ascontiguousarray, asfortranarray, asnumpy, ndarray
from cupy._functions import functions_of
from cupy._kernels import ElementwiseKernel, RawKernel, RawModule, ReductionKernel, fuse
from cupy.cuda.memory import get_default_memory_pool, get_default_pinned_memory_pool

__version__ = "14.0.0"
__getattr__ = functions_of("numpy")


def get_array_module(*arrays):
    """Give the module that computes with these arrays."""
    import numpy

    return __import__("cupy") if any(isinstance(each, ndarray) for each in arrays) else numpy
