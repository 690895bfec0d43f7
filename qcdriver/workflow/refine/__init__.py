"""`[refine]`: the conformers of `[dft]` relaxed at its level, so that it and what follows have their own geometries.

settings   [refine]
stage      which conformers are relaxed, how each is judged, and what later stages compute
findings   records -> what each relaxation gained and cost, and whether it ended in the family it began in
"""
