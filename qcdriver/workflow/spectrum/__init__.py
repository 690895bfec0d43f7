"""UV-vis spectra: the excited singlets of chosen conformers, and what an experiment sees of them.

settings   [spectrum], and the level and request that follow from it
stage      the conformers that are computed, and the verdicts on them
curve      states -> a broadened curve, its bands, and how they fit measured peaks
findings   records -> states, populations, bands beside measured peaks, which isomer absorbs redder
"""
