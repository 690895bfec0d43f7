"""Decide whether two molecules have the same structure, are mirror images, or neither."""

from __future__ import annotations

from typing import Literal

from qcdriver.errors import InputError
from qcdriver.geometry.alignment import Alignment, align
from qcdriver.models.molecule import Molecule

Likeness = Literal["same", "mirror image"]
ONE_ATOM = 3.0
"""No atom may be farther from its counterpart than this times the tolerance: a mean hides one atom that moved."""


def likeness(a: Molecule, b: Molecule, tolerance_angstrom: float = 0.1) -> Likeness | None:
    """Return whether two structures are the same, or mirror images, in any atom order and orientation.

    Composition, charge, spin and bonds must be equal. The structures are superposed (`alignment`). They are the same if
    the root mean square distance of all atoms is within the tolerance, and no atom is farther than three times the
    tolerance from its counterpart; they are mirror images if this holds only after inversion. A structure that is
    achiral within the tolerance is the same as its mirror image.

    Parameters
    ----------
    a, b
        Geometries of any size; up to a second for 400 atoms.
    tolerance_angstrom
        About the uncertainty of a relaxed geometry: 0.1 for xTB at 0.01 eV/Angstrom.

    Returns
    -------
    "same", "mirror image", or None when they are neither.
    """
    if (
        sorted(a.symbols) != sorted(b.symbols)
        or a.molecular_charge != b.molecular_charge
        or a.molecular_multiplicity != b.molecular_multiplicity
    ):
        return None
    for improper, verdict in ((False, "same"), (True, "mirror image")):
        try:
            found = align(a, b, improper)
        except InputError:
            return None
        if fits(found, tolerance_angstrom):
            return verdict  # type: ignore[return-value]
    return None


def fits(alignment: Alignment, tolerance_angstrom: float) -> bool:
    """Return whether two aligned structures are the same within a tolerance, as `likeness` defines it."""
    return (
        not alignment.changed_bonds
        and alignment.rmsd_angstrom <= tolerance_angstrom
        and alignment.largest_angstrom <= ONE_ATOM * tolerance_angstrom
    )
