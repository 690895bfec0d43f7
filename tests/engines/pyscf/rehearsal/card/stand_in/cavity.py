"""gpu4pyscf.solvent.pcm: matrices of a solvent's cavity, and their products with vectors."""

import sys

from cupy._arrays import down

from stand_in.on_host import kept


def get_D_S(surface, with_S=True, with_D=False, stream=None):
    """Compute the matrices by gpu4pyscf's own slow function."""
    return sys.modules["gpu4pyscf.solvent.pcm"].get_D_S_slow(surface, with_S, with_D)


def left_multiply_S(surface, right_vector, transpose=None, stream=None):
    return kept(surface, get_D_S)[1].dot(right_vector)


def left_multiply_D(surface, right_vector, transpose=False, stream=None):
    matrix = kept(surface, get_D_S)[0]
    return (matrix.T if transpose else matrix).dot(right_vector)


def PCM_grad(self, dm):
    """Differentiate the energy of the same cavity by PySCF."""
    on_host = self.to_cpu()
    on_host.kernel(down(dm))
    return on_host.grad(down(dm))
