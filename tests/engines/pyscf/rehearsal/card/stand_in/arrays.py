"""gpu4pyscf.lib.cupy_helper: small kernels on matrices."""

import numpy as np
import scipy.linalg
from cupy import asarray
from cupy._functions import on_card
from pyscf import lib


def pack_tril(a, stream=None):
    return on_card(lambda x: np.ascontiguousarray(x[(..., *np.tril_indices(x.shape[-1]))]))(a)


def unpack_tril(cderi_tril, out=None, stream=None, hermi=1):
    return on_card(lambda x: lib.unpack_tril(np.ascontiguousarray(x), hermi))(cderi_tril)


def block_diag(blocks, out=None):
    return on_card(scipy.linalg.block_diag)(*blocks)


def eigh(a, b=None, overwrite=False):
    return on_card(lambda *matrices: tuple(scipy.linalg.eigh(*matrices)))(a, b)


def cholesky(a, *_, **__):
    return on_card(np.linalg.cholesky)(a)


def dist_matrix(x, y, out=None):
    return on_card(lambda here, there: np.linalg.norm(here[:, None] - there[None], axis=2))(asarray(x), asarray(y))


def transpose_sum(a, stream=None, inplace=True, hermi=1):
    summed = a + a.swapaxes(-1, -2) * (1 if hermi == 1 else -1)
    if not inplace:
        return summed
    a[...] = summed
    return a


def release_gpu_stack():
    return None
