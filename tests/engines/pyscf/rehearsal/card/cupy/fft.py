"""cupy.fft by numpy.fft."""

from cupy._functions import functions_of

__getattr__ = functions_of("numpy.fft")
