"""Two molecules in, whether they are one and the same structure out."""

from __future__ import annotations

import numpy as np

from qcdriver.schema import Molecule
from qcdriver.units import ANGSTROM


def same_structure(a: Molecule, b: Molecule, tolerance_angstrom: float = 0.1) -> bool:
    """Tell whether two conformers are the same, whatever their atom order, orientation and hand.

    Each atom is described by its sorted distances to the atoms of each element; atoms of one element are then matched
    one to one so that these agree best. The same, if for every atom the root mean square difference of its
    distances stays within the tolerance, and charge, spin and composition are equal.

    It can miss a difference that moves no atom by about the tolerance; two different structures in which every atom
    sees the same sorted distances would pass, but need a coincidence at every atom at once. Bonds are not looked at.

    Parameters
    ----------
    a, b
        Geometries of any size; time and memory grow as natoms**3 (a second for 400 atoms).
    tolerance_angstrom
        Of the order of what a relaxation leaves open: 0.1 for xTB at 0.01 eV/Angstrom.
    """
    same_species = (
        sorted(a.symbols) == sorted(b.symbols)
        and a.molecular_charge == b.molecular_charge
        and a.molecular_multiplicity == b.molecular_multiplicity
    )
    return same_species and _largest_mismatch(a, b) * ANGSTROM <= tolerance_angstrom


def _largest_mismatch(a: Molecule, b: Molecule) -> float:
    """Root mean square difference of distances for the worst of the matched atoms, bohr."""
    from scipy.optimize import linear_sum_assignment
    from scipy.spatial.distance import cdist

    seen_a, seen_b = _surroundings(a), _surroundings(b)
    worst = 0.0
    for element in set(a.symbols):
        of_a = seen_a[np.array(a.symbols) == element]
        of_b = seen_b[np.array(b.symbols) == element]
        squares = cdist(of_a, of_b, "sqeuclidean") / max(of_a.shape[1] - 1, 1)
        worst = max(worst, float(squares[linear_sum_assignment(squares)].max()))
    return float(np.sqrt(worst))


def _surroundings(molecule: Molecule) -> np.ndarray:
    """Distances from each atom to all, sorted within each element, (natoms, natoms), bohr."""
    from scipy.spatial.distance import cdist

    distance = cdist(molecule.geometry, molecule.geometry)
    symbols = np.array(molecule.symbols)
    return np.hstack([np.sort(distance[:, symbols == element]) for element in sorted(set(molecule.symbols))])
