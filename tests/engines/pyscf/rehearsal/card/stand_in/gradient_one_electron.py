"""gpu4pyscf.grad.rhf: derivatives of the energy by positions, without core potentials and the grid."""

import numpy as np
from cupy._arrays import down
from pyscf.grad import rhf

from stand_in import on_host


def _grad_nuc_without_ecp(mol, dm0):
    density = down(dm0)
    forces = -2 * on_host.by_atoms(mol, mol.intor("int1e_ipkin", comp=3) + mol.intor("int1e_ipnuc", comp=3), density)
    for atom, charge in enumerate(mol.atom_charges()):
        with mol.with_rinv_at_nucleus(atom):
            forces[atom] -= 2 * charge * np.einsum("xij,ij->x", mol.intor("int1e_iprinv", comp=3), density)
    return forces


def Gradients_jk_energy_per_atom(
    self, dm=None, j_factor=1, k_factor=1, omega=None, lr_factor=None, sr_factor=None, hermi=0, verbose=None
):
    density = down(self.base.make_rdm1() if dm is None else dm)
    with self.mol.with_range_coulomb(omega):
        coulomb, exchange = rhf.get_jk(self.mol, density)
    if density.ndim == 3:
        both = coulomb.sum(axis=0)
        return 2 * on_host.by_atoms(self.mol, j_factor * both - k_factor * exchange, density)
    return 2 * on_host.by_atoms(self.mol, j_factor * coulomb - k_factor / 2 * exchange, density)
