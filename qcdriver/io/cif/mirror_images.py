"""Find which molecules of a crystal are congruent, and which are mirror images of each other, in any atom order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from qcdriver.geometry.matching import Groups, matchings
from qcdriver.geometry.superposition import principal_axes
from qcdriver.units import ANGSTROM

if TYPE_CHECKING:
    from collections.abc import Sequence

SAME_ANGSTROM = 0.25
"""Root mean square distance of the non-hydrogen atoms up to which two molecules of a crystal count as congruent."""
_NEAREST_ANGSTROM = 1.0
_FEWEST_ATOMS = 4
_MOST_STARTS = 600


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
        Whether to superpose the mirror image of the first molecule.

    Returns
    -------
    float | None
        Root mean square distance, Angstrom; None when no rotation brings each atom within 1 Angstrom of a partner.
    """
    if sorted(symbols) != sorted(other_symbols):
        return None
    elements, a = _counted(symbols, positions)
    other_elements, b = _counted(other_symbols, other)
    if _is_linear(a):
        # Points on a line, and up to three points, are their own mirror image.
        return 0.0
    groups: Groups = [
        (np.flatnonzero(elements == element)[:, None], np.flatnonzero(other_elements == element)[:, None])
        for element in np.unique(elements)
    ]
    found = matchings(
        (-a if mirror else a) / ANGSTROM,
        b / ANGSTROM,
        groups,
        nearest_within=_NEAREST_ANGSTROM / ANGSTROM,
        max_starts=_MOST_STARTS,
        good_enough=SAME_ANGSTROM / 10 / ANGSTROM,
    )
    return found[0].rmsd * ANGSTROM if found else None


def mirror_images(molecules: Sequence[tuple[Sequence[str], np.ndarray]]) -> list[int | None]:
    """Find for each molecule an earlier one of which it is the mirror image, and to which it is not congruent.

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
    """Return whether a molecule differs from its mirror image as it stands in the crystal."""
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
    extents, _ = principal_axes(positions)
    return bool(extents[1] / np.sqrt(len(positions)) < 0.1)
