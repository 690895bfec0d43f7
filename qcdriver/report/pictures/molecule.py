"""A molecule -> a small picture of it: shaded atoms sorted by depth, bonds as lines, what hangs on a metal faded."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from qcdriver.geometry.bonds import bond_matrix, is_metal, metal_atoms
from qcdriver.geometry.radii import covalent_radii
from qcdriver.geometry.superposition import principal_axes
from qcdriver.models.molecule import Molecule

if TYPE_CHECKING:
    from PIL.Image import Image

_FINER = 2
"""Drawn so many times larger and shrunk, which smooths the edges."""
_HALOGENS = frozenset(("F", "Cl", "Br", "I"))
_FADED = 0.6
_FOG = 0.35
"""How much of their colour the farthest atoms lose."""
_SHADES = 20


def view_along_axis(molecule: Molecule) -> np.ndarray:
    """Give what is across, up and towards the viewer, (3, 3), for a view along the longest extent of its metals.

    Of a molecule without metals, of all atoms.
    """
    atoms = list(metal_atoms(molecule)) or list(range(len(molecule.symbols)))
    axis, across = principal_axes(molecule.geometry[atoms])[1][:2]
    return np.array([across, np.cross(axis, across), axis])


def drawn(molecule: Molecule, axes: np.ndarray, size: tuple[int, int], scale: float) -> Image:
    """Draw a molecule, the origin in the middle.

    Parameters
    ----------
    axes
        What is across, up and towards the viewer, (3, 3).
    size, scale
        Width and height in pixels, and pixels per bohr.
    """
    from PIL import Image, ImageDraw

    width, height, scale = _FINER * size[0], _FINER * size[1], _FINER * scale
    picture = Image.new("RGB", (width, height), "white")
    pen = ImageDraw.Draw(picture)
    xyz = scale * molecule.geometry @ axes.T * (1.0, -1.0, 1.0) + (width / 2, height / 2, 0.0)
    near = (xyz[:, 2] - xyz[:, 2].min()) / max(float(np.ptp(xyz[:, 2])), 1e-9)
    radii = [_radius(symbol, scale) for symbol in molecule.symbols]
    paleness = np.where(_stands_back(molecule), _FADED, 0.0)
    bonds = bond_matrix(molecule).tocoo()
    pairs = [(int(i), int(j)) for i, j in zip(bonds.row, bonds.col, strict=True) if i < j]
    parts = [((near[i] + near[j]) / 2 - 0.02, (i, j)) for i, j in pairs] + [(near[i], (i,)) for i in range(len(xyz))]
    for how_near, atoms in sorted(parts, key=lambda part: part[0]):
        pale = 1.0 - (1.0 - paleness[list(atoms)].max()) * (1.0 - _FOG * (1.0 - how_near))
        if len(atoms) == 2:
            grey = round(90 + 165 * pale)
            pen.line(
                _stick(*(xyz[k] for k in atoms), *(radii[k] for k in atoms)), fill=(grey, grey, grey), width=2 * _FINER
            )
        else:
            (atom,) = atoms
            ball = _ball(molecule.symbols[atom], radii[atom], round(pale * _SHADES) / _SHADES)
            x, y, _ = xyz[atom].round().astype(int)
            picture.paste(ball, (x - radii[atom], y - radii[atom]), ball)
    return picture.resize(size, Image.Resampling.LANCZOS)


def _stick(start: np.ndarray, end: np.ndarray, start_radius: float, end_radius: float) -> list[tuple[float, float]]:
    """Give the ends of a bond, inside its two atoms."""
    along = (end - start) / max(float(np.linalg.norm(end - start)), 1e-9)
    ends = (start + 0.8 * start_radius * along, end - 0.8 * end_radius * along)
    return [(float(x), float(y)) for x, y, _ in ends]


def _stands_back(molecule: Molecule) -> np.ndarray:
    """Tell which atoms stand back, (natoms,): in a molecule with metals all but these and halogens."""
    shown = np.array([is_metal(symbol) or symbol in _HALOGENS for symbol in molecule.symbols])
    return ~shown if any(map(is_metal, molecule.symbols)) else np.zeros(len(shown), dtype=bool)


def _radius(symbol: str, scale: float) -> int:
    """Give the radius in pixels: half the covalent one, of hydrogen less than that of others."""
    share = 0.62 if symbol == "H" else 0.55
    return max(2, round(share * float(covalent_radii([symbol])[0]) * scale))


@lru_cache(maxsize=512)
def _ball(symbol: str, radius: int, pale: float) -> Image:
    """Draw one atom, lit from the upper left, in the colours of Jmol as ASE has them."""
    from ase.data import atomic_numbers
    from ase.data.colors import jmol_colors
    from PIL import Image

    colour = np.array(jmol_colors[atomic_numbers[symbol]])
    grid = np.linspace(-1.0, 1.0, 2 * radius + 1)
    x, y = np.meshgrid(grid, grid)
    distance = np.hypot(x, y)
    lit = np.clip(1.15 - 0.75 * np.hypot(x + 0.35, y + 0.35), 0.0, 1.0)[..., None]
    shine = np.clip(1.0 - 2.2 * np.hypot(x + 0.4, y + 0.4), 0.0, 1.0)[..., None]
    rgb = colour * (0.35 + 0.65 * lit)
    rgb = rgb + 0.7 * shine * (1.0 - rgb)
    rgb[distance > 0.88] *= 0.55  # an outline
    rgb = rgb + pale * (1.0 - rgb)
    alpha = np.clip((1.0 - distance) * radius + 0.5, 0.0, 1.0)
    return Image.fromarray((255 * np.dstack([rgb, alpha])).round().astype(np.uint8), "RGBA")
