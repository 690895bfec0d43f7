"""cupyx.scipy.fft by scipy.fft."""

from cupy._functions import functions_of

__getattr__ = functions_of("scipy.fft")
