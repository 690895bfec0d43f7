"""Compare conformers: which are the same or mirror images, and in what the others differ."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from pydantic import SerializeAsAny, SerializerFunctionWrapHandler, model_serializer, model_validator

from qcdriver.errors import InputError
from qcdriver.geometry.alignment import Alignment, align
from qcdriver.geometry.likeness import fits
from qcdriver.geometry.same_molecule import require_core, require_kept_bonds, require_labels, require_same_bonds
from qcdriver.geometry.symmetry import common_symmetry
from qcdriver.geometry.topology import find_topology
from qcdriver.models.base import Frozen
from qcdriver.models.molecule import Molecule
from qcdriver.systems.comparison import SAME_ANGSTROM
from qcdriver.systems.comparison.chirality import Chirality, measure_chirality
from qcdriver.systems.comparison.orbits import AngleRow, BondRow, angle_rows, bond_rows, largest_deviation
from qcdriver.systems.comparison.sites import name_sites
from qcdriver.systems.registry import families, recognise

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
        As the family of the cluster names it ("right", "left"); for others "+" or "-", the sign of the core's
        chirality; None without one. The conformers of one set are told by `Fit.opposite_hand`.
    same_as, mirror_image_of
        The earlier structure that it equals, or whose mirror image it is, within the tolerance.
    chirality
        How chiral which part is.
    bond_deviation_angstrom, angle_deviation_deg
        Largest deviation of a bond and an angle of the core from the mean of its orbit: the test of the symmetry.
    bond_deviation_at, angle_deviation_at
        Where.
    measured
        The measures of the family of a known cluster, by the family's name; in JSON a member for every family.
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
    measured: dict[str, SerializeAsAny[Frozen]]

    @model_validator(mode="before")
    @classmethod
    def _read_families(cls, fields: Any) -> Any:
        if not isinstance(fields, dict) or "measured" in fields:
            return fields
        known = {name: (family, fields[name]) for name, family in families().items() if fields.get(name) is not None}
        measured = {name: family.Measures.model_validate(value) for name, (family, value) in known.items()}
        return {name: value for name, value in fields.items() if name not in families()} | {"measured": measured}

    @model_serializer(mode="wrap")
    def _one_member_a_family(self, fields: SerializerFunctionWrapHandler) -> dict[str, object]:
        written: dict[str, object] = fields(self)
        measured = written.pop("measured")
        assert isinstance(measured, dict)
        return written | {name: measured.get(name) for name in families()}


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
    topologies = [find_topology(molecule) for molecule in molecules]
    require_core(molecules[0], topologies[0], labels[0])
    found: list[Fit] = []
    orders: list[np.ndarray] = [np.arange(len(molecules[0].symbols))]
    for k in range(1, len(molecules)):
        require_same_bonds((molecules[0], molecules[k]), (topologies[0], topologies[k]), (labels[0], labels[k]))
        fit, best = _fit(molecules, labels, 0, k, tolerance_angstrom)
        orders.append(best.order)
        found.append(fit)
        settled = {fit.label for fit in found if fit.verdict}
        for earlier in range(1, k):
            if labels[earlier] not in settled and labels[k] not in settled:
                fit, _ = _fit(molecules, labels, earlier, k, tolerance_angstrom)
                found.append(fit)
                settled |= {fit.label} if fit.verdict else set()
    ordered = [_reordered(molecule, order) for molecule, order in zip(molecules, orders, strict=True)]
    symmetry = common_symmetry(ordered, topologies[0])
    sites = name_sites(ordered[0], topologies[0], symmetry, recognise(ordered[0]))
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
    verdicts = {fit.verdict: fit.on for fit in found if fit.label == label}
    known = recognise(molecule)
    chirality = measure_chirality(molecule, known)
    hand = known.family.hand(known.found) if known else None
    bond, bond_at = largest_deviation(bonds, k)
    angle, angle_at = max(((row.deviation_deg[k], row.name) for row in angles), default=(0.0, ""))
    return Conformer(
        label=label,
        order=tuple(int(i) for i in order),
        hand=hand or next(measure.hand for measure in chirality if measure.part == "core"),
        same_as=verdicts.get("same"),
        mirror_image_of=verdicts.get("mirror image"),
        chirality=chirality,
        bond_deviation_angstrom=bond,
        bond_deviation_at=bond_at,
        angle_deviation_deg=angle,
        angle_deviation_at=angle_at,
        measured={known.family.name: known.family.measures(molecule, known.found)} if known else {},
    )
