"""cupyx.scipy.special by scipy.special."""

from cupy._functions import functions_of

__getattr__ = functions_of("scipy.special")
