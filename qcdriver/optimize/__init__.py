"""Downhill with few gradients, and along coordinates that are measured, driven and held.

relax                  a molecule and a calculation -> the nearest minimum, coordinates held at their values
quasi_newton           gradients so far -> a model of the energy and a step
internal_coordinates   distances, angles, dihedrals and how stiff each is
coordinates            distance, angle, dihedral, twist, belt and their sums: value, gradient
driving                geometries driven to wanted values of coordinates, or held at them
rigid                  the two sides of a coordinate moved against each other
band                   the path of lowest energy between two minima
saddle                 the saddle near the top of a path
vibrations             the wavenumbers of a stationary point
primitives             values and derivatives of the simplest coordinates
"""
