"""Iterative solvers: SciPy's, with products computed on the card."""

import scipy.sparse.linalg
from cupy._arrays import down, up


class LinearOperator:
    """A matrix known by its products with vectors on the card."""

    def __init__(self, shape, matvec, dtype=float, **_):
        self.on_host = scipy.sparse.linalg.LinearOperator(shape, matvec=lambda v: down(matvec(up(v))), dtype=dtype)


def _solver(name):
    def solve(operator, right, x0=None, *, M=None, **words):
        found, code = getattr(scipy.sparse.linalg, name)(
            operator.on_host, down(right), x0=down(x0), M=None if M is None else M.on_host, **words
        )
        return up(found), code

    return solve


gmres, minres = _solver("gmres"), _solver("minres")
