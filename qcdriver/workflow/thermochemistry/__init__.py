"""Free energies, and what follows from them: populations, rates over verified saddles, time courses.

settings       [thermochemistry]
stage          vibrations of every conformer, and what is found
contributions  one record of vibrations -> its free energy at a temperature, and how often a structure is there
free_energies  of the conformers, and their populations at the level of the vibrations
boltzmann      free energies as functions of the temperature -> populations, and where two are equal: pure mathematics
populations    free energies at the highest level -> populations over a range of temperatures, with bands
averages       populations -> means of gap, coordinates and belt, over conformers and over points of the scan
passages       verified saddles -> rates from minimum to minimum
kinetics       rates -> populations after any time: the master equation, pure mathematics
time_course    passages -> the populations from a named start, over time
findings       the types of what is found
"""
