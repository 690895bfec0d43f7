"""Crystals made up for the tests: molecules in known places in, CIF text out; how far off a molecule read back is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import gemmi
import numpy as np

from qcdriver.io.cif import Crystal, CrystalMolecule


@dataclass(frozen=True)
class Atom:
    """One line of the atom list."""

    symbol: str
    fractional: np.ndarray
    occupancy: str = "1"
    group: str = "."
    assembly: str = "."
    label: str = ""


@dataclass
class MadeUp:
    """A crystal: cell, operators (triplets), atoms; `tags` are written as they are."""

    cell: tuple[float, ...]
    operators: Sequence[str]
    atoms: list[Atom] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def lattice(self) -> np.ndarray:
        """Rows a, b, c, Angstrom, by gemmi."""
        return np.array(gemmi.UnitCell(*self.cell).orth.mat.tolist()).T

    def add(self, symbols: Sequence[str], cartesian: np.ndarray, **more: str) -> None:
        """Add atoms at Cartesian places."""
        inverse = np.linalg.inv(self.lattice)
        self.atoms += [Atom(s, p @ inverse, **more) for s, p in zip(symbols, cartesian, strict=True)]

    def text(self) -> str:
        """Write the CIF."""
        names = ("length_a", "length_b", "length_c", "angle_alpha", "angle_beta", "angle_gamma")
        lines = ["data_made_up"]
        lines += [f"_cell_{name} {value:.6f}" for name, value in zip(names, self.cell, strict=True)]
        lines += [f"{tag} '{value}'" for tag, value in self.tags.items()]
        if self.operators:
            lines += ["loop_", "_space_group_symop_operation_xyz", *(f"'{op}'" for op in self.operators)]
        columns = ("label", "type_symbol", "fract_x", "fract_y", "fract_z", "occupancy")
        lines += ["loop_", *(f"_atom_site_{c}" for c in columns)]
        lines += ["_atom_site_disorder_assembly", "_atom_site_disorder_group"]
        for number, atom in enumerate(self.atoms):
            x, y, z = atom.fractional
            label = atom.label or f"{atom.symbol}{number + 1}"
            lines.append(f"{label} {atom.symbol} {x:.6f} {y:.6f} {z:.6f} {atom.occupancy} {atom.assembly} {atom.group}")
        return "\n".join(lines) + "\n"

    def write(self, folder: Path, name: str = "made_up.cif") -> Path:
        """Write the file."""
        path = folder / name
        path.write_text(self.text())
        return path


def triplets(group: gemmi.SpaceGroup) -> list[str]:
    """List all operators, centring included."""
    return [op.triplet() for op in group.operations()]


def off_angstrom(read: CrystalMolecule, symbols: Sequence[str], cartesian: np.ndarray, made: MadeUp) -> float:
    """Find how far the worst atom is from where it went in, after the best operator of the crystal.

    Only the crystal's own operators are allowed, so a wrong hand does not pass.
    """
    if sorted(read.symbols) != sorted(symbols):
        return np.inf
    inverse = np.linalg.inv(made.lattice)
    elements, other = np.array(symbols), np.array(read.symbols)
    target = read.positions_angstrom - read.positions_angstrom.mean(axis=0)
    best = np.inf
    for text in made.operators:
        op = gemmi.Op(text)
        rotation = np.array(op.rot) / op.DEN
        moved = (cartesian @ inverse) @ rotation.T @ made.lattice
        moved -= moved.mean(axis=0)
        distance = np.linalg.norm(moved[:, None] - target, axis=2)
        distance[elements[:, None] != other] = np.inf
        nearest = distance.argmin(axis=1)
        if len(set(nearest.tolist())) == len(nearest):
            best = min(best, float(distance.min(axis=1).max()))
    return best


def summary(crystal: Crystal) -> list[tuple[str, int]]:
    """Formula and copies in a cell of each molecule."""
    return [(m.formula, m.per_cell) for m in crystal.molecules]


def rotation(axis: Sequence[float], degrees: float) -> np.ndarray:
    """Rotation matrix for column vectors."""
    from scipy.spatial.transform import Rotation

    unit = np.array(axis, dtype=float) / np.linalg.norm(axis)
    return Rotation.from_rotvec(unit * np.radians(degrees)).as_matrix()


CHLOROFORM = (
    ["C", "H", "Cl", "Cl", "Cl"],
    np.array([[0, 0, 0], [0, 0, 1.08], *(rotation([0, 0, 1], 120 * k) @ [1.667, 0, -0.57] for k in range(3))]),
)
TETRAFLUOROBORATE = (
    ["B", "F", "F", "F", "F"],
    np.array([[0, 0, 0], *(1.39 / 3**0.5 * np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]))]),
)
"""Rigid bodies: symbols and positions in Angstrom."""


def copper_cluster(skew_deg: float, edge_angstrom: float = 3.65) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Make something like [Cu14(SMe)3(PH3)8H10]+: a face-centred cube on a three-fold axis along z, chiral by a skew.

    Returns
    -------
    tuple
        Symbols, positions, (natoms, 3), and which atoms make up one third: on the axis or in the first sector.
    """
    # Turns the body diagonal [1 1 1] onto z.
    to_z = rotation([1, -1, 0], np.degrees(np.arccos(1 / 3**0.5)))
    symbols: list[str] = []
    places: list[np.ndarray] = []
    first: list[bool] = []

    def add(symbol: str, place: np.ndarray) -> None:
        """Add one atom, on the axis alone, or else with its two images."""
        on_axis = np.hypot(place[0], place[1]) < 0.05
        for k in range(1 if on_axis else 3):
            symbols.append(symbol)
            places.append(rotation([0, 0, 1], 120 * k) @ (place * [0, 0, 1] if on_axis else place))
            first.append(k == 0)

    def turned(place: np.ndarray) -> np.ndarray:
        return to_z @ place

    half = edge_angstrom / 2
    corners = [turned(half * np.array(c)) for c in ([1, 1, 1], [-1, -1, -1], [1, 1, -1], [-1, -1, 1])]
    for corner in corners:
        outwards = corner / np.linalg.norm(corner)
        phosphorus = corner + 2.24 * outwards
        add("Cu", corner)
        add("P", phosphorus)
        across = np.cross(outwards, [0.3, 0.2, 0.9] if abs(outwards[2]) < 0.95 else [1, 0, 0])
        across /= np.linalg.norm(across)
        start = rotation(outwards, 10 + skew_deg) @ (0.45 * outwards + 1.34 * across)
        on_axis = abs(outwards[2]) > 0.99
        for k in range(1 if on_axis else 3):
            add("H", phosphorus + rotation(outwards, 120 * k) @ start)
    skew = rotation([0, 0, 1], skew_deg)
    for centre, shift in (([1, 0, 0], 1.0), ([-1, 0, 0], 0.4)):
        place = turned(half * np.array(centre, dtype=float))
        add("Cu", rotation([0, 0, 1], shift * skew_deg) @ place)
        outwards = turned(np.array(centre, dtype=float))
        if shift == 1.0:
            sulfur = skew @ (place + 2.3 * outwards)
            carbon = sulfur + 1.82 * (skew @ rotation([0, 0, 1], 70) @ outwards)
            add("S", sulfur)
            add("C", carbon)
            along = (carbon - sulfur) / np.linalg.norm(carbon - sulfur)
            across = np.cross(along, [0, 0, 1])
            start = 0.36 * along + 1.03 * across / np.linalg.norm(across)
            for k in range(3):
                add("H", carbon + rotation(along, 120 * k + 17) @ start)
    for hole in ([0, 0, 0], [0.5, 0.5, -0.5], [-0.5, -0.5, 0.5], [1, 1, 0]):
        add("H", rotation([0, 0, 1], skew_deg / 2) @ turned(half * np.array(hole)))
    return symbols, np.array(places), np.array(first)
