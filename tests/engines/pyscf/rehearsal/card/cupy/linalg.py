"""cupy.linalg by numpy.linalg."""

from cupy._functions import functions_of

__getattr__ = functions_of("numpy.linalg")
