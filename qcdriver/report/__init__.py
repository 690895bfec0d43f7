"""Findings -> tables for a terminal: `summary` prints them all, a profile, map or network by the file of its name.

`variants` puts the profiles of an input's variants side by side.
"""
