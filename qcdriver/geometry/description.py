"""Describe a molecule as a chemist checks it first: formula, mass, charge, multiplicity, electrons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from qcdriver.models.base import Frozen
from qcdriver.models.molecule import Molecule

ELECTRON_MASS_U = 5.48579909065e-4
"""CODATA 2018, doi:10.1103/RevModPhys.93.025010."""


_LISTED = 6
"""Of more molecules that are alike, the others are counted."""


class Description(Frozen):
    """Composition and charge of a molecule.

    Attributes
    ----------
    formula
        Hill order, without the charge.
    mass_u
        Average mass of the neutral atoms, in u, from the atomic weights that gemmi carries (C 12.0107, H 1.00794).
    mass_to_charge
        Average m/z of the ion, electrons taken off or added; None for a neutral molecule. The paper's "theoretical
        m/z" 6761.46 of [Au13Ag12(PPh3)10Cl8]+ (doi:10.1038/s41467-020-19789-4) is of this kind, here 6761.467; single
        isotopologues lie near whole numbers plus 0.09, the strongest at 6763.09.
    molecular_charge, molecular_multiplicity, n_electrons, natoms
        As the molecule says; every electron counts, cores too.
    """

    formula: str
    mass_u: float
    mass_to_charge: float | None
    molecular_charge: int
    molecular_multiplicity: int
    n_electrons: int
    natoms: int

    def __str__(self) -> str:
        """Return it as one line for a person."""
        ion = "" if self.mass_to_charge is None else f", m/z {self.mass_to_charge:.2f}"
        return (
            f"{self.formula}, {self.natoms} atoms, {self.mass_u:.2f} u{ion}, charge {self.molecular_charge:+d}, "
            f"multiplicity {self.molecular_multiplicity}, {self.n_electrons} electrons"
        )


def describe(molecule: Molecule) -> Description:
    """Describe a molecule."""
    from gemmi import Element

    mass = sum(Element(symbol).weight for symbol in molecule.symbols)
    charge = molecule.molecular_charge
    return Description(
        formula=molecule.formula,
        mass_u=mass,
        mass_to_charge=(mass - charge * ELECTRON_MASS_U) / abs(charge) if charge else None,
        molecular_charge=charge,
        molecular_multiplicity=molecule.molecular_multiplicity,
        n_electrons=molecule.n_electrons,
        natoms=len(molecule.symbols),
    )


def describe_all(molecules: Mapping[str, Molecule]) -> list[str]:
    """Describe labelled molecules, a line for all that have the same formula, charge and multiplicity."""
    labels: dict[str, list[str]] = {}
    for label, molecule in molecules.items():
        labels.setdefault(str(describe(molecule)), []).append(label)
    return [f"{listed(alike)}: {description}" for description, alike in labels.items()]


def listed(labels: Sequence[str]) -> str:
    """Write labels for a person; of many, the first and how many more."""
    if len(labels) <= _LISTED:
        return ", ".join(labels)
    return f"{', '.join(labels[: _LISTED - 1])} and {len(labels) - _LISTED + 1} more"
