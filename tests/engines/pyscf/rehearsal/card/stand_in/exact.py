"""gpu4pyscf.scf.hf: Coulomb and exchange matrices from the four-index integrals."""

from cupy._arrays import down, up
from pyscf.scf import hf


def SCF_get_jk(self, mol, dm=None, hermi=1, with_j=True, with_k=True, omega=None, lr_factor=None, sr_factor=None):
    dm = self.make_rdm1() if dm is None else dm
    return up(hf.get_jk(mol, down(dm), hermi, with_j=with_j, with_k=with_k, omega=omega or None))


def SCF_get_j(self, mol, dm, hermi=1, omega=None):
    return SCF_get_jk(self, mol, dm, hermi, with_k=False, omega=omega)[0]


def SCF_get_k(self, mol, dm, hermi=1, omega=None, lr_factor=None, sr_factor=None):
    """Give exchange; `omega` with factors is that of a functional whose long and short ranges have them."""
    if lr_factor is None and sr_factor is None:
        return SCF_get_jk(self, mol, dm, hermi, with_j=False, omega=omega)[1]
    whole = SCF_get_jk(self, mol, dm, hermi, with_j=False)[1]
    if not omega:
        return whole * sr_factor
    long_range = SCF_get_jk(self, mol, dm, hermi, with_j=False, omega=abs(omega))[1]
    return long_range * lr_factor + (whole - long_range) * sr_factor
