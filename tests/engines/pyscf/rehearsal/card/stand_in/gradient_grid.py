"""gpu4pyscf.grad.rks and uks: derivatives of the XC energy."""

from cupy._arrays import down
from pyscf.dft import numint
from pyscf.grad import rks, uks

from stand_in import on_host


def get_exc(ni, mol, grids, xc_code, dms, *_, **__):
    density = down(dms)
    get_vxc = (rks if density.ndim == 2 else uks).get_vxc
    return None, on_host.by_atoms(
        mol, get_vxc(numint.NumInt(), mol, on_host.grid(mol, grids), xc_code, density)[1], density
    )
