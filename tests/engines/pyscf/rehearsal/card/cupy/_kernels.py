"""CUDA kernels: they can be named, and say so when they are run."""


class RawKernel:
    """A kernel that cannot run here."""

    def __init__(self, *source, **_):
        self._name = source[-1] if source else "a kernel"

    def __call__(self, *_, **__):
        raise RuntimeError(f"a CUDA kernel was started: {self._name}")


ElementwiseKernel = ReductionKernel = RawModule = RawKernel


def fuse(*function, **_):
    """Fuse nothing: the function itself computes the same."""
    return function[0] if function and callable(function[0]) else lambda each: each
