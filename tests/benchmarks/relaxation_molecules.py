"""Starts of the relaxation benchmark: molecules of ASE's g2 set and own constructions with linear parts, distorted."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from ase.build import molecule as ase_molecule
from ase.collections import g2

from qcdriver.models.molecule import Molecule
from qcdriver.units import ANGSTROM

LINEAR_PARTS = ("CH3CN", "C3H4_D2d", "C3H4_C3v", "2-butyne", "H2CCHCN", "CF3CN")
"""Of g2, 6 to 16 atoms: acetonitrile, allene, propyne, 2-butyne, acrylonitrile, trifluoroacetonitrile."""
LINEAR = ("C2H2", "HCN", "CO2", "N2O")


def g2_names() -> Iterator[str]:
    """Closed-shell molecules of 6 to 16 atoms without linear parts."""
    for name in g2.names:
        atoms = ase_molecule(name)
        if 6 <= len(atoms) <= 16 and atoms.numbers.sum() % 2 == 0 and name not in LINEAR_PARTS:
            yield name


def from_g2(name: str) -> Molecule:
    """As ASE has it (MP2/6-31G*)."""
    atoms = ase_molecule(name)
    return Molecule(symbols=tuple(atoms.symbols), geometry=atoms.positions / ANGSTROM)


def distorted(molecule: Molecule, by_angstrom: float, seed: int = 0) -> Molecule:
    """Displace every coordinate by a normal deviate."""
    shift = np.random.default_rng(seed).normal(0.0, by_angstrom / ANGSTROM, molecule.geometry.shape)
    return molecule.moved(molecule.geometry + shift)


def chain(rod: list[tuple[str, float]], tops: tuple[str, str], charge: int = 0, twist_deg: float = 60.0) -> Molecule:
    """Put atoms on a line and a group at either end of it.

    Parameters
    ----------
    rod
        Element and the distance to the atom before, Angstrom.
    tops
        What the ends carry: "" nothing, "3X" three atoms X in a cone, "2X" two in a plane, "1X" one on the line.
    charge
        Of the whole.
    twist_deg
        From the first group to the last.
    """
    heights = np.cumsum([distance for _, distance in rod])
    symbols = [symbol for symbol, _ in rod]
    places = [(0.0, 0.0, z) for z in heights]
    for end, (top, up, height) in enumerate(zip(tops, (-1.0, 1.0), (heights[0], heights[-1]), strict=True)):
        n, element = int(top[:1] or 0), top[1:]
        reach = {"H": 1.09, "F": 1.35, "C": 1.5}.get(element, 1.5) + (0.33 if symbols[-end] in ("P", "Si") else 0.0)
        slope = np.radians({1: 0.0, 2: 60.0}.get(n, 70.5))
        for k in range(n):
            turn = 2 * np.pi * k / n + end * np.radians(twist_deg)
            radial = reach * np.sin(slope)
            places.append((radial * np.cos(turn), radial * np.sin(turn), height + up * reach * np.cos(slope)))
            symbols.append(element)
    return Molecule(symbols=tuple(symbols), geometry=np.array(places) / ANGSTROM, molecular_charge=charge)


def phenylacetylene() -> Molecule:
    """Regular benzene with an ethynyl group."""
    ring = [(np.cos(a), np.sin(a), 0.0) for a in np.radians(60.0 * np.arange(6))]
    symbols = ["C"] * 6 + ["H"] * 5 + ["C", "C", "H"]
    places = [1.39 * np.array(p) for p in ring] + [2.48 * np.array(p) for p in ring[1:]]
    places += [np.array([x, 0.0, 0.0]) for x in (2.82, 4.03, 5.09)]
    return Molecule(symbols=tuple(symbols), geometry=np.array(places) / ANGSTROM)


def constructed() -> dict[str, Molecule]:
    """Name to molecule; all have linear parts."""
    return {
        "[Ag(NCMe)2]+": chain(
            [("C", 0.0), ("C", 1.46), ("N", 1.16), ("Ag", 2.1), ("N", 2.1), ("C", 1.16), ("C", 1.46)], ("3H", "3H"), 1
        ),
        "MeNC": chain([("C", 0.0), ("N", 1.42), ("C", 1.17)], ("3H", "")),
        "diacetylene": chain([("C", 0.0), ("C", 1.21), ("C", 1.38), ("C", 1.21)], ("1H", "1H")),
        "butatriene": chain([("C", 0.0), ("C", 1.32), ("C", 1.27), ("C", 1.32)], ("2H", "2H"), twist_deg=0.0),
        "2,4-hexadiyne": chain(
            [("C", 0.0), ("C", 1.46), ("C", 1.21), ("C", 1.38), ("C", 1.21), ("C", 1.46)], ("3H", "3H")
        ),
        "H3PAuCl": chain([("P", 0.0), ("Au", 2.23), ("Cl", 2.27)], ("3H", "")),
        "H3PAuCCH": chain([("P", 0.0), ("Au", 2.28), ("C", 2.0), ("C", 1.22)], ("3H", "1H")),
        "[Au(CCH)2]-": chain([("C", 0.0), ("C", 1.22), ("Au", 2.0), ("C", 2.0), ("C", 1.22)], ("1H", "1H"), -1),
        "phenylacetylene": phenylacetylene(),
    }
