"""gpu4pyscf.df.grad.rhf and uhf: derivatives of fitted Coulomb and exchange integrals."""

import numpy as np
from cupy._arrays import down
from pyscf import scf
from pyscf.df.grad import rhf, uhf

from stand_in import on_host


def Gradients_jk_energy_per_atom(
    self, dm=None, j_factor=1, k_factor=1, *, omega=None, lr_factor=None, sr_factor=None, hermi=0, verbose=None
):
    mol, density = self.mol, down(self.base.make_rdm1() if dm is None else dm)
    restricted = density.ndim == 2
    state = (scf.RHF if restricted else scf.UHF)(mol).density_fit(auxbasis=self.base.with_df.auxbasis)
    state.mo_coeff, state.mo_occ = down(self.base.mo_coeff), down(self.base.mo_occ)
    derivative = (rhf if restricted else uhf).Gradients(state)
    forces = np.zeros((mol.natm, 3))
    if j_factor:
        coulomb = derivative.get_j(mol, density)
        whole = (coulomb, density) if restricted else (coulomb.sum(axis=0), density.sum(axis=0))
        forces += j_factor * (coulomb.aux.sum(axis=(0, 1)) + 2 * on_host.by_atoms(mol, *whole))
    if k_factor:
        exchange = derivative.get_k(mol, density, omega=omega or None)
        share = k_factor / 2 if restricted else k_factor
        forces -= share * (np.trace(exchange.aux) + 2 * on_host.by_atoms(mol, exchange, density))
    return forces
