"""`[scan]`: the lowest relaxed structure at each point of a grid of one or two coordinates.

`grid` knows points, neighbours and which of them symmetry makes equal; `wavefront` is the pure function from the state
of a scan to its next points; `rounds` asks for their relaxations; `landscape` reads a finished scan, `network` and
`unfolding` find its minima and passes.
"""
