"""A landscape -> its structures along one way, in one order of atoms, each laid on the one before.

The points of a scan come from several conformers, each with its own order of atoms, and half of them are mirror images
that symmetry spared. One after the other they make a movie only when every atom keeps its place in the list.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from qcdriver.geometry.alignment import align
from qcdriver.geometry.bonds import metal_atoms
from qcdriver.geometry.superposition import rotation_onto
from qcdriver.io.xyz import write_xyz
from qcdriver.models.molecule import Molecule
from qcdriver.units import ANGSTROM, EV, KCAL_MOL
from qcdriver.workflow.findings import Profile
from qcdriver.workflow.scan.findings import shown_values
from qcdriver.workflow.scan.grid import Index
from qcdriver.workflow.scan.landscape import Landscape
from qcdriver.workflow.scan.network import lowest_path

_SAME_ATOM_ANGSTROM = 1.0
"""An atom as near as this to one of the same name is that one: two hydrogens of a PH3 are 2.0 Angstrom apart."""


@dataclass(frozen=True)
class Frame:
    """A structure on the way: its place on the grid, the values there in degrees or Angstrom, and its energy.

    `energy` and `gap` in hartree; `relative_kcal_mol` from the lowest of the landscape.
    """

    place: Index
    values: tuple[float, ...]
    molecule: Molecule
    energy: float
    relative_kcal_mol: float
    gap: float | None


def lowest_way(landscape: Landscape) -> tuple[Index, ...]:
    """Find the way across: from the first to the last value of the first coordinate, as low as it can be.

    Places of the whole grid, of which some may be images. With one coordinate these are all that have a structure, in
    their order; with two, it runs from the lowest point of the first row to the lowest of the last, where one leads
    there, and may leave one side of the map and come in again at the other if the second coordinate closes on itself.
    """
    grid, points = landscape.grid, landscape.points
    energies = {place: points[grid.home(place)[0]].energy for place in grid if grid.home(place)[0] in points}
    if len(grid.axes) == 1 or not energies:
        return tuple(energies)
    first, last = (
        min((energy for energy in energies if energy[0] == row), key=energies.__getitem__, default=None)
        for row in (0, len(grid.axes[0]) - 1)
    )
    if first is None or last is None:
        return ()
    return lowest_path(energies, lambda place: _ahead(grid.around(place), place), first, last) or ()


def _ahead(around: Sequence[Index], place: Index) -> list[Index]:
    """Leave out what is next to a place only because the first coordinate closes on itself."""
    return [place_near for place_near in around if abs(place_near[0] - place[0]) <= 1]


def trajectory(landscape: Landscape, way: Sequence[Index]) -> list[Frame]:
    """Lay the structures along a way on each other, each on the one before, in the order of atoms of the first.

    Which atom is which says `align`, where the order of the atoms changes: in a fraction of a second for 73 atoms, a
    few for 373.
    """
    grid = landscape.grid
    lowest = min((point.energy for point in landscape.points.values()), default=0.0)
    frames: list[Frame] = []
    before: tuple[Index, bool, Molecule] | None = None
    order = np.arange(0)
    found: dict[tuple[Index, Index, bool], np.ndarray] = {}
    for place in way:
        home, operation = grid.home(place)
        point = landscape.points[home]
        molecule = given = point.molecule.mirrored() if operation.mirrored else point.molecule
        if before is None:
            order = np.arange(len(molecule.symbols))
        else:
            # Between two mirror images the same atoms correspond as between the two structures.
            pair = (before[0], home, before[1] != operation.mirrored)
            if pair not in found:
                found[pair] = _order_onto(before[2], molecule)
            order = found[pair][order]
            onto = frames[-1].molecule
            molecule = onto.moved(_superposed(onto, molecule.geometry[order]))
        before = (home, operation.mirrored, given)
        frames.append(
            Frame(
                place=place,
                values=shown_values(grid, grid.values(place)),
                molecule=molecule,
                energy=point.energy,
                relative_kcal_mol=(point.energy - lowest) * KCAL_MOL,
                gap=point.relaxed.result.gap,
            )
        )
    return frames


def laid_on(reference: Molecule, molecule: Molecule) -> Molecule:
    """Put the atoms in the order of the reference, and lay the metals (without any: all atoms) on its own."""
    return reference.moved(_superposed(reference, molecule.geometry[_order_onto(reference, molecule)]))


def turned_onto(reference: Molecule, molecule: Molecule) -> Molecule:
    """Lay a molecule on a reference as `laid_on` does, and leave its atoms in the order that they have."""
    order, places = _order_onto(reference, molecule), np.empty_like(molecule.geometry)
    places[order] = _superposed(reference, molecule.geometry[order])
    return molecule.moved(places)


def _order_onto(reference: Molecule, molecule: Molecule) -> np.ndarray:
    """Find which atom is which; where each lies next to the one of its number, nothing has to be found."""
    if molecule.symbols == reference.symbols:
        moved = _superposed(reference, molecule.geometry) - reference.geometry
        if np.linalg.norm(moved, axis=1).max() * ANGSTROM < _SAME_ATOM_ANGSTROM:
            return np.arange(len(molecule.symbols))
    return align(reference, molecule).order


def _superposed(reference: Molecule, xyz: np.ndarray) -> np.ndarray:
    still = list(metal_atoms(reference)) or list(range(len(reference.symbols)))
    there, here = reference.geometry[still].mean(axis=0), xyz[still].mean(axis=0)
    rotation = rotation_onto(reference.geometry[still], xyz[still])
    moved: np.ndarray = (xyz - here) @ rotation.T + there
    return moved


def write_trajectory(frames: Sequence[Frame], profile: Profile, path: Path) -> None:
    """Write the frames as extended XYZ; energies and gaps in eV, values as the profile names them.

    Raises
    ------
    InputError
        The file cannot be written.
    """
    facts = [
        dict(zip(profile.coordinates, map(float, frame.values), strict=True))
        | {"energy": frame.energy * EV, "relative_energy_kcal_mol": frame.relative_kcal_mol}
        | ({} if frame.gap is None else {"gap_ev": frame.gap * EV})
        for frame in frames
    ]
    write_xyz(path, [frame.molecule for frame in frames], facts=facts)


def moved_angstrom(one: Frame, other: Frame) -> float:
    """Give the largest distance that an atom goes from one frame to another, Angstrom."""
    return float(np.linalg.norm(other.molecule.geometry - one.molecule.geometry, axis=1).max()) * ANGSTROM
