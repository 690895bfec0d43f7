"""Findings and structures -> pictures: one file here a picture; False, and no file, where there is nothing to draw."""
