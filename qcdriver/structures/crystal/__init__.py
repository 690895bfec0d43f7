"""A CIF in, whole and chemically sensible molecules out, also where the crystal is disordered.

The steps, in order:

cif          text -> cell, operators, checked atom sites, formula tags
symmetry     operators or symbol -> the space group
unit_cell    sites -> every atom of one cell, once, special positions included
neighbours   close pairs across cell walls, and which are bonds
disorder     named alternatives -> one group for each assembly
exclusions   partly occupied atoms -> which cannot both be there; `unflagged` sorts those a file does not tell apart
fragments    partly occupied atoms -> pieces that are there as a whole, and their images
occupancy    fragments -> those that are there together, by occupancy and symmetry
assembly     atoms and bonds -> whole molecules and their copies; a polymer is refused
roles        cluster, counter-ion, solvent; charges
formula      what the file claims against what was built
copies, superposition, contacts   which operator relates two molecules, which are mirror images, who touches whom
molecules    the result: `Crystal`, `CrystalMolecule`
read         `read_crystal`, which chains them
"""

from qcdriver.structures.crystal.molecules import Crystal, CrystalMolecule
from qcdriver.structures.crystal.read import read_crystal

__all__ = ["Crystal", "CrystalMolecule", "read_crystal"]
