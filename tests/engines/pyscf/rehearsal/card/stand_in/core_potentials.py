"""gpu4pyscf.gto.ecp: integrals over core potentials."""

import numpy as np
from cupy._arrays import up
from pyscf import gto


def get_ecp(mol):
    return up(mol.intor_symmetric("ECPscalar"))


def get_ecp_ip(mol, ip_type="ip", ecp_atoms=None):
    """Give the derivatives by each atom with a potential, (atoms, 3, nao, nao)."""
    if ecp_atoms is None:
        ecp_atoms = sorted(set(mol._ecpbas[:, gto.ATOM_OF]))
    derivatives = []
    for atom in ecp_atoms:
        with mol.with_rinv_at_nucleus(int(atom)):
            derivatives.append(mol.intor("ECPscalar_iprinv", comp=3))
    return up(np.array(derivatives))
