"""Modules of gpu4pyscf have some of their functions replaced as soon as they are imported; all else is as published."""

import importlib
import importlib.abc
import importlib.machinery
import sys
import types

REPLACED = {
    "gpu4pyscf.lib.utils": ("libraries",),
    "gpu4pyscf.lib.cupy_helper": ("arrays",),
    "gpu4pyscf.pbc.gto.int1e": ("one_electron",),
    "gpu4pyscf.gto.ecp": ("core_potentials",),
    "gpu4pyscf.df.j_engine_3c2e": ("nuclei",),
    "gpu4pyscf.df.df_jk": ("fitted",),
    "gpu4pyscf.scf.hf": ("exact",),
    "gpu4pyscf.dft.gen_grid": ("grids",),
    "gpu4pyscf.dft.numint": ("exchange_correlation",),
    "gpu4pyscf.gto.int3c1e": ("potential_on_points",),
    "gpu4pyscf.solvent.pcm": ("cavity",),
    "gpu4pyscf.grad.rhf": ("gradient_one_electron",),
    "gpu4pyscf.grad.rks": ("gradient_grid", "gradient_nonlocal"),
    "gpu4pyscf.grad.uks": ("gradient_grid",),
    "gpu4pyscf.df.grad.rhf": ("gradient_fitted",),
    "gpu4pyscf.df.grad.uhf": ("gradient_fitted",),
}
"""Modules of gpu4pyscf, and those here whose functions take the place of the ones of the same name.

`Grids_build` takes the place of the method `build` of the class `Grids`.
"""


class AfterImport(importlib.abc.MetaPathFinder):
    """Finds the modules that are replaced in part, and replaces that once they are loaded."""

    def find_spec(self, name, path, target=None):
        if name not in REPLACED:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path)
        load = spec.loader.exec_module

        def exec_module(module):
            load(module)
            for stand_in in REPLACED[name]:
                replace(module, importlib.import_module(f"stand_in.{stand_in}"))

        spec.loader.exec_module = exec_module
        return spec


def replace(module, stand_in):
    """Put the functions that a module here defines in the place of another's.

    Raises
    ------
    AttributeError
        That module has no function or method of the name: gpu4pyscf has changed.
    """
    for name, function in vars(stand_in).items():
        if not isinstance(function, types.FunctionType) or function.__module__ != stand_in.__name__:
            continue
        owner, attribute = module, name
        if name[0].isupper():
            kind, attribute = name.split("_", 1)
            owner = getattr(module, kind)
        getattr(owner, attribute)
        setattr(owner, attribute, function)


def install():
    """Replace from now on."""
    sys.meta_path.insert(0, AfterImport())
