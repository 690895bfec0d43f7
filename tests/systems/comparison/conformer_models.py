"""Three C3 models of Cu14 that differ by known amounts, and any molecule in disguise."""

import numpy as np
from scipy.spatial.transform import Rotation

from qcdriver.models.molecule import Molecule
from qcdriver.systems.cu14 import Cu14Model, build_cu14
from qcdriver.units import ANGSTROM

RIM = (11, 12, 13)
"""The three Cu at the centres of the base edges of tetrahedron 1, as `build_cu14` orders its atoms."""
BASE1 = (1, 2, 3)
A = build_cu14(Cu14Model(skew_deg=15))


def rim_shifted(molecule, shift_angstrom):
    """Move each rim Cu along its base edge, between two base1 Cu: one distance shrinks as much as the other grows."""
    xyz = molecule.geometry.copy()
    for k, atom in enumerate(RIM):
        one, other = (xyz[BASE1[(k + step) % 3]] for step in (1, 2))
        xyz[atom] = xyz[atom] + shift_angstrom / ANGSTROM * (other - one) / np.linalg.norm(other - one)
    return molecule.moved(xyz)


B, C = rim_shifted(A, 0.05), rim_shifted(A, 0.12)


def disguised(molecule, seed, mirror=False):
    """The same molecule in another atom order, orientation and place, and if wanted of the other hand."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(molecule.symbols))
    xyz = molecule.geometry[order] @ Rotation.random(rng=rng).as_matrix().T + rng.normal(size=3)
    return Molecule(
        symbols=tuple(molecule.symbols[i] for i in order),
        geometry=xyz * ([1, 1, -1] if mirror else [1, 1, 1]),
        molecular_charge=molecule.molecular_charge,
    )
