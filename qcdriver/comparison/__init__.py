"""Conformers in, what tells them apart out: alignment, bonds and angles by symmetry orbit, chirality, the hands.

`conformers` makes sure that they are conformers at all, `sites` names the atoms of the core, `orbits` makes the rows,
`compare` puts the comparison together; `tables` and `picture` show it.
"""

SAME_ANGSTROM = 0.01
"""Up to this root mean square distance of all atoms two structures are one; three of 62 shifted by 0.05 make two."""
