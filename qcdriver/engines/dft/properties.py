"""A converged mean field -> what chemists ask of it: charges, dipole, spin, orbital energies, cube files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from qcdriver.engines.dft.checkpoints import read_checkpoint
from qcdriver.engines.dft.device_arrays import host
from qcdriver.errors import InputError
from qcdriver.schema import Orbitals
from qcdriver.units import ANGSTROM, EV

if TYPE_CHECKING:
    from pathlib import Path

ORBITAL_WINDOW_EV = 10.0
"""Orbitals this far below the HOMO and above the LUMO are kept: the valence bands that a picture shows."""
CHARGE_GRID_LEVEL = 0
"""Hirshfeld charges change by less than 0.005 e on finer grids."""


def dipole_moment(mol: Any, density: np.ndarray) -> np.ndarray:
    """Give the dipole about the origin, (3,), e*bohr, of a density (nao, nao) or (2, nao, nao)."""
    from pyscf.scf import hf

    dipole: np.ndarray = hf.dip_moment(mol, _both_spins(density), unit="AU", verbose=0)
    return dipole


def mulliken_charges(mol: Any, density: np.ndarray) -> np.ndarray:
    """Give Mulliken's charges, (natoms,) (doi:10.1063/1.1740588)."""
    from pyscf.scf import hf

    charges: np.ndarray = hf.mulliken_pop(mol, _both_spins(density), verbose=0)[1]
    return charges


def hirshfeld_charges(mol: Any, density: np.ndarray, atomic_density: np.ndarray) -> np.ndarray:
    """Share the electron density out by free atoms, (natoms,) (doi:10.1007/BF00549096).

    Parameters
    ----------
    density
        (nao, nao) or (2, nao, nao).
    atomic_density
        Of free, spherical, neutral atoms in the same basis, block-diagonal, (nao, nao), as `atomic_densities`
        gives it. With core potentials both lack the same cores.
    """
    from pyscf.dft import gen_grid, numint

    grids = gen_grid.Grids(mol)
    grids.level = CHARGE_GRID_LEVEL
    grids.build()
    whole = _both_spins(density)
    blocks = mol.aoslice_by_atom()[:, 2:]
    populations = np.zeros(mol.natm)
    numerical = numint.NumInt()
    for orbitals, _, weights, _ in numerical.block_loop(mol, grids, mol.nao, 0, blksize=gen_grid.BLKSIZE * 64):
        electrons = weights * np.einsum("gi,gi->g", orbitals @ whole, orbitals)
        free = np.array(
            [np.einsum("gi,gi->g", orbitals[:, i:j] @ atomic_density[i:j, i:j], orbitals[:, i:j]) for i, j in blocks]
        ).clip(0.0)
        total = free.sum(axis=0)
        populations += free @ np.divide(electrons, total, out=np.zeros_like(electrons), where=total > 1e-15)
    # The coarse grid's error in the number of electrons is shared out like the electrons.
    populations *= mol.nelectron / populations.sum()
    charges: np.ndarray = mol.atom_charges() - populations
    return charges


def atomic_densities(mol: Any) -> np.ndarray:
    """Give the block-diagonal density of free, spherical, neutral atoms, (nao, nao)."""
    from pyscf.scf import hf

    return np.asarray(hf.init_guess_by_atom(mol))


def spin_square(mean_field: Any) -> float | None:
    """Give <S2> of an unrestricted state; None for a restricted one."""
    from pyscf.scf import uhf

    orbitals, occupations = host(mean_field.mo_coeff), host(mean_field.mo_occ)
    if occupations.ndim == 1:
        return None
    filled = tuple(orbitals[spin][:, occupations[spin] > 0.5] for spin in (0, 1))
    return float(uhf.spin_square(filled, mean_field.mol.intor_symmetric("int1e_ovlp"))[0])


def orbitals_around_the_gap(energies: Any, occupations: Any, homo: float | None, lumo: float | None) -> Orbitals:
    """Keep the orbitals within `ORBITAL_WINDOW_EV` of the gap; (nmo,) arrays, for UKS (2, nmo)."""
    window = ORBITAL_WINDOW_EV / EV
    low = -np.inf if homo is None else homo - window
    high = np.inf if lumo is None else lumo + window
    kept = [
        sorted((float(e), float(n)) for e, n in zip(*each, strict=True) if low <= e <= high)
        for each in zip(np.atleast_2d(host(energies)), np.atleast_2d(host(occupations)), strict=True)
    ]
    return Orbitals(
        energies=tuple(tuple(e for e, _ in spin) for spin in kept),
        occupations=tuple(tuple(n for _, n in spin) for spin in kept),
    )


def write_frontier_cubes(checkpoint: Path, stem: Path, spacing_angstrom: float = 0.2) -> list[Path]:
    """Write HOMO and LUMO of a checkpoint as Gaussian cube files, STEM-homo.cube and STEM-lumo.cube.

    An open shell has those of either spin, STEM-homo-up.cube and so on.

    Raises
    ------
    InputError
        The checkpoint cannot be read, or is of an SCF that was not done.
    """
    from pyscf.tools import cubegen

    saved = read_checkpoint(checkpoint)
    if not saved.converged:
        raise InputError(f"{checkpoint}: that SCF was not done")
    mol, spins = saved.mol, ("",) if saved.orbitals.ndim == 2 else ("-up", "-down")
    per_spin = (np.array(each).reshape(len(spins), -1) for each in (saved.levels, saved.occupations))
    written = []
    for spin, orbitals, levels, occupations in zip(
        spins, saved.orbitals.reshape(len(spins), mol.nao, -1), *per_spin, strict=True
    ):
        filled = occupations > saved.occupations.max() / 2
        for name, found in (("homo", filled), ("lumo", ~filled)):
            if not found.any():
                continue
            which = np.where(found, levels if name == "lumo" else -levels, np.inf).argmin()
            path = stem.with_name(f"{stem.name}-{name}{spin}.cube")
            cubegen.orbital(mol, str(path), orbitals[:, which], resolution=spacing_angstrom / ANGSTROM)
            written.append(path)
    return written


def _both_spins(density: np.ndarray) -> np.ndarray:
    return density if density.ndim == 2 else density.sum(axis=0)


def frontier(energies: Any, occupations: Any) -> tuple[float | None, float | None]:
    """Give HOMO and LUMO, (nmo,) or (2, nmo) arrays; of either spin, None where there is none."""
    energies, occupations = host(energies), host(occupations)
    occupied = occupations > (1.0 if energies.ndim == 1 else 0.5)
    homo = float(energies[occupied].max()) if occupied.any() else None
    lumo = float(energies[~occupied].min()) if not occupied.all() else None
    return homo, lumo
