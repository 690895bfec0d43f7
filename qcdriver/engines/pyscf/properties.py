"""Properties of a converged state: charges, dipole, spin, orbital energies, files of orbitals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from qcdriver.engines.pyscf.checkpoints import Saved, read_checkpoint
from qcdriver.engines.pyscf.device_arrays import host
from qcdriver.errors import InputError
from qcdriver.models.outcomes import Orbitals
from qcdriver.store.files import whole_file
from qcdriver.units import ANGSTROM, EV

if TYPE_CHECKING:
    from pathlib import Path

ORBITAL_WINDOW_EV = 10.0
"""Orbitals this far below the HOMO and above the LUMO are kept: the valence bands that a picture shows."""


def dipole_moment(mol: Any, density: np.ndarray) -> np.ndarray:
    """Return the dipole about the origin, (3,), e*bohr, of a density (nao, nao) or (2, nao, nao)."""
    from pyscf.scf import hf

    dipole: np.ndarray = hf.dip_moment(mol, _both_spins(density), unit="AU", verbose=0)
    return dipole


def mulliken_charges(mol: Any, density: np.ndarray) -> np.ndarray:
    """Return Mulliken's charges, (natoms,) (doi:10.1063/1.1740588)."""
    from pyscf.scf import hf

    charges: np.ndarray = hf.mulliken_pop(mol, _both_spins(density), verbose=0)[1]
    return charges


def spin_square(mean_field: Any) -> float | None:
    """Return <S2> of an unrestricted state; None for a restricted one."""
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
        sorted((float(e), float(n)) for e, n in zip(*spin, strict=True) if low <= e <= high)
        for spin in zip(np.atleast_2d(host(energies)), np.atleast_2d(host(occupations)), strict=True)
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

    saved = _converged(checkpoint)
    mol, spins = saved.mol, ("",) if saved.orbitals.ndim == 2 else ("-up", "-down")
    per_spin = (np.array(values).reshape(len(spins), -1) for values in (saved.levels, saved.occupations))
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
            with whole_file(path, durable=False) as temporary:
                cubegen.orbital(mol, str(temporary), orbitals[:, which], resolution=spacing_angstrom / ANGSTROM)
            written.append(path)
    return written


_MOLDEN_HIGHEST = 4
"""Molden's format ends with g functions (https://www.theochem.ru.nl/molden/molden_format.html)."""


def write_molden(checkpoint: Path, stem: Path) -> Path:
    """Write all orbitals of a checkpoint, with basis set, energies and occupations, as STEM.molden; return the file.

    Raises
    ------
    InputError
        The checkpoint cannot be read, is of an SCF that was not done, or has basis functions beyond g.
    """
    from pyscf.tools import molden

    saved = _converged(checkpoint)
    highest = max(saved.mol.bas_angular(shell) for shell in range(saved.mol.nbas))
    if highest > _MOLDEN_HIGHEST:
        raise InputError(f"{checkpoint}: its basis set has functions beyond g, which a Molden file cannot hold")
    path = stem.with_name(f"{stem.name}.molden")
    restricted = saved.orbitals.ndim == 2
    spins = ("Alpha",) if restricted else ("Alpha", "Beta")
    arrays = [array[None] if restricted else array for array in (saved.orbitals, saved.levels, saved.occupations)]
    with whole_file(path, durable=False) as temporary, temporary.open("w", encoding="utf-8") as file:
        molden.header(saved.mol, file)
        for spin, orbitals, levels, occupations in zip(spins, *arrays, strict=True):
            molden.orbital_coeff(saved.mol, file, orbitals, spin=spin, ene=levels, occ=occupations)
    return path


def _converged(checkpoint: Path) -> Saved:
    saved = read_checkpoint(checkpoint)
    if not saved.converged:
        raise InputError(f"{checkpoint}: that SCF was not done")
    return saved


def _both_spins(density: np.ndarray) -> np.ndarray:
    return density if density.ndim == 2 else density.sum(axis=0)


def frontier(energies: Any, occupations: Any) -> tuple[float | None, float | None]:
    """Return HOMO and LUMO of arrays (nmo,) or (2, nmo), of whichever spin; None where there is none."""
    energies, occupations = host(energies), host(occupations)
    occupied = occupations > (1.0 if energies.ndim == 1 else 0.5)
    homo = float(energies[occupied].max()) if occupied.any() else None
    lumo = float(energies[~occupied].min()) if not occupied.all() else None
    return homo, lumo
