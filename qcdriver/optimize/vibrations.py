"""A stationary point in, its harmonic wavenumbers out: a minimum has no imaginary one, a saddle exactly one.

Central differences of gradients give the Hessian of the atoms that move, and those of the dipoles that come with the
gradients the infrared intensities, in the double harmonic approximation (Wilson, Decius, Cross, Molecular Vibrations,
1955). What moves these as one piece and no other
atom at all is projected out: six motions of a molecule, five if it is linear, none of a part of a cluster.
Masses are the elements' standard atomic weights as `ase.data` has them (IUPAC 2016, doi:10.1515/pac-2015-0305): means
over the isotopes, as of a sample. How many wavenumbers are imaginary does not depend on them (Sylvester's law).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from qcdriver.errors import InputError
from qcdriver.geometry.rigid import rigid_motions
from qcdriver.models.outcomes import Frequencies
from qcdriver.units import DALTON, INFRARED_KM_MOL, WAVENUMBER

if TYPE_CHECKING:
    from qcdriver.engines.base import Calculation, Progress
    from qcdriver.models.molecule import Molecule
    from qcdriver.models.tasks import Vibrations

NOISE_CM = 10.0
"""An imaginary wavenumber smaller than this (1/cm) counts as none: a step in a straight line of 0.005 bohr gives a free
rotation of PH3 or ethane 6, with GFN1-xTB, and a soft libration of a ligand is nearly one."""
_RIGID = 1e-3
"""A rotation that moves the atoms by less than this part of what others do is none: the molecule is linear."""


def vibrations(task: Vibrations, calculation: Calculation, progress: Progress) -> Frequencies:
    """Compute the wavenumbers of a molecule, or of a part of it while the rest stands still.

    Parameters
    ----------
    task
        6 n + 1 gradients for n atoms that move.
    progress
        Told a line after every atom.

    Raises
    ------
    InputError
        A single free atom: nothing vibrates.
    """
    molecule = task.molecule
    moving = np.array(sorted({*task.atoms}) or range(len(molecule.symbols)))
    roots = np.sqrt(np.repeat(_masses(molecule.numbers[moving]), 3))
    internal = _internal_motions(molecule.geometry, moving, roots)
    if not internal.size:
        raise InputError(f"{molecule.formula}: a single atom does not vibrate")
    result = calculation.compute(molecule.geometry, "gradient")

    hessian, polarity = derivatives(calculation, molecule.geometry, moving, task.step, progress)
    hessian = hessian / np.outer(roots, roots)
    values, vectors = np.linalg.eigh(internal.T @ hessian @ internal)
    wavenumbers = np.sign(values) * np.sqrt(np.abs(values)) * WAVENUMBER
    modes = internal @ vectors / roots[:, None]
    intensities = None
    if polarity is not None:
        polarity = polarity + _moved_origin(molecule, moving)
        intensities = tuple((INFRARED_KM_MOL * ((polarity.T @ modes) ** 2).sum(axis=0)).tolist())
    mode = np.zeros_like(molecule.geometry)
    mode[moving] = modes[:, 0].reshape(-1, 3)
    assert result.gradient is not None
    return Frequencies(
        wavenumbers_cm=tuple(wavenumbers.tolist()),
        n_imaginary=int((wavenumbers <= -NOISE_CM).sum()),
        mode=mode / np.linalg.norm(mode),
        result=result.model_copy(update={"gradient": None}),
        n_gradients=1 + 2 * len(roots),
        max_force=float(np.abs(result.gradient[moving]).max()),
        intensities_km_mol=intensities,
    )


def derivatives(
    calculation: Calculation, geometry: np.ndarray, moving: np.ndarray, step: float, progress: Progress
) -> tuple[np.ndarray, np.ndarray | None]:
    """Differentiate gradient and dipole over the coordinates of n moving atoms, by 6 n gradients.

    Parameters
    ----------
    geometry
        (natoms, 3).
    moving
        Indices of the atoms.
    step
        Of the central differences, bohr.

    Returns
    -------
    tuple
        The Hessian, (3 n, 3 n), hartree/bohr^2, symmetric; derivatives of the dipole, (3 n, 3), None where the engine
        gives none.
    """

    def slope(geometry: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        found = calculation.compute(geometry, "gradient")
        assert found.gradient is not None
        return found.gradient[moving].ravel(), found.dipole

    rows, polarity = [], []
    for count, atom in enumerate(moving, start=1):
        for axis in range(3):
            shift = np.zeros_like(geometry)
            shift[atom, axis] = step
            (ahead, there), (behind, back) = slope(geometry + shift), slope(geometry - shift)
            rows.append((ahead - behind) / (2 * step))
            if there is not None and back is not None:
                polarity.append((there - back) / (2 * step))
        progress(f"{count} of {len(moving)} atoms moved")
    hessian = np.array(rows)
    return (hessian + hessian.T) / 2, np.array(polarity) if len(polarity) == len(rows) else None


def _moved_origin(molecule: Molecule, moving: np.ndarray) -> np.ndarray:
    """Return how the dipole of a charged molecule about a point at rest changes beyond that of `Result`, (3 n, 3).

    That one is about the centre of nuclear charge, which moves with the nuclei, and the vibrating charge with it.
    """
    share = molecule.numbers[moving] / molecule.numbers.sum()
    whole: np.ndarray = molecule.molecular_charge * np.kron(share[:, None], np.eye(3))
    return whole


def _masses(numbers: np.ndarray) -> np.ndarray:
    """In electron masses."""
    from ase.data import atomic_masses_iupac2016

    masses: np.ndarray = atomic_masses_iupac2016[numbers] / DALTON
    return masses


def _internal_motions(geometry: np.ndarray, moving: np.ndarray, roots: np.ndarray) -> np.ndarray:
    """Span what is no rigid motion: orthonormal columns over mass-weighted coordinates, (3 n, 3 n - 6 or more)."""
    rigid = rigid_motions(geometry)
    still = np.delete(rigid, moving, axis=1).reshape(6, -1)
    allowed = _null_space(still.T) if still.size else np.eye(6)  # rigid motions that leave the others where they are
    moved = rigid[:, moving].reshape(6, -1).T @ allowed * roots[:, None]
    return _null_space(moved.T) if moved.size else np.eye(len(roots))


def _null_space(matrix: np.ndarray) -> np.ndarray:
    """Orthonormal columns that a matrix makes zero."""
    from scipy.linalg import null_space

    columns: np.ndarray = null_space(matrix, rcond=_RIGID)
    return columns
