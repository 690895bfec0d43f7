"""Molecules -> structures for the 3-D view; what many of them share is kept once."""

from __future__ import annotations

from typing import Any

import numpy as np

from qcdriver.geometry.bonds import bond_matrix
from qcdriver.models.molecule import Molecule
from qcdriver.models.verdicts import BondChange, Verdict
from qcdriver.report.page.model import Guide, Structure, Structures
from qcdriver.systems.registry import recognise
from qcdriver.units import ANGSTROM

_PER_ANGSTROM = 1000
"""Coordinates are rounded to a thousandth of an Angstrom."""


class Gallery:
    """Collects structures; one that is there already is not kept twice."""

    def __init__(self) -> None:
        self._shared: dict[str, dict[str, int]] = {"symbols": {}, "bonds": {}, "guides": {}, "sites": {}}
        self._values: dict[str, list[Any]] = {"symbols": [], "bonds": [], "guides": [], "sites": []}
        self._items: dict[Structure, int] = {}

    def add(self, molecule: Molecule, opened: tuple[Guide, ...] = ()) -> int:
        """Take a molecule in, and return its place among the structures.

        Parameters
        ----------
        opened
            Bonds of it that are open, `opened_bonds`.
        """
        known = recognise(molecule)
        lines = known.family.guides(molecule, known.found) if known else {}
        guides = (*(Guide(name=name, atoms=atoms) for name, atoms in lines.items()), *opened)
        bonds = bond_matrix(molecule).tocoo()
        pairs = np.array([bonds.coords[0], bonds.coords[1]]).T
        places = np.rint(molecule.geometry * ANGSTROM * _PER_ANGSTROM).astype(int)
        structure = Structure(
            symbols=self._place("symbols", molecule.symbols),
            bonds=self._place("bonds", tuple(pairs[pairs[:, 0] < pairs[:, 1]].ravel().tolist())),
            guides=self._place("guides", guides),
            sites=self._place("sites", known.family.site_names(known.found) if known else {}),
            places=tuple(places.ravel().tolist()),
        )
        return self._items.setdefault(structure, len(self._items))

    def structures(self) -> Structures:
        """Return all that was taken in."""
        return Structures(**{name: tuple(values) for name, values in self._values.items()}, items=tuple(self._items))

    def _place(self, kind: str, value: Any) -> int:
        known, values = self._shared[kind], self._values[kind]
        found = known.setdefault(repr(value), len(values))
        if found == len(values):
            values.append(value)
        return found


def opened_bonds(verdict: Verdict) -> tuple[Guide, ...]:
    """Return the bonds that a verdict says are open: of several, the first."""
    changes = [note.facts for note in verdict.notes if isinstance(note.facts, BondChange)]
    return tuple(Guide(name="open", atoms=change.atoms, dashed=True) for change in changes if len(change.atoms) == 2)
