"""gpu4pyscf.dft.numint: everything that is integrated on a grid."""

from cupy._arrays import down, refuse_host, up
from pyscf.dft import numint

from stand_in import on_host


def NumInt_nr_rks(self, mol, grids, xc_code, dms, *_, **__):
    refuse_host((dms,))
    n, energy, matrix = numint.NumInt().nr_rks(mol, on_host.grid(mol, grids), xc_code, down(dms))
    return n, float(energy), up(matrix)


def NumInt_nr_uks(self, mol, grids, xc_code, dms, *_, **__):
    refuse_host((dms,))
    n, energy, matrix = numint.NumInt().nr_uks(mol, on_host.grid(mol, grids), xc_code, down(dms))
    return n, float(energy), up(matrix)


def NumInt_nr_nlc_vxc(self, mol, grids, xc_code, dms, *_, **__):
    refuse_host((dms,))
    whole = down(dms) if dms.ndim == 2 else down(dms).sum(axis=0)
    n, energy, matrix = numint.NumInt().nr_nlc_vxc(mol, on_host.grid(mol, grids), xc_code, whole)
    return n, float(energy), up(matrix)


def NumInt_get_rho(self, mol, dm, grids, max_memory=2000, verbose=None):
    refuse_host((dm,))
    return up(numint.NumInt().get_rho(mol, down(dm), on_host.grid(mol, grids)))


def NumInt_cache_xc_kernel(self, mol, grids, xc_code, mo_coeff, mo_occ, spin=0, *_, **__):
    orbitals = down(mo_coeff), down(mo_occ)
    return up(numint.NumInt().cache_xc_kernel(mol, on_host.grid(mol, grids), xc_code, *orbitals, spin))


def NumInt_nr_rks_fxc(
    self, mol, grids, xc_code, dm0, dms, relativity=0, hermi=0, rho0=None, vxc=None, fxc=None, *_, **__
):
    refuse_host((dms,))
    kernel = down((rho0, vxc, fxc))
    points = on_host.grid(mol, grids)
    return up(numint.NumInt().nr_rks_fxc(mol, points, xc_code, None, down(dms), 0, hermi, *kernel))


def NumInt_nr_uks_fxc(
    self, mol, grids, xc_code, dm0, dms, relativity=0, hermi=0, rho0=None, vxc=None, fxc=None, *_, **__
):
    refuse_host((dms,))
    kernel = down((rho0, vxc, fxc))
    points = on_host.grid(mol, grids)
    return up(numint.NumInt().nr_uks_fxc(mol, points, xc_code, None, down(dms), 0, hermi, *kernel))


def NumInt_nr_rks_fxc_st(
    self, mol, grids, xc_code, dm0, dms, relativity=0, singlet=True, rho0=None, vxc=None, fxc=None, *_, **__
):
    refuse_host((dms,))
    kernel = down((rho0, vxc, fxc))
    points = on_host.grid(mol, grids)
    return up(numint.NumInt().nr_rks_fxc_st(mol, points, xc_code, None, down(dms), 0, singlet, *kernel))
