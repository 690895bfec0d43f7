"""The result of reading a crystal: whole molecules with their provenance. They are picked, shown and written here."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from pydantic import JsonValue, ValidationError

from qcdriver.errors import InputError
from qcdriver.io.cif.contacts import Contact, find_contacts
from qcdriver.io.cif.roles import lowest_multiplicity
from qcdriver.models.molecule import Molecule, hill_formula
from qcdriver.store.files import write_whole
from qcdriver.units import ANGSTROM

if TYPE_CHECKING:
    from rich.table import Table

    from qcdriver.io.cif.agreement import Disagreement
    from qcdriver.io.cif.assembly import Whole
    from qcdriver.io.cif.disorder import Choice
    from qcdriver.io.cif.roles import RoleName
    from qcdriver.io.cif.unit_cell import UnitCell


@dataclass(frozen=True, eq=False)
class CrystalMolecule:
    """One crystallographically independent molecule.

    Attributes
    ----------
    label
        A, B, C, ... over the whole crystal, largest molecule first.
    symbols, positions_angstrom
        Elements and positions, (natoms, 3); where most atoms stand as the file lists them.
    site_labels, operators
        For each atom, its label in the file and the operator that moves it from there.
    per_cell
        Copies in one cell, this one included.
    mirror_copies
        How many of them are its mirror image; 0 for a molecule that is congruent with its mirror image.
    presence
        How often it is there (1 unless the sites are partly empty).
    role, charge, multiplicity
        Charge and multiplicity are None when they cannot be known.
    mirror_of
        Label of another independent molecule that this one is the mirror image of.
    disorder
        Choices made among alternatives inside it.
    """

    label: str
    symbols: tuple[str, ...]
    positions_angstrom: np.ndarray
    site_labels: tuple[str, ...]
    operators: tuple[str, ...]
    per_cell: int
    mirror_copies: int
    presence: float
    role: RoleName
    charge: int | None
    multiplicity: int | None
    mirror_of: str | None
    disorder: tuple[Choice, ...]

    @property
    def formula(self) -> str:
        """Hill formula without the charge."""
        return hill_formula(Counter(self.symbols))

    @property
    def natoms(self) -> int:
        """Number of atoms."""
        return len(self.symbols)

    @property
    def molecule(self) -> Molecule:
        """The molecule for a calculation, in bohr.

        Raises
        ------
        InputError
            Its charge is unknown.
        """
        return self.charged()

    def charged(self, charge: int | None = None, multiplicity: int | None = None) -> Molecule:
        """Return the molecule for a calculation; a charge and multiplicity given here replace the crystal's.

        Raises
        ------
        InputError
            Neither the caller nor the crystal knows the charge, or they do not fit the electrons.
        """
        known = self.charge if charge is None else charge
        if known is None:
            raise InputError(
                f"molecule {self.label} ({self.formula}): its charge does not follow from the crystal; "
                "say it as molecular_charge"
            )
        spin = multiplicity or (self.multiplicity if charge is None else lowest_multiplicity(self.symbols, known))
        try:
            return Molecule(
                symbols=self.symbols,
                geometry=self.positions_angstrom / ANGSTROM,
                molecular_charge=known,
                molecular_multiplicity=spin or 1,
            )
        except ValidationError as error:
            reason = error.errors()[0]["msg"].removeprefix("Value error, ")
            raise InputError(f"molecule {self.label}: {reason}") from None

    def to_json(self) -> dict[str, JsonValue]:
        """Return what `qcdriver crystal --json` prints for one molecule."""
        return {
            "label": self.label,
            "formula": self.formula,
            "natoms": self.natoms,
            "per_cell": self.per_cell,
            "independent": True,
            "role": self.role,
            "charge": self.charge,
            "multiplicity": self.multiplicity,
            "mirror_of": self.mirror_of,
            "disorder": [_choice_to_json(choice) for choice in self.disorder],
        }


@dataclass(frozen=True, eq=False)
class Crystal:
    """The molecules of one crystal structure, largest first, and warnings about the file.

    `disagreements`: where the file's formulas and the molecules disagree; the warnings hold their messages too.
    `kept`: which atoms of the cell there are, (natoms,). `copies`: all copies of each molecule in the cell.
    """

    block: str
    space_group: str
    molecules: tuple[CrystalMolecule, ...]
    warnings: tuple[str, ...]
    disagreements: tuple[Disagreement, ...]
    cell: UnitCell
    kept: np.ndarray
    copies: tuple[tuple[Whole, ...], ...]

    @cached_property
    def contacts(self) -> tuple[Contact, ...]:
        """Closest contacts of each molecule with its neighbours."""
        return find_contacts(self.cell, self.kept, self.copies, [m.label for m in self.molecules])

    def pick(self, which: str) -> CrystalMolecule:
        """Find a molecule by label, formula (elements in any order) or role.

        Raises
        ------
        InputError
            None or several fit.
        """
        from qcdriver.io.cif.formula import hill, parse_formula

        composition = parse_formula(which)
        formula = hill(composition) if composition else None
        found = [m for m in self.molecules if m.label == which]
        found = found or [m for m in self.molecules if m.role == which]
        found = found or [m for m in self.molecules if m.formula == formula]
        if len(found) == 1:
            return found[0]
        there = ", ".join(f"{m.label} ({m.formula}, {m.role})" for m in found or self.molecules)
        if found:
            raise InputError(f"pick = {which!r} fits {len(found)} molecules, name one by its label: {there}")
        raise InputError(f"pick = {which!r} fits no molecule; there are {there}")

    def to_json(self, contacts: bool = False) -> dict[str, JsonValue]:
        """Return what `qcdriver crystal --json` prints."""
        report: dict[str, JsonValue] = {
            "block": self.block,
            "space_group": self.space_group,
            "molecules": [m.to_json() for m in self.molecules],
            "warnings": list(self.warnings),
            "disagreements": [d.to_json() for d in self.disagreements],
        }
        if contacts:
            report["contacts"] = [_contact_to_json(contact) for contact in self.contacts]
        return report

    def table(self) -> Table:
        """Tabulate the molecules for a person; `remarks` says the rest."""
        from rich import box
        from rich.table import Table

        table = Table(box=box.SIMPLE_HEAD, collapse_padding=True, pad_edge=False)
        for heading in ("label", "formula", "atoms", "per cell", "role", "charge", "2S+1", "electrons"):
            table.add_column(heading, no_wrap=True)
        for m in self.molecules:
            electrons = "?" if m.charge is None or m.multiplicity is None else str(m.molecule.n_electrons)
            charge = "?" if m.charge is None else f"{m.charge:+d}" if m.charge else "0"
            multiplicity = "?" if m.multiplicity is None else str(m.multiplicity)
            table.add_row(
                *(m.label, m.formula, str(m.natoms), str(m.per_cell), m.role, charge, multiplicity, electrons)
            )
        return table

    @property
    def remarks(self) -> list[str]:
        """What is special about each molecule: mirror images, partial presence, choices among alternatives."""
        return [f"{m.label}: {remark}" for m in self.molecules for remark in _remarks(m)]

    def contact_table(self) -> Table:
        """Tabulate the closest contacts for a person."""
        from rich import box
        from rich.table import Table

        table = Table(box=box.SIMPLE_HEAD, collapse_padding=True, pad_edge=False)
        for heading in ("of", "with", "operator", "closest atoms", "Å", "vdW sum", "contacts"):
            table.add_column(heading, overflow="fold")
        for c in self.contacts:
            table.add_row(
                *(c.label, c.neighbour, c.operator, "...".join(c.atoms)),
                *(f"{c.distance_angstrom:.2f}", f"{c.van_der_waals_angstrom:.2f}", str(c.n_contacts)),
            )
        return table

    def write(self, directory: Path) -> list[Path]:
        """Write one extended XYZ file for each molecule, named by block, label and formula.

        Raises
        ------
        InputError
            The folder cannot be written.
        """
        try:
            directory.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"{directory}: cannot be made ({error.strerror})") from error
        block = re.sub(r"[^A-Za-z0-9_.-]+", "_", self.block).strip("._") or "crystal"
        paths = []
        for m in self.molecules:
            path = directory / f"{block}-{m.label}-{m.formula}.xyz"
            _write_xyz(path, m)
            paths.append(path)
        return paths


def _write_xyz(path: Path, m: CrystalMolecule) -> None:
    from qcdriver.io.xyz import write_xyz, xyz_text

    if m.charge is not None and m.multiplicity is not None:
        write_xyz(path, m.molecule, m.label)
        return
    # Without a charge there is no molecule in this program's sense: the file says nothing about it either.
    try:
        write_whole(path, xyz_text(m.symbols, m.positions_angstrom, {}, m.label).encode(), durable=False)
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror})") from error


def _remarks(m: CrystalMolecule) -> list[str]:
    remarks = [f"mirror image of {m.mirror_of}"] if m.mirror_of else []
    if m.mirror_copies:
        remarks.append(f"{m.mirror_copies} of {m.per_cell} copies in the cell are mirror images")
    if m.presence < 0.995:
        remarks.append(f"there {100 * m.presence:.0f} % of the time")
    for c in m.disorder:
        if not c.left_out:  # the line above says it
            continue
        out = ", ".join(f"{a.group} ({a.occupancy:.2f})" for a in c.left_out)
        remarks.append(f"disorder {c.assembly}: took {c.chosen.group} ({c.chosen.occupancy:.2f}), left out {out}")
    return remarks


def _choice_to_json(choice: Choice) -> JsonValue:
    return {
        "assembly": choice.assembly,
        "group": choice.chosen.group,
        "occupancy": choice.chosen.occupancy,
        "sites": list(choice.chosen.sites),
        "left_out": [{"group": a.group, "occupancy": a.occupancy, "sites": list(a.sites)} for a in choice.left_out],
    }


def _contact_to_json(contact: Contact) -> JsonValue:
    return {
        "label": contact.label,
        "neighbour": contact.neighbour,
        "operator": contact.operator,
        "atoms": list(contact.atoms),
        "distance_angstrom": contact.distance_angstrom,
        "van_der_waals_angstrom": contact.van_der_waals_angstrom,
        "n_contacts": contact.n_contacts,
    }
