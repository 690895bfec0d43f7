"""gpu4pyscf.lib.utils: compiled libraries without their code."""

from stand_in.library import Library


def load_library(libname, path=None):
    return Library(libname)
