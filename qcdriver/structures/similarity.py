"""Two molecules in, whether they are one and the same structure, mirror images, or neither out."""

from __future__ import annotations

from typing import Literal

from qcdriver.errors import InputError
from qcdriver.schema import Molecule
from qcdriver.structures.alignment import Alignment, align

Likeness = Literal["same", "mirror image"]
ONE_ATOM = 3.0
"""No atom may be farther from its counterpart than this times the tolerance: one that moved is lost in a mean."""


def likeness(a: Molecule, b: Molecule, tolerance_angstrom: float = 0.1) -> Likeness | None:
    """Tell whether two structures are the same, or mirror images, whatever their atom order and orientation.

    Composition, charge, spin and bonds must be equal. The structures are laid on each other (`alignment`), and are the
    same if the root mean square distance of all atoms stays within the tolerance, and that of each atom within three
    times it; mirror images if this holds after inversion only. A structure without a hand within the tolerance is the
    same as its mirror image.

    Parameters
    ----------
    a, b
        Geometries of any size; up to a second for 400 atoms.
    tolerance_angstrom
        Of the order of what a relaxation leaves open: 0.1 for xTB at 0.01 eV/Angstrom.

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
    """Tell whether two aligned structures are one within a tolerance, as `likeness` defines it."""
    return (
        not alignment.changed_bonds
        and alignment.rmsd_angstrom <= tolerance_angstrom
        and alignment.largest_angstrom <= ONE_ATOM * tolerance_angstrom
    )
