"""Read the molecules of a crystal structure: the steps of this folder, chained."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from qcdriver.errors import InputError
from qcdriver.io.cif.across_elements import mixed_across_elements
from qcdriver.io.cif.agreement import Built, Disagreement, compare_formulas
from qcdriver.io.cif.assembly import Whole, whole_molecules
from qcdriver.io.cif.cif import CifStructure, read_cif
from qcdriver.io.cif.copies import operations
from qcdriver.io.cif.disorder import Alternative, Choice, choose_groups
from qcdriver.io.cif.exclusions import reach_of_overlaps
from qcdriver.io.cif.formula import parse_moieties
from qcdriver.io.cif.mirror_images import is_chiral, mirror_images
from qcdriver.io.cif.molecules import Crystal, CrystalMolecule
from qcdriver.io.cif.neighbours import Pairs, bond_reach, bonds, close_pairs, covalent_radii
from qcdriver.io.cif.occupancy import Occupants, choose_occupants
from qcdriver.io.cif.repeats import without_repeats
from qcdriver.io.cif.roles import Kind, Role, assign_roles, lowest_multiplicity
from qcdriver.io.cif.species import Species
from qcdriver.io.cif.symmetry import space_group
from qcdriver.io.cif.unit_cell import UnitCell, fill_cell

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from qcdriver.io.cif.formula import Moiety

_ALWAYS = 0.995
_TOO_CLOSE = 0.5  # times the sum of covalent radii: C-C 0.76, O-H 0.49 Angstrom


def read_crystal(path: Path | str, block: str | None = None, choices: Mapping[str, str] | None = None) -> Crystal:
    """Read the molecules of a crystal structure.

    Parameters
    ----------
    path
        A CIF.
    block
        Name of the data block; needed when several have atoms.
    choices
        Name of a disorder assembly to the group wanted there, where this is not the most occupied one.

    Raises
    ------
    InputError
        The file cannot be read, contradicts itself, holds overlapping atoms or a polymer, or `choices` does not fit.
    """
    structure = read_cif(Path(path), block)
    group, warnings = space_group(structure)
    structure, more = without_repeats(structure, group)
    warnings += more
    cell, more = fill_cell(structure, group)
    pairs = close_pairs(cell, np.maximum(bond_reach(cell.symbols), reach_of_overlaps(cell)))
    keep_sites, made = choose_groups(cell, pairs, choices)
    species = Species(_moieties(structure))
    occupants = choose_occupants(cell, pairs, keep_sites, made, species)
    occupants = mixed_across_elements(cell, pairs, occupants, species)
    _refuse_overlaps(cell, pairs.among(occupants.atoms), structure)
    kinds = whole_molecules(cell, occupants.atoms, pairs, structure.path)
    kinds.sort(key=lambda copies: (-len(copies[0].atoms), _first_site(cell, copies[0])))
    roles, disagreements, about_roles = _roles(cell, kinds, pairs.among(occupants.atoms), occupants, structure)
    molecules = _molecules(cell, kinds, roles, occupants)
    about_formulas = [d.message for d in disagreements]
    return Crystal(
        block=structure.block,
        space_group=group.name,
        molecules=molecules,
        warnings=(*structure.warnings, *warnings, *more, *occupants.warnings, *about_formulas, *about_roles),
        disagreements=tuple(disagreements),
        cell=cell,
        kept=occupants.atoms,
        copies=tuple(tuple(copies) for copies in kinds),
    )


def _refuse_overlaps(cell: UnitCell, pairs: Pairs, structure: CifStructure) -> None:
    radii = covalent_radii(cell.symbols)
    ratio = pairs.distance / (radii[pairs.first] + radii[pairs.second])
    if len(ratio) and ratio.min() < _TOO_CLOSE:
        worst = int(ratio.argmin())
        first, second = (cell.sites.labels[cell.site[a[worst]]] for a in (pairs.first, pairs.second))
        what = f"{first} and an image of itself" if first == second else f"{first} and {second}"
        raise InputError(
            f"{structure.path}: {what} overlap: {pairs.distance[worst]:.2f} Angstrom apart, and not marked as "
            "alternatives (occupancy, disorder group)"
        )


def _moieties(structure: CifStructure) -> list[Moiety]:
    return parse_moieties(structure.formula_moiety or "") or []


def _first_site(cell: UnitCell, molecule: Whole) -> int:
    return int(cell.site[molecule.atoms].min())


def _presence(cell: UnitCell, molecule: Whole, occupants: Occupants) -> float:
    """Return how often a molecule is there: as often as the atom that is there most often."""
    return float(occupants.presence[cell.site[molecule.atoms]].max())


def _roles(
    cell: UnitCell,
    kinds: Sequence[Sequence[Whole]],
    pairs: Pairs,
    occupants: Occupants,
    structure: CifStructure,
) -> tuple[list[Role], list[Disagreement], list[str]]:
    """Find roles and charges, where the file's formulas disagree with what was built, and other warnings."""
    bonded = bonds(pairs, cell.symbols)
    partners: list[list[int]] = [[] for _ in range(len(cell))]
    for a, b in zip(bonded.first.tolist(), bonded.second.tolist(), strict=True):
        partners[a].append(b)
    species = []
    for copies in kinds:
        index = {int(atom): n for n, atom in enumerate(copies[0].atoms)}
        species.append(
            Kind(
                symbols=tuple(cell.symbols[copies[0].atoms].tolist()),
                partners=tuple(tuple(index[p] for p in partners[atom]) for atom in index),
                count=len(copies) * _presence(cell, copies[0], occupants),
            )
        )
    roles, warnings = assign_roles(species, _moieties(structure), structure.masked)
    built = [
        Built(kind.composition, len(copies), _presence(cell, copies[0], occupants))
        for kind, copies in zip(species, kinds, strict=True)
    ]
    listed: dict[str, float] = {}
    for symbol, occupancy in zip(cell.symbols.tolist(), cell.sites.occupancy[cell.site].tolist(), strict=True):
        listed[symbol] = listed.get(symbol, 0.0) + occupancy
    left_out = [choice.assembly for choice in occupants.choices if choice.left_out]
    disagreements, unread = compare_formulas(structure, built, left_out, listed)
    return roles, disagreements, [*unread, *warnings]


def _molecules(
    cell: UnitCell, kinds: Sequence[Sequence[Whole]], roles: Sequence[Role], occupants: Occupants
) -> tuple[CrystalMolecule, ...]:
    symbols = [tuple(cell.symbols[copies[0].atoms].tolist()) for copies in kinds]
    positions = [copies[0].fractional(cell) @ cell.lattice for copies in kinds]
    for array in positions:
        array.setflags(write=False)
    mirror_of = mirror_images(list(zip(symbols, positions, strict=True)))
    found = []
    for number, (copies, role) in enumerate(zip(kinds, roles, strict=True)):
        atoms = copies[0].atoms
        labels = tuple(cell.sites.labels[i] for i in cell.site[atoms])
        original = mirror_of[number]
        presence = _presence(cell, copies[0], occupants)
        found.append(
            CrystalMolecule(
                label=_letters(number),
                symbols=symbols[number],
                positions_angstrom=positions[number],
                site_labels=labels,
                operators=tuple(
                    cell.group.triplet(int(cell.operator[atom]), shift)
                    for atom, shift in zip(atoms, copies[0].shift, strict=True)
                ),
                per_cell=len(copies),
                mirror_copies=_mirror_copies(cell, copies, symbols[number], positions[number]),
                presence=presence,
                role=role.name,
                charge=role.charge,
                multiplicity=lowest_multiplicity(symbols[number], role.charge),
                mirror_of=None if original is None else _letters(original),
                disorder=_choices_inside(occupants.choices, labels, presence),
            )
        )
    return tuple(found)


def _letters(number: int) -> str:
    """Return A ... Z, AA, AB, ..."""
    letters = ""
    number += 1
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def _choices_inside(choices: Sequence[Choice], labels: tuple[str, ...], presence: float) -> tuple[Choice, ...]:
    """Select the choices inside one molecule; a molecule that is not always there counts as one of them."""
    inside = set(labels)
    found = [c for c in choices if c.left_out and inside.intersection(c.chosen.sites)]
    if presence < _ALWAYS:
        found.append(Choice(labels[0], Alternative("present", presence, tuple(dict.fromkeys(labels))), ()))
    return tuple(found)


def _mirror_copies(cell: UnitCell, copies: Sequence[Whole], symbols: tuple[str, ...], positions: np.ndarray) -> int:
    if not cell.group.improper.any():
        return 0
    moves = [operations(cell, copies[0], copy) for copy in copies]
    mirrored = sum(all(cell.group.improper[op] for op, _ in found) for found in moves if found)
    if not mirrored:
        return 0
    return mirrored if is_chiral(symbols, positions) else 0
