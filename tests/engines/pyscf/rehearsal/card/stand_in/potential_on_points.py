"""gpu4pyscf.gto.int3c1e: the potential of electrons on points, and of charges on points in the basis."""

import numpy as np
from cupy._arrays import down, up
from pyscf import df, gto


def VHFOpt___init__(self, mol, *_, **__):
    self.mol = mol


def VHFOpt_build(self, *_, **__):
    return self


def VHFOpt_clear(self):
    return None


def int1e_grids(mol, grids, charge_exponents=None, dm=None, charges=None, direct_scf_tol=1e-13, intopt=None):
    points = gto.fakemol_for_charges(down(grids), expnt=down(charge_exponents))
    integrals = df.incore.aux_e2(mol, points, intor="int3c2e", aosym="s1")
    if dm is not None:
        return up(np.einsum("ijg,nij->ng", integrals, down(dm)))
    return up(np.einsum("ijg,ng->nij", integrals, down(charges)))
