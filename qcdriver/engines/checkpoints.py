"""The orbitals of an SCF on disk: written while it runs, read where it goes on, or where a neighbour begins.

The files are PySCF's own checkpoint files, so any PySCF script reads them. A killed SCF leaves a whole file: each is
written beside its place and moved there.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np

from qcdriver.engines.scf_ladder import host

SHARE = 0.01
"""Of the time of an SCF, at most this goes into writing its checkpoint."""
EMPTY = 1e-8
"""Orbitals with fewer electrons than this do not count."""


class Checkpoint:
    """The checkpoint file of one SCF; no path, no file."""

    def __init__(self, path: str | None, mol: Any) -> None:
        self._path = None if path is None else Path(path)
        self._mol = mol
        self._not_before = 0.0

    def keep(self, orbitals: Any, occupations: Any) -> None:
        """Save orbitals (nao, nmo) and occupations (nmo,), with a spin axis first for UKS, if it is time again."""
        started = time.monotonic()
        if self._path is None or started < self._not_before:
            return
        self._write(host(orbitals), host(occupations), None, None)
        finished = time.monotonic()
        self._not_before = finished + (finished - started) / SHARE

    def finish(self, mean_field: Any, kept: bool) -> None:
        """Save what was converged to, or remove the file."""
        if self._path is None:
            return
        if kept:
            orbitals, occupations = host(mean_field.mo_coeff), host(mean_field.mo_occ)
            self._write(orbitals, occupations, host(mean_field.mo_energy), float(mean_field.e_tot))
        else:
            self._path.unlink(missing_ok=True)

    def _write(self, orbitals: np.ndarray, occupations: np.ndarray, levels: Any, energy: float | None) -> None:
        from pyscf.scf import chkfile

        assert self._path is not None
        self._path.parent.mkdir(parents=True, exist_ok=True)
        part = self._path.with_name(self._path.name + ".part")
        part.unlink(missing_ok=True)
        nothing = np.full(occupations.shape, np.nan)
        chkfile.dump_scf(
            self._mol,
            str(part),
            np.nan if energy is None else energy,
            nothing if levels is None else levels,
            orbitals,
            occupations,
        )
        part.replace(self._path)


def read_density(path: str, mol: Any) -> tuple[np.ndarray | None, str | None]:
    """Read a density matrix for `mol` from the checkpoint of the same atoms, elsewhere or in another basis set.

    Orbitals travel with their atoms, are projected where the basis sets differ, and are made orthonormal again among
    themselves, so that no electron is lost.

    Returns
    -------
    The density matrix, (nao, nao), for UKS (2, nao, nao), or None and why there is none.
    """
    from pyscf.scf import chkfile

    if not Path(path).is_file():
        return None, f"there is no {path}"
    try:
        saved, scf = chkfile.load_scf(path)
        orbitals, occupations = np.asarray(scf["mo_coeff"]), np.asarray(scf["mo_occ"])
    except (OSError, KeyError, ValueError, TypeError) as error:
        return None, f"{path} cannot be read ({type(error).__name__})"
    if saved.elements != mol.elements or saved.nelectron != mol.nelectron:
        return None, f"{path} holds other atoms, another charge or other core potentials"
    there = saved.set_geom_(mol.atom_coords(unit="Bohr"), unit="Bohr", inplace=False)
    return density_in(mol, there, orbitals, occupations), None


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
