"""Downhill with few gradients, and along coordinates that are measured, driven and held.

relax                  a molecule and a calculation -> the nearest minimum, coordinates held at their values
quasi_newton           gradients so far -> a model of the energy and a step
internal_coordinates   distances, angles, dihedrals and how stiff each is
coordinates            twist and dihedral: value, gradient, geometries driven to a value
primitives             values and derivatives of the simplest ones
"""
