"""cupyx.scipy.linalg by scipy.linalg."""

from cupy._functions import functions_of

__getattr__ = functions_of("scipy.linalg")
