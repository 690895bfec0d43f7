"""What tells conformers apart: alignment, bonds and angles by symmetry orbit, chirality, the hands.

`sites` names the atoms of the core, `orbits` makes the rows, `chirality` measures the hands, and `compare` puts the
comparison together.
"""

SAME_ANGSTROM = 0.01
"""Up to this root mean square distance of all atoms two structures are one; three of 62 shifted by 0.05 make two."""
