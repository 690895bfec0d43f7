"""Read whole, chemically sensible molecules from a CIF, also where the crystal is disordered.

The steps, in order:

cif          read the text: cell, operators, checked atom sites, formula tags
symmetry     find the space group, from the operators or else the symbol
repeats      leave out atoms that are listed although the symmetry makes them
unit_cell    make every atom of one cell, once, special positions included
neighbours   find close pairs across cell walls, and which of them are bonds
assemblies   sort sites with disorder tags into regions that have alternatives
disorder     choose one alternative in each of these regions
exclusions   find pairs of partly occupied atoms that cannot both be there; `unflagged` sorts atoms without tags
fragments    group partly occupied atoms into pieces that are there as a whole, and find their images
conflicts    find the images of fragments that cannot be there together
places       sort these images by place; `counts` finds how many are there
arrangement  choose the images that are there about one place
occupancy    chain the five steps before, for all places of a cell
assembly     join atoms into whole molecules and sort them into kinds; a polymer is refused
roles        tell cluster, counter-ion and solvent, and find charges; `species` lists known ions and solvents
agreement    compare the file's formulas with the molecules; `formula` reads and writes formulas
copies, mirror_images, contacts   relate molecules by operators and by mirror images, and list their neighbours
molecules    the result: `Crystal`, `CrystalMolecule`
read         `read_crystal`, which chains all steps
"""

from qcdriver.io.cif.molecules import Crystal, CrystalMolecule
from qcdriver.io.cif.read import read_crystal

__all__ = ["Crystal", "CrystalMolecule", "read_crystal"]
