"""What no number of any method can break, for the gate of the engines and for whoever reads records again."""

from __future__ import annotations

import numpy as np

from qcdriver.models.molecule import Molecule

ROOM_ABOVE = 2.0
"""Hartree an atom, by which an energy may lie above the repulsion of the bare nuclei: ions whose electrons a minimal
basis hardly binds (Sc2+ in GFN1-xTB: 1.8)."""
CHARGE_NOISE = 1e-3
"""Electrons, by which the sum of the atoms' charges may miss the molecule's."""
_CLOSEST = 1e-3
"""Bohr; atoms in one place, in a record that was edited, repel each other as if so far apart."""


def highest_energy(molecule: Molecule) -> float:
    """Return the highest energy that a molecule could have by any method, hartree: its bare nuclei, and room."""
    numbers = np.asarray(molecule.numbers, dtype=float)
    from scipy.spatial.distance import cdist

    distances = cdist(molecule.geometry, molecule.geometry).clip(min=_CLOSEST)
    np.fill_diagonal(distances, np.inf)
    repulsion = float(numbers @ (1 / distances) @ numbers) / 2
    return repulsion + ROOM_ABOVE * len(numbers)


def missing_charge(charges: np.ndarray, molecule: Molecule) -> str | None:
    """Return what atomic charges, (natoms,), do, in words that follow them: they add up to another charge; or None."""
    if abs(charges.sum() - molecule.molecular_charge) <= CHARGE_NOISE:
        return None
    return f"add up to {charges.sum():+.4f}, not to {molecule.molecular_charge:+d}"
