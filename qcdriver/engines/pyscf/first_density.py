"""The density with which an SCF begins: from its own last orbitals, else from those of the nearest neighbour.

Orbitals travel with their atoms: each atom's part turns as its surroundings do and is mirrored as the molecule is; they
are projected where the basis sets differ, and are made orthonormal again among themselves, so that no electron is lost.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from qcdriver.engines.pyscf.checkpoints import read_checkpoint, read_molecule
from qcdriver.engines.pyscf.scf_ladder import Start
from qcdriver.errors import InputError
from qcdriver.geometry.superposition import local_rotations, superpose
from qcdriver.store.files import is_temporary
from qcdriver.units import ANGSTROM

if TYPE_CHECKING:
    from qcdriver.engines.base import Progress
    from qcdriver.models.level import Resources

FAR_ANGSTROM = 2.0
"""Root mean square distance of the atoms. A density from farther misleads: one from 5.9 A began 74 hartree high."""
REACH = 3.0
"""Bohr; atoms about so far away are the surroundings that an atom's orbitals turn with. With orbitals from 6 deg away
the rod's SCF begins 20 mhartree above its energy then; 55 if all turn alike."""
ANCHOR = 0.1
"""Bohr**2, beside the atoms' squared distances: how much the turn of the whole molecule counts."""
EMPTY = 1e-8
"""Orbitals with fewer electrons than this do not count."""


def saved_start(mol: Any, resources: Resources, progress: Progress) -> Start | None:
    """Find the nearest density on disk: of the same SCF, cut short; else of the nearest neighbour that was done.

    A checkpoint that cannot be read is reported and skipped.
    """
    own = None if resources.checkpoint is None else Path(resources.checkpoint)
    candidates = [(own, "its checkpoint")] if own is not None and own.exists() else []
    if resources.start_from is not None:
        candidates += [
            (path, f"the density of {path.stem[:8]}, {distance * ANGSTROM:.2f} A away")
            for distance, path in neighbours(Path(resources.start_from), mol, progress)
            if path != own
        ]
    for path, source in candidates:
        try:
            start = Start(read_density(path, mol), source)
        except InputError as error:
            progress(f"SCF cannot start from {source}: {error}")
            continue
        progress(f"SCF starts from {source}")
        return start
    return None


def neighbours(folder: Path, mol: Any, progress: Progress) -> list[tuple[float, Path]]:
    """List the checkpoints of the same molecule near by that were done, with their distance in bohr, nearest first."""
    found = []
    for path in sorted(path for path in folder.glob("*.chk") if not is_temporary(path.name)):
        try:
            there, converged = read_molecule(path)
        except InputError as error:
            progress(f"stepped over: {error}")
            continue
        if converged and there.spin == mol.spin and _same_atoms(there, mol):
            found.append((superpose(mol.atom_coords(), there.atom_coords(), improper=True).rmsd, path))
    return sorted((distance, path) for distance, path in found if distance * ANGSTROM <= FAR_ANGSTROM)


def read_density(path: Path, mol: Any) -> np.ndarray:
    """Read a density matrix for `mol` from the checkpoint of the same atoms, elsewhere or in another basis set.

    Returns
    -------
    The density matrix, (nao, nao), or where either of the two is of UKS (2, nao, nao).

    Raises
    ------
    InputError
        The file is none, or is of another molecule.
    """
    saved = read_checkpoint(path)
    if not _same_atoms(saved.mol, mol):
        raise InputError(f"{path} holds other atoms, another charge or other core potentials")
    rotations = local_rotations(saved.mol.atom_coords(), mol.atom_coords(), REACH, ANCHOR)
    turned = _orbital_rotation(saved.mol, rotations) @ saved.orbitals
    there = saved.mol.set_geom_(mol.atom_coords(unit="Bohr"), unit="Bohr", inplace=False)
    return density_in(mol, there, turned, saved.occupations)


def _orbital_rotation(mol: Any, rotations: np.ndarray) -> np.ndarray:
    """Return the matrix, (nao, nao), that turns every atom's orbitals by its own rotation, (natoms, 3, 3)."""
    from pyscf.symm.Dmatrix import Dmatrix, get_euler_angles
    from scipy.linalg import block_diag

    blocks = []
    for (first, end, _, _), rotation in zip(mol.aoslice_by_atom(), rotations, strict=True):
        hand = np.sign(np.linalg.det(rotation))
        # PySCF 2.14 turns the orbitals against the matrix that turns the atoms.
        angles = get_euler_angles(np.eye(3), hand * rotation.T)
        for shell in range(first, end):
            momentum = mol.bas_angular(shell)
            turned = hand**momentum * Dmatrix(momentum, *angles, reorder_p=True)
            blocks += [turned] * mol.bas_nctr(shell)
    matrix: np.ndarray = block_diag(*blocks)
    return matrix


def _same_atoms(there: Any, mol: Any) -> bool:
    return bool(there.elements == mol.elements and there.nelectron == mol.nelectron)


def density_in(mol: Any, there: Any, orbitals: np.ndarray, occupations: np.ndarray) -> np.ndarray:
    """Return the density matrix of a molecule from orbitals in the basis of `there`, the same atoms at the same place.

    `orbitals` (nao, nmo) and `occupations` (nmo,) may have a spin axis first, whatever the molecule's own spin. Returns
    (nao, nao), where they have one and for open shells (2, nao, nao).
    """
    if orbitals.ndim == 2:
        spins = [_density(there, orbitals, occupations, mol)]
    else:
        spins = [_density(there, *spin, mol) for spin in zip(orbitals, occupations, strict=True)]
    if len(spins) == 1 and mol.spin == 0:
        return spins[0]
    if len(spins) == 1:  # as many up as down is a start that DIIS parts
        alpha, beta = (count / mol.nelectron for count in mol.nelec)
        spins = [alpha * spins[0], beta * spins[0]]
    return np.array(spins)


def _density(there: Any, orbitals: np.ndarray, occupations: np.ndarray, mol: Any) -> np.ndarray:
    from pyscf import gto
    from pyscf.scf import addons

    filled = occupations > EMPTY
    some = orbitals[:, filled]
    if not gto.same_basis_set(there, mol):
        some = addons.project_mo_nr2nr(there, some, mol)
    overlap = some.T @ mol.intor_symmetric("int1e_ovlp") @ some
    values, vectors = np.linalg.eigh(overlap)
    some = some @ (vectors / np.sqrt(values.clip(1e-6))) @ vectors.T
    density: np.ndarray = (some * occupations[filled]) @ some.T
    return density
