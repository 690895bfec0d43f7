"""Sparse matrices: only their solvers are named."""
