"""Refuse structures that are not conformers of each other, with one line that names the difference."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from qcdriver.errors import InputError
from qcdriver.geometry.alignment import Alignment
from qcdriver.geometry.topology import Topology
from qcdriver.models.molecule import Molecule, hill_formula
from qcdriver.units import ANGSTROM

FEWEST_METALS = 4
"""Fewer metal atoms have no inside, and are never chiral."""


def require_core(molecule: Molecule, topology: Topology, name: str) -> None:
    """Raise `InputError` unless there is a metal core to compare."""
    if len(topology.metals) < FEWEST_METALS:
        raise InputError(
            f"{name}: {molecule.formula} has {len(topology.metals)} metal atoms; a core has at least {FEWEST_METALS}"
        )


def require_same_bonds(
    molecules: tuple[Molecule, Molecule], topologies: tuple[Topology, Topology], names: tuple[str, str]
) -> None:
    """Raise `InputError` unless two structures have the same formula, charge, ligands and donors."""
    (a, b), (of_a, of_b) = molecules, topologies
    if a.formula != b.formula:
        raise InputError(f"{names[1]} is {b.formula}, {names[0]} is {a.formula} ({_difference(a, b)}): no conformers")
    for quantity in ("molecular_charge", "molecular_multiplicity"):
        one, other = getattr(a, quantity), getattr(b, quantity)
        if one != other:
            word = quantity.removeprefix("molecular_")
            raise InputError(f"{names[1]} has {word} {other}, {names[0]} has {word} {one}: no conformers")
    ligands = [_ligands(molecule, topology) for molecule, topology in zip(molecules, topologies, strict=True)]
    if ligands[0] != ligands[1]:
        raise InputError(
            f"{names[1]} has the ligands {_listed(ligands[1])}, {names[0]} has {_listed(ligands[0])}: no conformers"
        )
    if sorted(of_a.classes) != sorted(of_b.classes):
        raise InputError(f"ligands of {names[1]} and {names[0]} have the same formula but other bonds: no conformers")
    for here, there in ((0, 1), (1, 0)):
        loose = _loose(topologies[here], topologies[there])
        if loose:
            atom = f"{molecules[here].symbols[loose[0]]}{loose[0]}"
            raise InputError(f"{atom} of {names[here]} binds no metal, all such in {names[there]} do: no conformers")


def require_kept_bonds(molecules: tuple[Molecule, Molecule], found: Alignment, names: tuple[str, str]) -> None:
    """Raise `InputError` if, best aligned, a donor of one structure has left its metal in the other."""
    if not found.changed_bonds:
        return
    a, b = molecules
    pair = np.array(found.changed_bonds[0])
    lengths = [_length(a, pair), _length(b, found.order[pair])]
    pairs = [pair, found.order[pair]]
    has, lacks = (0, 1) if lengths[0] < lengths[1] else (1, 0)
    bond = "-".join(f"{a.symbols[here]}{there}" for here, there in zip(pair, pairs[has], strict=True))
    more = f", and {len(found.changed_bonds) - 1} more differ" if len(found.changed_bonds) > 1 else ""
    raise InputError(
        f"bond {bond} of {names[has]} ({lengths[has]:.2f} Angstrom) is missing in {names[lacks]} "
        f"({lengths[lacks]:.2f} Angstrom){more}: no conformers"
    )


def _length(molecule: Molecule, pair: np.ndarray) -> float:
    return float(np.linalg.norm(molecule.geometry[pair[0]] - molecule.geometry[pair[1]])) * ANGSTROM


def _difference(a: Molecule, b: Molecule) -> str:
    more, fewer = Counter(b.symbols) - Counter(a.symbols), Counter(a.symbols) - Counter(b.symbols)
    return ", ".join(
        [*(f"{count} {symbol} more" for symbol, count in sorted(more.items()))]
        + [*(f"{count} {symbol} fewer" for symbol, count in sorted(fewer.items()))]
    )


def _ligands(molecule: Molecule, topology: Topology) -> Counter[str]:
    return Counter(hill_formula(Counter(molecule.symbols[i] for i in ligand)) for ligand in topology.ligands)


def _loose(topology: Topology, other: Topology) -> list[int]:
    """List the atoms that bind no metal, of the kinds of which more atoms do so in the other structure."""
    bound, of_other = ({*graph.donors, *graph.wanderers} for graph in (topology, other))
    wanted = Counter(int(other.classes[i]) for i in of_other) - Counter(int(topology.classes[i]) for i in bound)
    return [i for i, kind in enumerate(topology.classes) if i not in bound and int(kind) in wanted]


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(counts.items()))


def require_labels(labels: Sequence[str]) -> None:
    """Raise `InputError` if two structures have one label."""
    twice = [label for label, count in Counter(labels).items() if count > 1]
    if twice:
        raise InputError(f"two structures are called {twice[0]}; rename one of the files")
