"""SciPy's functions on the card."""
