"""cupy.random by numpy.random."""

from cupy._functions import functions_of

__getattr__ = functions_of("numpy.random")
