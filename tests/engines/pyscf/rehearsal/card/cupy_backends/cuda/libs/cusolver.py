"""What CuPy binds of CUDA: nothing is called."""
