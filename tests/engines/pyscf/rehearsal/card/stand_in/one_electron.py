"""gpu4pyscf.pbc.gto.int1e: overlap and kinetic energy, and the overlap's derivative."""

from cupy._arrays import up


def int1e_ovlp(cell, kpts=None, bvk_kmesh=None, sort_output=True):
    return up(cell.intor_symmetric("int1e_ovlp"))


def int1e_kin(cell, kpts=None, bvk_kmesh=None, sort_output=True):
    return up(cell.intor_symmetric("int1e_kin"))


def int1e_ipovlp(cell, kpts=None, bvk_kmesh=None, sort_output=True):
    return up(cell.intor("int1e_ipovlp", comp=3))
