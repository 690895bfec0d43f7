"""An engine of its own in one class: a force field of Morse bonds and repulsion, as another package would bring it."""

from __future__ import annotations

import numpy as np
from pydantic import Field

from qcdriver.engines import Calculation, Engine, Needs
from qcdriver.engines.checks import check_geometry, choices
from qcdriver.errors import InputError
from qcdriver.models.base import Frozen
from qcdriver.models.outcomes import Result

RADII = {"H": 0.6, "C": 1.4, "N": 1.3, "O": 1.24}


class ToyKeywords(Frozen):
    depth: float = Field(default=0.15, gt=0)


class ToyEngine(Engine[ToyKeywords]):
    name = "toy"
    Keywords = ToyKeywords
    methods = ("morse",)

    def version(self, device="cpu"):
        return "1.0"

    def check(self, molecule, model, keywords, driver="energy"):
        if model.method not in self.methods:
            raise InputError(f"toy has no method {model.method!r}; {choices(model.method, self.methods)}")
        if molecule.molecular_multiplicity > 2:
            raise InputError(f"multiplicity {molecule.molecular_multiplicity} is impossible in a force field")
        if unknown := set(molecule.symbols) - set(RADII):
            raise InputError(f"toy has no {', '.join(sorted(unknown))}; there are {', '.join(RADII)}")
        check_geometry(molecule.symbols, molecule.geometry)

    def estimate(self, molecule, model, keywords, resources):
        return Needs()

    def start(self, molecule, model, keywords, resources, progress):
        return _ToyCalculation(molecule.symbols, keywords)


class _ToyCalculation(Calculation):
    def __init__(self, symbols, keywords):
        self._symbols, self._depth = symbols, keywords.depth
        radii = np.array([RADII[symbol] for symbol in symbols])
        self._lengths = radii[:, None] + radii
        hydrogen = np.array([symbol == "H" for symbol in symbols])
        self._bonding = 1.0 - np.outer(hydrogen, hydrogen)

    def compute(self, geometry, driver):
        check_geometry(self._symbols, geometry)
        energy, gradient = 0.0, np.zeros_like(geometry)
        for i in range(len(geometry)):
            for j in range(i):
                vector = geometry[i] - geometry[j]
                distance = np.linalg.norm(vector)
                stretch = np.exp(-(distance - self._lengths[i, j]))
                attraction = 2 * self._bonding[i, j]
                energy += self._depth * (stretch**2 - attraction * stretch)
                slope = self._depth * (attraction * stretch - 2 * stretch**2)
                gradient[i] += slope * vector / distance
                gradient[j] -= slope * vector / distance
        return Result(energy=energy, gradient=gradient if driver == "gradient" else None, device="cpu")
