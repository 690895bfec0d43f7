"""A library that was never compiled."""

from stand_in.driver import CUDA_VERSION

ANSWERS = {
    "cuda_version": CUDA_VERSION,
    "xc_version_string": b"7.0.0",
    "xc_number_of_functionals": 0,  # none is asked for: whole XC potentials are replaced
    "xc_available_functional_numbers": None,
}
"""Functions that start no kernel, and what they give."""


class Library:
    """A library whose functions can be declared, and say so when they are called."""

    def __init__(self, name):
        self._library = name

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        setattr(self, name, Function(self._library, name))
        return getattr(self, name)


class Function:
    """A function of such a library; what it is declared to take and give is kept as on any object."""

    def __init__(self, library, name):
        self._library, self._name = library, name

    def __call__(self, *_):
        if self._name in ANSWERS:
            return ANSWERS[self._name]
        raise RuntimeError(f"a CUDA kernel was called: {self._library}.{self._name}")
