"""gpu4pyscf.grad.rks: derivatives of the nonlocal correlation energy."""

from cupy._arrays import down
from pyscf.dft import numint
from pyscf.grad import rks

from stand_in import on_host


def get_nlc_exc(ni, mol, grids, xc_code, dms, *_, **__):
    whole = down(dms) if dms.ndim == 2 else down(dms).sum(axis=0)
    derivatives = rks.get_nlc_vxc(numint.NumInt(), mol, on_host.grid(mol, grids), xc_code, whole)[1]
    return None, on_host.by_atoms(mol, derivatives, whole)
