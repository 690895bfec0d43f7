"""Align two conformers in any atom order and orientation, one of them inverted if that is asked for.

The cores are matched by shape (`matching`), a metal together with the donor that binds it alone; the ligands follow
along their bonds (`ligand_mapping`). It is a search, not a proof: two conformers whose cores differ by
more than about half a metal-metal distance in many atoms at once may be given a mapping that is not the best.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from qcdriver.errors import InputError
from qcdriver.geometry.ligand_mapping import LigandMapper, Solution
from qcdriver.geometry.matching import Groups, matchings
from qcdriver.geometry.superposition import distances_superposed, rotation_onto
from qcdriver.geometry.topology import Topology, find_topology, lost_donor_bonds
from qcdriver.models.molecule import Molecule
from qcdriver.units import ANGSTROM

_EQUIVALENT = 0.1 / ANGSTROM
"""Among matchings of the core whose RMSD is within this of the best, the ligands decide."""
_ROUNDS = 30


@dataclass(frozen=True)
class Alignment:
    """How one structure lies best on another.

    Attributes
    ----------
    order
        `order[i]` is the atom of the moved structure that lies on atom i of the reference, (natoms,).
    improper
        Whether the moved structure was inverted first.
    core_rmsd_angstrom
        Root mean square distance of the core (metals and what binds them) in its own best superposition.
    rmsd_angstrom
        The same of all atoms.
    largest_angstrom
        Largest distance of any atom, all atoms superposed.
    changed_bonds
        Donor bonds that one has and the other not, as (metal, donor) in the numbering of the reference; none between
        conformers (`topology.lost_donor_bonds`).
    """

    order: np.ndarray
    improper: bool
    core_rmsd_angstrom: float
    rmsd_angstrom: float
    largest_angstrom: float
    changed_bonds: tuple[tuple[int, int], ...]


def align(reference: Molecule, moved: Molecule, improper: bool = False) -> Alignment:
    """Find the best alignment.

    The core's RMSD decides; among assignments within 0.1 Angstrom of the best, as a symmetric core has several, the
    fewest changed donor bonds do, then the RMSD of all atoms.

    Parameters
    ----------
    reference, moved
        Of the same atoms and ligands. 62 atoms take a fraction of a second, 373 a few.
    improper
        Lay the mirror image of `moved` on the reference.

    Raises
    ------
    InputError
        The two have other atoms, or other covalent bonds in their ligands.
    """
    a, b = find_topology(reference), find_topology(moved)
    if sorted(a.classes) != sorted(b.classes) or sorted(a.classes[list(a.core)]) != sorted(b.classes[list(b.core)]):
        raise InputError(f"{reference.formula} and {moved.formula} are no conformers: their bonds differ")
    xyz_a, xyz_b = reference.geometry, -moved.geometry if improper else moved.geometry
    cores = matchings(xyz_a, xyz_b, _core_groups(a, b))
    found = []
    for core in cores:
        if core.rmsd > cores[0].rmsd + _EQUIVALENT:
            break
        order = _with_ligands(xyz_a, a, xyz_b, b, core.order)
        if order is not None:
            changed = _changed_bonds(reference, a, moved, b, order)
            distance = distances_superposed(xyz_a, xyz_b[order])
            rmsd = float(np.sqrt((distance**2).mean()))
            found.append((len(changed), rmsd, core.rmsd, order, float(distance.max()), changed))
    if not found:
        raise InputError(
            f"{reference.formula}: no mapping of one structure on the other keeps the bonds in its ligands"
        )
    _, rmsd, core_rmsd, order, largest, changed = min(found, key=lambda fit: fit[:3])
    return Alignment(
        order=order,
        improper=improper,
        core_rmsd_angstrom=core_rmsd * ANGSTROM,
        rmsd_angstrom=rmsd * ANGSTROM,
        largest_angstrom=largest * ANGSTROM,
        changed_bonds=changed,
    )


def _core_groups(a: Topology, b: Topology) -> Groups:
    """Sort the cores of two structures into units: a metal with the donor that binds it alone, and the others alone."""
    units_a: dict[tuple[int, ...], list[tuple[int, ...]]] = {}
    units_b: dict[tuple[int, ...], list[tuple[int, ...]]] = {}
    lone = _lone_donors(a) & _lone_donors(b)
    for topology, units in ((a, units_a), (b, units_b)):
        partners: dict[int, list[int]] = {metal: [] for metal in topology.metals}
        for metal, donor in topology.donor_bonds:
            if topology.classes[donor] in lone:
                partners[metal].append(donor)
        riding = {of_metal[0] for of_metal in partners.values() if len(of_metal) == 1}
        for atom in topology.core:
            unit = (atom, *partners[atom]) if len(partners.get(atom, ())) == 1 else (atom,)
            if atom not in riding:
                units.setdefault(tuple(int(topology.classes[i]) for i in unit), []).append(unit)
    counts_a, counts_b = ({kind: len(of_kind) for kind, of_kind in units.items()} for units in (units_a, units_b))
    if counts_a != counts_b:
        return [
            (
                np.array([[i] for i in a.core if a.classes[i] == class_]),
                np.array([[i] for i in b.core if b.classes[i] == class_]),
            )
            for class_ in sorted(set(a.classes[list(a.core)].tolist()))
        ]
    return [(np.array(units_a[kind]), np.array(units_b[kind])) for kind in sorted(units_a)]


def skeleton_groups(topology: Topology) -> Groups:
    """Sort metals and donors by their class, each atom on its own."""
    classes = topology.classes[list(topology.skeleton)]
    atoms = np.array(topology.skeleton)
    return [(atoms[classes == kind][:, None],) * 2 for kind in np.unique(classes)]


def _lone_donors(topology: Topology) -> set[int]:
    """List the classes of which every donor binds exactly one metal."""
    bound = Counter(donor for _, donor in topology.donor_bonds)
    bridging = {int(topology.classes[donor]) for donor, count in bound.items() if count > 1}
    return {int(topology.classes[donor]) for donor in bound} - bridging


def _changed_bonds(
    reference: Molecule, a: Topology, moved: Molecule, b: Topology, order: np.ndarray
) -> tuple[tuple[int, int], ...]:
    back = np.argsort(order)
    lost = {*lost_donor_bonds(a, reference, moved, order)}
    gained = {(int(back[metal]), int(back[donor])) for metal, donor in lost_donor_bonds(b, moved, reference, back)}
    return tuple(sorted(lost | gained))


def _with_ligands(
    xyz_a: np.ndarray, a: Topology, xyz_b: np.ndarray, b: Topology, core: np.ndarray
) -> np.ndarray | None:
    """Extend a matching of the core (-1 elsewhere) to all atoms; None if the donors of one ligand went to two."""
    order = core.copy()
    placed = np.array(a.core)
    for _ in range(_ROUNDS):
        centre_a, centre_b = xyz_a[placed].mean(axis=0), xyz_b[order[placed]].mean(axis=0)
        rotation = rotation_onto(xyz_a[placed], xyz_b[order[placed]])
        cost = (((xyz_a - centre_a)[:, None] - ((xyz_b - centre_b) @ rotation.T)[None]) ** 2).sum(axis=-1)
        mapped = _map_ligands(a, b, core, cost)
        if mapped is None:
            return None
        of_a, of_b = (np.array([pair[side] for pair in mapped], dtype=int) for side in (0, 1))
        unchanged = (order[of_a] == of_b).all()
        order[of_a] = of_b
        if unchanged:
            break
        placed = np.arange(len(order))
    return order


def _map_ligands(a: Topology, b: Topology, core: np.ndarray, cost: np.ndarray) -> list[tuple[int, int]] | None:
    mapper = LigandMapper(a, b, cost)
    home = {atom: ligand for ligand in b.ligands for atom in ligand}
    bound = {*a.donors, *a.wanderers}
    pairs: list[tuple[int, int]] = []
    free_a = []
    taken = set[tuple[int, ...]]()
    for ligand in a.ligands:
        anchors = tuple((x, int(core[x])) for x in ligand if x in bound)
        if not anchors:
            free_a.append(ligand)
            continue
        counterpart = home[anchors[0][1]]
        taken.add(counterpart)
        solved = mapper.map_anchored(ligand, counterpart, anchors) if len(counterpart) == len(ligand) else None
        if solved is None:
            return None
        pairs += solved[1]
    free = _map_free(mapper, a, b, free_a, [ligand for ligand in b.ligands if ligand not in taken])
    return None if free is None else pairs + free


def _map_free(
    mapper: LigandMapper, a: Topology, b: Topology, of_a: list[tuple[int, ...]], of_b: list[tuple[int, ...]]
) -> list[tuple[int, int]] | None:
    """Pair up what is bound to no metal: ions, solvent, a molecule without metal."""
    from scipy.optimize import linear_sum_assignment

    if len(of_a) != len(of_b):
        return None
    if not of_a:
        return []
    solutions: list[list[Solution | None]] = [
        [
            mapper.map_free(one, other) if sorted(a.classes[list(one)]) == sorted(b.classes[list(other)]) else None
            for other in of_b
        ]
        for one in of_a
    ]
    impossible = 1e12
    costs = np.array([[solution[0] if solution else impossible for solution in row] for row in solutions])
    rows, columns = linear_sum_assignment(costs)
    chosen = [solutions[i][j] for i, j in zip(rows, columns, strict=True)]
    if any(choice is None for choice in chosen):
        return None
    return [pair for choice in chosen if choice for pair in choice[1]]
