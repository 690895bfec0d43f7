"""CuPy's extensions, as far as gpu4pyscf loads them."""
