"""Sum the charges of atoms over the parts of a cluster: the metal core, the halides, the ligands of one kind."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from qcdriver.geometry.bonds import ligands, metal_atoms
from qcdriver.models.molecule import Molecule, hill_formula

if TYPE_CHECKING:
    import numpy as np

CORE = "core"


def charges_by_fragment(molecule: Molecule, charges: np.ndarray) -> dict[str, float]:
    """Sum atomic charges (natoms,) over the metal core and over the ligands of each formula, the core first.

    A ligand's formula is its name: "Cl" for the halides, "H3P" for the phosphines. What they add up to is the
    molecule's charge.
    """
    found = {CORE: float(sum(charges[atom] for atom in metal_atoms(molecule)))}
    for ligand in ligands(molecule):
        formula = hill_formula(Counter(molecule.symbols[atom] for atom in ligand))
        found[formula] = found.get(formula, 0.0) + float(sum(charges[atom] for atom in ligand))
    return found
