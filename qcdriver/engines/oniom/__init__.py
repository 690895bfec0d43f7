"""ONIOM with two layers: a high level on the molecule with its ligands cut, a low level on all of it."""
