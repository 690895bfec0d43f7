"""Find the atoms of the bi-icosahedral rod in a molecule, from the structure itself.

Neither atom order nor orientation matters. The metals are put in order along their longest principal axis and must fall
into the layers 1 5 1 5 1 5 1 5 1; from then on the axis is the line through the two centres.
"""

from __future__ import annotations

from collections import Counter

import numpy as np

from qcdriver.geometry.superposition import principal_axes
from qcdriver.models.base import Frozen
from qcdriver.models.molecule import Molecule
from qcdriver.units import ANGSTROM

_LAYERS = (1, 5, 1, 5, 1, 5, 1, 5, 1)
_ELEMENTS = ("Ag", "Au", "Au", "Ag", "Au", "Ag", "Au", "Au", "Ag")
_SHELL_ANGSTROM = (2.3, 3.5)
"""Centre to vertex of anything still called an icosahedron."""
_CONTACT_ANGSTROM = {"P": 3.0, "Cl": 3.4, "Br": 3.5}
"""A ligand atom farther from its metal than this does not belong to the rod."""


class Rod(Frozen):
    """Which atom is which; indices from 0. Of the two ends, the one with the lower atom index is the first.

    Attributes
    ----------
    shared
        The Au vertex that both icosahedra own.
    centres, apices
        Their central Au and apical Ag, one an end.
    silver_rings, gold_rings
        Ag5 next to the belt and Au5 with the phosphines, (2, 5), each in order of azimuth about the axis from the
        first centre to the second.
    phosphorus
        P bound to the gold rings, in no particular order of azimuth.
    belt_halides, terminal_halides
        Cl and Br nearest to a ring Ag, and nearest to an apical Ag.
    """

    shared: int
    centres: tuple[int, int]
    apices: tuple[int, int]
    silver_rings: tuple[tuple[int, ...], tuple[int, ...]]
    gold_rings: tuple[tuple[int, ...], tuple[int, ...]]
    phosphorus: tuple[int, ...]
    belt_halides: tuple[int, ...]
    terminal_halides: tuple[int, ...]

    def vertices(self, end: int) -> tuple[int, ...]:
        """Twelve vertices of one icosahedron (`end` 0 or 1)."""
        return (self.shared, *self.silver_rings[end], *self.gold_rings[end], self.apices[end])


def find_rod(molecule: Molecule) -> Rod | None:
    """Find the rod; None when the molecule holds none.

    It must have exactly 13 Au and 12 Ag in the layers of two icosahedra that share an Au vertex, with every vertex 2.3
    to 3.5 Angstrom from its centre. Ligands may be missing.
    """
    layers = _layers(molecule)
    if layers is None:
        return None
    first = min(layers[0] + layers[1] + layers[2] + layers[3])
    if first > min(layers[5] + layers[6] + layers[7] + layers[8]):
        layers = layers[::-1]
    (low,), gold_low, (c_low,), silver_low, (shared,), silver_high, (c_high,), gold_high, (high,) = layers
    xyz = molecule.geometry
    axis = (xyz[c_low], xyz[c_high])
    belt, terminal = _halides(molecule, silver_low + silver_high, (low, high))
    return Rod(
        shared=shared,
        centres=(c_low, c_high),
        apices=(low, high),
        silver_rings=(by_azimuth(xyz, silver_low, *axis), by_azimuth(xyz, silver_high, *axis)),
        gold_rings=(by_azimuth(xyz, gold_low, *axis), by_azimuth(xyz, gold_high, *axis)),
        phosphorus=_within(molecule, ("P",), gold_low + gold_high),
        belt_halides=belt,
        terminal_halides=terminal,
    )


def azimuths(xyz: np.ndarray, atoms: tuple[int, ...], start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Measure azimuths about an axis, right-handed, from an arbitrary but fixed zero, radian."""
    axis = (end - start) / np.linalg.norm(end - start)
    x = np.cross(axis, np.eye(3)[np.argmin(abs(axis))])
    x /= np.linalg.norm(x)
    arms = xyz[list(atoms)] - start
    around: np.ndarray = np.arctan2(arms @ np.cross(axis, x), arms @ x)
    return around


def _layers(molecule: Molecule) -> list[tuple[int, ...]] | None:
    metals = np.array([i for i, s in enumerate(molecule.symbols) if s in ("Au", "Ag")])
    if Counter(molecule.symbols[i] for i in metals) != {"Au": 13, "Ag": 12}:
        return None
    xyz = molecule.geometry[metals] * ANGSTROM
    xyz = xyz - xyz.mean(axis=0)
    direction = principal_axes(xyz)[1][0]
    # The principal axis is a first guess; the line through the two centres it finds is the rod's.
    for _ in range(2):
        order = metals[np.argsort(xyz @ direction, kind="stable")]
        layers = [tuple(int(i) for i in part) for part in np.split(order, np.cumsum(_LAYERS)[:-1])]
        direction = molecule.geometry[layers[6][0]] - molecule.geometry[layers[2][0]]
    for layer, element in zip(layers, _ELEMENTS, strict=True):
        if {molecule.symbols[i] for i in layer} != {element}:
            return None
    for centre, shell in ((2, layers[:2] + layers[3:5]), (6, layers[4:6] + layers[7:])):
        shell_atoms = [i for layer in shell for i in layer]
        distance = distances(molecule.geometry * ANGSTROM, layers[centre][0], shell_atoms)
        if distance.min() < _SHELL_ANGSTROM[0] or distance.max() > _SHELL_ANGSTROM[1]:
            return None
    return layers


def by_azimuth(xyz: np.ndarray, atoms: tuple[int, ...], start: np.ndarray, end: np.ndarray) -> tuple[int, ...]:
    """Put atoms in the order of their azimuths, see `azimuths`."""
    return tuple(atoms[k] for k in np.argsort(azimuths(xyz, atoms, start, end)))


def _halides(
    molecule: Molecule, rings: tuple[int, ...], apices: tuple[int, ...]
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    xyz = molecule.geometry
    found = _within(molecule, ("Cl", "Br"), rings + apices)
    on_apex = [distances(xyz, i, list(apices)).min() < distances(xyz, i, list(rings)).min() for i in found]
    return (
        tuple(i for i, apical in zip(found, on_apex, strict=True) if not apical),
        tuple(i for i, apical in zip(found, on_apex, strict=True) if apical),
    )


def _within(molecule: Molecule, elements: tuple[str, ...], metals: tuple[int, ...]) -> tuple[int, ...]:
    """Atoms of some elements near enough to one of the metals to be bound to it."""
    xyz = molecule.geometry * ANGSTROM
    return tuple(
        i
        for i, symbol in enumerate(molecule.symbols)
        if symbol in elements and distances(xyz, i, list(metals)).min() < _CONTACT_ANGSTROM[symbol]
    )


def distances(xyz: np.ndarray, atom: int, others: list[int]) -> np.ndarray:
    """Measure from one atom to others, in the unit of `xyz`."""
    lengths: np.ndarray = np.linalg.norm(xyz[others] - xyz[atom], axis=1)
    return lengths
