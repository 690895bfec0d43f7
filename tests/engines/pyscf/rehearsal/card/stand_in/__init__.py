"""What takes the place of a driver, and of those parts of gpu4pyscf that start CUDA kernels."""
