"""The records of a scan become its landscape: `points` on the grid, with what was reached from where.

`profiles` makes findings of it, `ways` the starts of stationary points, `connections` the network of minima and
saddles.
"""
