"""The types that travel through the program: typed, frozen, one JSON object each and back, bit for bit.

Names are QCSchema's where it has one. Lengths are in bohr and energies in hartree. Angles are in degrees, and their
names say so. Unknown is None.
"""
