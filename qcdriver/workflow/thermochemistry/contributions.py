"""A record of vibrations -> its free energy at a temperature; a structure -> how often it is there."""

from __future__ import annotations

import numpy as np

from qcdriver.geometry.alignment import align
from qcdriver.models.molecule import Molecule
from qcdriver.models.outcomes import Frequencies
from qcdriver.models.records import TaskRecord
from qcdriver.optimize.free_energy import FreeEnergy, Treatment, free_energy

CHIRAL_ANGSTROM = 0.1
"""A conformer of which an atom lies farther than this from its place in the mirror image exists in two hands."""


def thermal(record: TaskRecord, temperature_k: float, treatment: Treatment) -> FreeEnergy:
    """Return the thermal part at a stationary point; noise below zero counts by its size, an imaginary mode not."""
    frequencies = record.outcome
    assert isinstance(frequencies, Frequencies)
    vibrating = np.abs(np.array(frequencies.wavenumbers_cm[frequencies.n_imaginary :]))
    return free_energy(structure(record), vibrating, temperature_k, treatment)


def structure(record: TaskRecord) -> Molecule:
    """Return the geometry of a record that has one."""
    assert record.molecule is not None
    return record.molecule


def energy(record: TaskRecord) -> float:
    """Return the energy of a record that has one, hartree."""
    assert record.result is not None
    return record.result.energy


def hands(molecule: Molecule) -> int:
    """Return 2 for a conformer that is not its own mirror image, and stands for both; else 1."""
    return 2 if align(molecule, molecule, improper=True).largest_angstrom > CHIRAL_ANGSTROM else 1
