"""Where an SCF begins: its own last orbitals, else those of the nearest neighbour; orbitals in, a density matrix out.

Orbitals travel with their atoms: they turn and are mirrored as the molecule is, are projected where the basis sets
differ, and are made orthonormal again among themselves, so that no electron is lost.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from qcdriver.engines.checkpoints import read_checkpoint, read_molecule
from qcdriver.engines.scf_ladder import Start
from qcdriver.errors import InputError
from qcdriver.units import ANGSTROM

if TYPE_CHECKING:
    from qcdriver.engines.base import Progress
    from qcdriver.schema import Resources

FAR_ANGSTROM = 2.0
"""Root mean square distance of the atoms. A density from farther misleads: one from 5.9 A began 74 hartree high."""
EMPTY = 1e-8
"""Orbitals with fewer electrons than this do not count."""


def saved_start(mol: Any, resources: Resources, progress: Progress) -> Start | None:
    """Find the nearest density on disk: of the same SCF, cut short; else of the nearest neighbour that was done.

    What cannot be read is told and stepped over.
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
    for path in sorted(folder.glob("*.chk")):
        try:
            there, converged = read_molecule(path)
        except InputError as error:
            progress(f"stepped over: {error}")
            continue
        if converged and there.spin == mol.spin and _same_atoms(there, mol):
            found.append((superposition(there.atom_coords(), mol.atom_coords())[1], path))
    return sorted(each for each in found if each[0] * ANGSTROM <= FAR_ANGSTROM)


def superposition(geometry: np.ndarray, onto: np.ndarray) -> tuple[np.ndarray, float]:
    """Turn a geometry onto another, both (natoms, 3), atom by atom (doi:10.1107/S0567739476001873).

    Returns
    -------
    The rotation, (3, 3), which takes a position r about the centre to `rotation @ r`, and the root mean square of what
    is left. Of the other hand it is one with inversion, its determinant -1.
    """
    here, there = geometry - geometry.mean(axis=0), onto - onto.mean(axis=0)
    left, _, right = np.linalg.svd(there.T @ here)
    rotation = left @ right
    return rotation, float(np.sqrt(((here @ rotation.T - there) ** 2).sum(axis=1).mean()))


def read_density(path: Path, mol: Any) -> np.ndarray:
    """Read a density matrix for `mol` from the checkpoint of the same atoms, elsewhere or in another basis set.

    Returns
    -------
    The density matrix, (nao, nao), for UKS (2, nao, nao).

    Raises
    ------
    InputError
        The file is none, or is of another molecule.
    """
    saved = read_checkpoint(path)
    if not _same_atoms(saved.mol, mol):
        raise InputError(f"{path} holds other atoms, another charge or other core potentials")
    rotation, _ = superposition(saved.mol.atom_coords(), mol.atom_coords())
    hand = np.sign(np.linalg.det(rotation))
    # PySCF 2.14 turns the orbitals against the matrix that turns the atoms.
    turned = saved.mol.ao_rotation_matrix(hand * rotation.T) @ saved.orbitals
    if hand < 0:
        turned = _parity(saved.mol)[:, None] * turned
    there = saved.mol.set_geom_(mol.atom_coords(unit="Bohr"), unit="Bohr", inplace=False)
    return density_in(mol, there, turned, saved.occupations)


def _parity(mol: Any) -> np.ndarray:
    """Tell of each atomic orbital, (nao,), whether inversion changes its sign: -1 for p, f, ..."""
    momenta = [mol.bas_angular(shell) for shell in range(mol.nbas)]
    counts = np.diff(mol.ao_loc_nr())
    return np.repeat([(-1.0) ** momentum for momentum in momenta], counts)


def _same_atoms(there: Any, mol: Any) -> bool:
    return bool(there.elements == mol.elements and there.nelectron == mol.nelectron)


def density_in(mol: Any, there: Any, orbitals: np.ndarray, occupations: np.ndarray) -> np.ndarray:
    """Give the density matrix of a molecule from orbitals in the basis of `there`, the same atoms at the same place.

    `orbitals` (nao, nmo) and `occupations` (nmo,) may have a spin axis first, whatever the molecule's own spin. Returns
    (nao, nao), for UKS (2, nao, nao).
    """
    if orbitals.ndim == 2:
        spins = [_density(there, orbitals, occupations, mol)]
    else:
        spins = [_density(there, *each, mol) for each in zip(orbitals, occupations, strict=True)]
    if mol.spin == 0:
        return sum(spins[1:], spins[0])
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
