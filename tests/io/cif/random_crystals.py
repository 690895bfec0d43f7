"""Random molecules in random space groups, for the property tests: what went in, and the CIF it is written as."""

from __future__ import annotations

from dataclasses import dataclass

import gemmi
import numpy as np
from crystal_models import Atom, MadeUp, triplets

_APART_ANGSTROM = 3.8  # between atoms of two molecules; no pair of these elements bonds at this distance
_LARGEST_SITE_SYMMETRY = 12  # so many branches find room around one atom
_SETTINGS = [entry for entry in gemmi.spacegroup_table() if len(list(entry.operations())) <= 96]


@dataclass(frozen=True)
class Expected:
    """What must be read: one whole molecule and how many of them a cell has."""

    symbols: list[str]
    positions: np.ndarray
    per_cell: int


def random_crystal(seed: int) -> tuple[MadeUp, Expected]:
    """Make a crystal of one kind of molecule, on a general or a special position, written as badly as is allowed.

    The atoms are shuffled, and each is replaced by any of its images in any cell.
    """
    rng = np.random.default_rng(seed)
    entry = _SETTINGS[rng.integers(len(_SETTINGS))]
    ops = _shifted_origin([gemmi.Op(t) for t in triplets(entry)], rng)
    rotations = np.array([op.rot for op in ops]) // ops[0].DEN
    translations = np.array([op.tran for op in ops]) / ops[0].DEN
    shape = _cell_shape(rotations, rng)
    centre, stabiliser = _place(rotations, translations, rng)

    for attempt in range(20):
        size = 8.0 * (len(ops) / len(stabiliser)) ** (1 / 3) * 1.12**attempt
        made = MadeUp(_cell_constants(shape * size**2), [op.triplet() for op in ops])
        symbols, third, whole, elements = _molecule(made.lattice, rotations[stabiliser], rng)
        inverse = np.linalg.inv(made.lattice)
        at = centre if len(stabiliser) > 1 else rng.random(3)
        fractional = whole @ inverse + at
        if not _crowded(fractional, rotations, translations, made.lattice, len(stabiliser)):
            break
    else:  # the place lies next to another symmetry element
        return random_crystal(seed + 10**9)

    asymmetric = [(s, p @ inverse + at) for s, p in zip(symbols, third, strict=True)]
    for k in rng.permutation(len(asymmetric)):
        symbol, position = asymmetric[k]
        any_op = rng.integers(len(ops))
        moved = rotations[any_op] @ position + translations[any_op] + rng.integers(-2, 3, 3)
        made.atoms.append(Atom(symbol, moved))
    return made, Expected(elements, fractional @ made.lattice, len(ops) // len(stabiliser))


def _shifted_origin(ops: list[gemmi.Op], rng: np.random.Generator) -> list[gemmi.Op]:
    shift = rng.integers(0, 24, 3) if rng.random() < 0.5 else np.zeros(3, dtype=int)
    for op in ops:
        rotation = np.array(op.rot) // op.DEN
        op.tran = ((np.array(op.tran) + (np.eye(3, dtype=int) - rotation) @ shift) % op.DEN).tolist()
    return ops


def _cell_shape(rotations: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Make a metric tensor of about unit volume with the symmetry of the rotations."""
    stretched = np.eye(3) + rng.uniform(-0.25, 0.25, (3, 3))
    metric = np.einsum("gba,bc,gcd->ad", rotations, stretched @ stretched.T, rotations) / len(rotations)
    return metric / np.linalg.det(metric) ** (1 / 3)


def _cell_constants(metric: np.ndarray) -> tuple[float, ...]:
    a, b, c = np.sqrt(np.diag(metric))
    cosines = metric[1, 2] / (b * c), metric[0, 2] / (a * c), metric[0, 1] / (a * b)
    return a, b, c, *np.degrees(np.arccos(cosines))


def _place(rotations: np.ndarray, translations: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Find a point on a symmetry element (often), and the operators that leave it where it is."""
    point = rng.random(3)
    if rng.random() < 0.6:
        rotation = rotations[(k := rng.integers(len(rotations)))]
        # The mean over an operator's orbit is fixed by it, unless it is a screw or a glide.
        orbit = [point]
        for _ in range(11):
            orbit.append(rotation @ orbit[-1] + translations[k])
        point = np.mean(orbit, axis=0)
    moved = rotations @ point + translations - point
    fixed = np.flatnonzero(np.abs(moved - np.round(moved)).max(axis=1) < 1e-6)
    if len(fixed) > _LARGEST_SITE_SYMMETRY:
        return rng.random(3), np.array([0])
    return point, fixed


def _molecule(
    lattice: np.ndarray, stabiliser: np.ndarray, rng: np.random.Generator
) -> tuple[list[str], np.ndarray, np.ndarray, list[str]]:
    """Make a molecule about the origin: a branch, its images by the site's symmetry, and an atom in the middle.

    Returns
    -------
    tuple
        Symbols and positions of the asymmetric part; positions and symbols of the whole.
    """
    turns = [np.linalg.inv(lattice) @ r.T @ lattice for r in stabiliser]
    for _ in range(1000):
        branch = _branch(rng, crowded=len(turns) > 1)
        names = rng.choice(["C", "N", "O"], len(branch)).tolist()
        if len(turns) == 1:
            return names, branch, branch, names
        images = np.concatenate([branch @ turn for turn in turns])
        owner = np.repeat(np.arange(len(turns)), len(branch))
        distance = np.linalg.norm(images[:, None] - images, axis=2)
        if distance[owner[:, None] != owner].min() > 1.98:
            centre = np.zeros((1, 3))
            return (
                ["W", *names],
                np.concatenate([centre, branch]),
                np.concatenate([centre, images]),
                ["W", *(names * len(turns))],
            )
    raise AssertionError("the branch finds no room")


def _branch(rng: np.random.Generator, crowded: bool) -> np.ndarray:
    """Make a self-avoiding chain; in a molecule with a middle, it starts 2.35 Angstrom from there and stays beyond."""
    length = int(rng.integers(1, 4) if crowded else rng.integers(1, 9))
    direction = rng.normal(size=3)
    chain = [2.35 * direction / np.linalg.norm(direction) if crowded else np.zeros(3)]
    while len(chain) < length:
        step = rng.normal(size=3)
        place = chain[-1] + 1.5 * step / np.linalg.norm(step)
        apart = [np.linalg.norm(place - other) for other in chain[:-1]]
        if min(apart, default=9) > 2.2 and (not crowded or np.linalg.norm(place) > 3.0):
            chain.append(place)
    return np.array(chain)


def _crowded(
    fractional: np.ndarray, rotations: np.ndarray, translations: np.ndarray, lattice: np.ndarray, order: int
) -> bool:
    """Tell whether any atom of another molecule comes near the first one."""
    from ase.neighborlist import primitive_neighbor_list

    images = np.concatenate([fractional @ r.T + t for r, t in zip(rotations, translations, strict=True)])
    n = len(fractional)
    first, second, distance, shift = primitive_neighbor_list(
        "ijdS",
        (True, True, True),
        lattice,
        images @ lattice,
        _APART_ANGSTROM / 2 * np.ones(len(images)),
        max_nbins=8 * len(images),
    )
    of_first = first < n
    same_place = distance < 1e-3
    # A neighbour is fine if it is an atom of the molecule itself, made again by its own symmetry.
    where = images[second] + shift
    own = np.linalg.norm((where[:, None] - fractional[None]) @ lattice, axis=2).min(axis=1) < 1e-3
    return bool((of_first & ~own & ~same_place).any())
