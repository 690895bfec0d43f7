"""How much the order and the gaps of the conformers hang on the level: the same geometries at further levels.

settings   [sensitivity], and the level that each of its entries stands for
stage      every conformer of [dft] at every further level
findings   records -> energies and gaps by level, how far they spread, and which differences keep their sign
"""
