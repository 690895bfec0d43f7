"""Two molecules in, in any atom order; how well a rotation lays one, or its mirror image, on the other out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SAME_ANGSTROM = 0.25
"""Root mean square distance of the non-hydrogen atoms up to which two molecules of a crystal count as congruent."""
_NEAREST_ANGSTROM = 1.0
_ALIKE_ANGSTROM = 0.5
_FEWEST_ATOMS = 4
_MOST_TRIALS = 600


def misfit_angstrom(
    symbols: Sequence[str], positions: np.ndarray, other_symbols: Sequence[str], other: np.ndarray, mirror: bool
) -> float | None:
    """Superpose two molecules by a rotation, atoms matched by element and place.

    Hydrogen atoms count only in molecules with fewer than four others.

    Parameters
    ----------
    positions, other
        (natoms, 3), Angstrom.
    mirror
        Lay the mirror image of the first on the second.

    Returns
    -------
    float | None
        Root mean square distance, Angstrom; None when no rotation brings each atom within 1 Angstrom of a partner.
    """
    if sorted(symbols) != sorted(other_symbols):
        return None
    elements, a = _counted(symbols, positions)
    other_elements, b = _counted(other_symbols, other)
    a, b = a - a.mean(axis=0), b - b.mean(axis=0)
    if mirror:
        a = -a
    if _is_linear(a):
        # A linear or planar molecule, or a point, is its own mirror image.
        return 0.0
    best = None
    for trial, start in enumerate(_trial_rotations(elements, a, other_elements, b)):
        if trial >= _MOST_TRIALS:
            break
        found = _refined(elements, a, other_elements, b, start)
        if found is not None and (best is None or found < best):
            best = found
            if best < SAME_ANGSTROM / 10:
                break
    return best


def mirror_images(molecules: Sequence[tuple[Sequence[str], np.ndarray]]) -> list[int | None]:
    """Find, for each molecule, an earlier one that it is the mirror image of, and not congruent with.

    Parameters
    ----------
    molecules
        Symbols and positions, (natoms, 3), Angstrom, of each.

    Returns
    -------
    list
        Index of the first such molecule, or None.
    """
    found: list[int | None] = []
    different: list[int] = []
    for number, (symbols, positions) in enumerate(molecules):
        found.append(None)
        for earlier in different:
            other = molecules[earlier]
            direct = misfit_angstrom(symbols, positions, *other, mirror=False)
            mirrored = misfit_angstrom(symbols, positions, *other, mirror=True)
            # A little disorder in the packing must not make two copies of one hand mirror images.
            if mirrored is not None and mirrored < SAME_ANGSTROM and (direct is None or direct > 2 * mirrored + 0.05):
                found[number] = earlier
                break
            if direct is not None and direct < SAME_ANGSTROM:
                break
        else:
            different.append(number)
    return found


def is_chiral(symbols: Sequence[str], positions: np.ndarray) -> bool:
    """Tell whether a molecule differs from its mirror image as it stands in the crystal."""
    misfit = misfit_angstrom(symbols, positions, symbols, positions, mirror=True)
    return misfit is None or misfit > SAME_ANGSTROM


def _counted(symbols: Sequence[str], positions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    elements = np.array(symbols)
    heavy = elements != "H"
    if heavy.sum() < _FEWEST_ATOMS:
        heavy[:] = True
    return elements[heavy], positions[heavy]


def _is_linear(positions: np.ndarray) -> bool:
    if len(positions) < _FEWEST_ATOMS:
        return True
    thickness = np.linalg.svd(positions, compute_uv=False)
    return bool(thickness[1] / np.sqrt(len(positions)) < 0.1)


def _trial_rotations(
    elements: np.ndarray, a: np.ndarray, other_elements: np.ndarray, b: np.ndarray
) -> Iterator[np.ndarray]:
    """Yield rotations that lay two atoms of `a`, few of their kind, on two alike atoms of `b`."""
    radius_a, radius_b = np.linalg.norm(a, axis=1), np.linalg.norm(b, axis=1)
    alike = (elements[:, None] == other_elements) & (np.abs(radius_a[:, None] - radius_b) < _ALIKE_ANGSTROM)
    rivals = np.where(radius_a > 1.0, alike.sum(axis=1), len(a) + 1)
    first = int(np.argmin(rivals))
    sine = np.linalg.norm(np.cross(a[first], a), axis=1) / np.maximum(radius_a[first] * radius_a, 1e-9)
    rivals = np.where((sine > 0.3) & (radius_a > 1.0), alike.sum(axis=1), len(a) + 1)
    second = int(np.argmin(rivals))
    apart = np.linalg.norm(a[first] - a[second])
    for i in np.flatnonzero(alike[first]):
        for j in np.flatnonzero(alike[second]):
            if i != j and abs(np.linalg.norm(b[i] - b[j]) - apart) < 2 * _ALIKE_ANGSTROM:
                yield _rotation(a[[first, second]], b[[i, j]])


def _rotation(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Find the best rotation of `a` onto `b`, both (n, 3) (Kabsch, doi:10.1107/S0567739476001873)."""
    u, _, vt = np.linalg.svd(a.T @ b)
    flip = np.diag([1.0, 1.0, np.sign(np.linalg.det(u @ vt))])
    rotation: np.ndarray = u @ flip @ vt
    return rotation


def _refined(
    elements: np.ndarray, a: np.ndarray, other_elements: np.ndarray, b: np.ndarray, rotation: np.ndarray
) -> float | None:
    for _ in range(3):
        partner = _partners(elements, a @ rotation, other_elements, b)
        if partner is None:
            return None
        rotation = _rotation(a, b[partner])
    return float(np.sqrt(((a @ rotation - b[partner]) ** 2).sum(axis=1).mean()))


def _partners(elements: np.ndarray, moved: np.ndarray, other_elements: np.ndarray, b: np.ndarray) -> np.ndarray | None:
    """Find the nearest atom of the same element for each atom, all different; None when one has none nearby."""
    distance = np.linalg.norm(moved[:, None] - b, axis=2)
    distance[elements[:, None] != other_elements] = np.inf
    partner = distance.argmin(axis=1)
    if distance[np.arange(len(moved)), partner].max() > _NEAREST_ANGSTROM:
        return None
    return partner if len(np.unique(partner)) == len(partner) else None
