"""Conformers and their labels in, the comparison out: which are the same or mirror images, and how the rest differ."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from qcdriver.comparison import SAME_ANGSTROM
from qcdriver.comparison.chirality import Chirality, measure_chirality
from qcdriver.comparison.conformers import require_core, require_kept_bonds, require_labels, require_same_bonds
from qcdriver.comparison.orbits import AngleRow, BondRow, angle_rows, bond_rows
from qcdriver.comparison.sites import known_cu14, name_sites
from qcdriver.errors import InputError
from qcdriver.schema import Frozen, Molecule
from qcdriver.structures.alignment import Alignment, align
from qcdriver.structures.cu14 import Cu14Measures, measure_cu14
from qcdriver.structures.rod import RodMeasures, find_rod, measure_rod
from qcdriver.structures.similarity import fits
from qcdriver.structures.symmetry import common_symmetry
from qcdriver.structures.topology import find_topology

NO_HAND_ANGSTROM = 1e-3
"""A core whose two root mean square distances differ by less fits either way."""


class Fit(Frozen):
    """How one structure lies on an earlier one, in the same hand and after inversion; all in Angstrom.

    Attributes
    ----------
    on, label
        Which lies on which.
    core_rmsd_angstrom, rmsd_angstrom
        Of the core (metals and what binds them) and of all atoms, each best superposed, not inverted.
    mirrored_core_rmsd_angstrom, mirrored_rmsd_angstrom
        The same after inversion of `label`.
    opposite_hand
        Whether the core fits better inverted; None when both ways fit it within `NO_HAND_ANGSTROM` equally well.
    verdict
        "same", "mirror image", or None when they differ by more than the tolerance.
    """

    on: str
    label: str
    core_rmsd_angstrom: float
    rmsd_angstrom: float
    mirrored_core_rmsd_angstrom: float
    mirrored_rmsd_angstrom: float
    opposite_hand: bool | None
    verdict: str | None


class Conformer(Frozen):
    """One structure of a comparison.

    Attributes
    ----------
    label
        Its name.
    order
        Which of its atoms is which atom of the first structure, (natoms,), from 0.
    hand
        "right" or "left" for Cu14, as `qcdriver.structures.cu14.Cu14` defines it; for others "+" or "-", the sign
        of the core's chirality; None without one. The conformers of one set are told by `Fit.opposite_hand`.
    same_as, mirror_image_of
        The earlier structure that it equals, or whose mirror image it is, within the tolerance.
    chirality
        How chiral which part is.
    bond_deviation_angstrom, angle_deviation_deg
        Largest deviation of a bond and an angle of the core from the mean of its orbit: the test of the symmetry.
    bond_deviation_at, angle_deviation_at
        Where.
    rod, cu14
        Measures of a known cluster, None for others.
    """

    label: str
    order: tuple[int, ...]
    hand: str | None
    same_as: str | None
    mirror_image_of: str | None
    chirality: tuple[Chirality, ...]
    bond_deviation_angstrom: float
    bond_deviation_at: str
    angle_deviation_deg: float
    angle_deviation_at: str
    rod: RodMeasures | None
    cu14: Cu14Measures | None


class Comparison(Frozen):
    """Conformers side by side; the tuples in the rows have one entry a conformer, in order.

    `symmetry` is the group of rotations that all conformers nearly have (C3, D5, ...; C1: none), `axis_order` that of
    its main axis; the rows are its orbits. `tolerance_angstrom` decides what is the same.
    """

    formula: str
    molecular_charge: int
    natoms: int
    tolerance_angstrom: float
    symmetry: str
    axis_order: int
    conformers: tuple[Conformer, ...]
    fits: tuple[Fit, ...]
    bonds: tuple[BondRow, ...]
    angles: tuple[AngleRow, ...]


def compare(
    molecules: Sequence[Molecule], labels: Sequence[str], tolerance_angstrom: float = SAME_ANGSTROM
) -> Comparison:
    """Compare conformers; a single one is measured.

    Parameters
    ----------
    molecules
        At least one; in any atom order and orientation, of either hand.
    labels
        Their names, all different.
    tolerance_angstrom
        Structures that lie on each other within this root mean square distance of all atoms are the same.

    Raises
    ------
    InputError
        They are no conformers of each other, hold no metal core, or share a label; the message names the difference.
    """
    require_labels(labels)
    if not tolerance_angstrom > 0:
        raise InputError(f"tolerance {tolerance_angstrom:g}: a positive distance is needed")
    topologies = [find_topology(each) for each in molecules]
    require_core(molecules[0], topologies[0], labels[0])
    found: list[Fit] = []
    orders: list[np.ndarray] = [np.arange(len(molecules[0].symbols))]
    for k in range(1, len(molecules)):
        require_same_bonds((molecules[0], molecules[k]), (topologies[0], topologies[k]), (labels[0], labels[k]))
        fit, best = _fit(molecules, labels, 0, k, tolerance_angstrom)
        orders.append(best.order)
        found.append(fit)
        settled = {each.label for each in found if each.verdict}
        for earlier in range(1, k):
            if labels[earlier] not in settled and labels[k] not in settled:
                fit, _ = _fit(molecules, labels, earlier, k, tolerance_angstrom)
                found.append(fit)
                settled |= {fit.label} if fit.verdict else set()
    ordered = [_reordered(molecule, order) for molecule, order in zip(molecules, orders, strict=True)]
    symmetry = common_symmetry(ordered, topologies[0])
    sites = name_sites(ordered[0], topologies[0], symmetry)
    bonds = bond_rows(ordered, topologies[0], symmetry, sites)
    angles = angle_rows(ordered, topologies[0], symmetry, sites)
    return Comparison(
        formula=molecules[0].formula,
        molecular_charge=molecules[0].molecular_charge,
        natoms=len(molecules[0].symbols),
        tolerance_angstrom=tolerance_angstrom,
        symmetry=symmetry.name,
        axis_order=symmetry.order,
        conformers=tuple(
            _conformer(k, labels[k], ordered[k], orders[k], found, bonds, angles) for k in range(len(labels))
        ),
        fits=tuple(found),
        bonds=bonds,
        angles=angles,
    )


def _fit(
    molecules: Sequence[Molecule], labels: Sequence[str], on: int, k: int, tolerance: float
) -> tuple[Fit, Alignment]:
    """Lay structure k on an earlier one both ways; give the way that fits the core better too."""
    direct, inverted = (align(molecules[on], molecules[k], improper) for improper in (False, True))
    gain = direct.core_rmsd_angstrom - inverted.core_rmsd_angstrom
    opposite = None if abs(gain) < NO_HAND_ANGSTROM else gain > 0
    inverts = opposite or (opposite is None and inverted.rmsd_angstrom < direct.rmsd_angstrom - NO_HAND_ANGSTROM)
    best = inverted if inverts else direct
    if direct.changed_bonds and inverted.changed_bonds:
        require_kept_bonds((molecules[on], molecules[k]), best, (labels[on], labels[k]))
    verdict = "same" if fits(direct, tolerance) else "mirror image" if fits(inverted, tolerance) else None
    return (
        Fit(
            on=labels[on],
            label=labels[k],
            core_rmsd_angstrom=direct.core_rmsd_angstrom,
            rmsd_angstrom=direct.rmsd_angstrom,
            mirrored_core_rmsd_angstrom=inverted.core_rmsd_angstrom,
            mirrored_rmsd_angstrom=inverted.rmsd_angstrom,
            opposite_hand=opposite,
            verdict=verdict,
        ),
        best,
    )


def _reordered(molecule: Molecule, order: np.ndarray) -> Molecule:
    return Molecule(
        symbols=tuple(molecule.symbols[i] for i in order),
        geometry=molecule.geometry[order],
        molecular_charge=molecule.molecular_charge,
        molecular_multiplicity=molecule.molecular_multiplicity,
    )


def _conformer(
    k: int,
    label: str,
    molecule: Molecule,
    order: np.ndarray,
    found: Sequence[Fit],
    bonds: Sequence[BondRow],
    angles: Sequence[AngleRow],
) -> Conformer:
    verdicts = {each.verdict: each.on for each in found if each.label == label}
    chirality = measure_chirality(molecule)
    cluster = known_cu14(molecule)
    orbits = [row for row in bonds if row.atoms is not None]
    bond, bond_at = max(((row.deviation_angstrom[k] or 0.0, row.name) for row in orbits), default=(0.0, ""))
    angle, angle_at = max(((row.deviation_deg[k], row.name) for row in angles), default=(0.0, ""))
    return Conformer(
        label=label,
        order=tuple(int(i) for i in order),
        hand=cluster.handedness if cluster else next(each.hand for each in chirality if each.part == "core"),
        same_as=verdicts.get("same"),
        mirror_image_of=verdicts.get("mirror image"),
        chirality=chirality,
        bond_deviation_angstrom=bond,
        bond_deviation_at=bond_at,
        angle_deviation_deg=angle,
        angle_deviation_at=angle_at,
        rod=measure_rod(molecule) if find_rod(molecule) else None,
        cu14=measure_cu14(molecule) if cluster else None,
    )
