"""Where geometry comes from, and what can be read off it.

Built from a published description: `au13ag12` puts a metal core, a belt of halides and phosphines (`ligands`) together
and `placement` turns the phosphines until nothing clashes. Read from a file: `files` (extended XYZ).

Whatever the source: `description` says formula, mass and electrons, `bonds` who is bonded to whom and what broke on
relaxation, `rod_atoms` which atom of a rod is which, `rod` its twist and what its halides bind. Between conformers:
`topology` is what they share, `assignment`, `ligand_mapping` and `alignment` lay one on the other, `similarity` says
which are the same or mirror images, `symmetry` finds the rotations they have, `chirality` how far each is from its
mirror image.
"""

from qcdriver.structures.alignment import Alignment, align
from qcdriver.structures.au13ag12 import RodModel, build_rod
from qcdriver.structures.bonds import bond_matrix, broken, components, fragments, is_metal, ligands
from qcdriver.structures.description import Description, describe
from qcdriver.structures.files import read_xyz, write_xyz
from qcdriver.structures.rod import (
    Rod,
    RodMeasures,
    belt_coordinate,
    find_rod,
    folded_belt_deg,
    measure_rod,
    twist_coordinate,
)
from qcdriver.structures.similarity import likeness

__all__ = [
    "Alignment",
    "Description",
    "Rod",
    "RodMeasures",
    "RodModel",
    "align",
    "belt_coordinate",
    "bond_matrix",
    "broken",
    "build_rod",
    "components",
    "describe",
    "find_rod",
    "folded_belt_deg",
    "fragments",
    "is_metal",
    "ligands",
    "likeness",
    "measure_rod",
    "read_xyz",
    "twist_coordinate",
    "write_xyz",
]
