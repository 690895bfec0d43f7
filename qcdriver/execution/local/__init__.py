"""Tasks on this machine: found in the records, or computed in worker processes, while a person watches.

local        what stages ask: task -> record, on disk as soon as it is done
pool         a few worker processes, and what comes back from them
worker       the process itself: one task after another; the one place where an exception becomes a failure
tasks        what a task does: build, relax, single point
checkpoints  orbitals of single points, for the next try and for neighbours
progress     bars on a terminal, lines elsewhere
machine      cores, memory, engines, GPU
"""
